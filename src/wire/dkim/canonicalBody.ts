/**
 * A body in the form that a DKIM signature signs, as it comes, in any pieces.
 *
 * RFC 6376 sections 3.4.3 (simple) and 3.4.4 (relaxed). Only CRLF is a line end; a CR or LF alone is an octet like any other.
 * Invariants: linear time whatever the lines are like, and no more memory than one block: empty lines at the end are counted,
 * space is remembered as one bit. (A library that gathers lines takes 2.7 s for 8 MB without line end.)
 * Trust: any octets.
 */

import { KIB } from '../../base/units.ts';
import type { Canonicalization } from './signature.ts';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** Octets that are put together before they are handed on. */
const BLOCK_OCTETS = 32 * KIB;
const LINE_ENDS = Buffer.from('\r\n'.repeat(BLOCK_OCTETS / 2));

/** As many line ends as stand between paragraphs are put among the other octets; a call for each would take three times as long. */
const FEW_LINE_ENDS = 16;
/** What one octet can bring with it: line ends, a space, a CR and itself. */
const RESERVE_OCTETS = 2 * FEW_LINE_ENDS + 3;

/** A body that comes in pieces. */
export interface CanonicalBody {
  push(block: Uint8Array): void;
  /** The body is over. */
  end(): void;
}

/** Hands the canonical octets to `sink`, which may look at a block until it returns. */
export function createCanonicalBody(form: Canonicalization, sink: (octets: Buffer) => void): CanonicalBody {
  return form === 'simple' ? createSimple(sink) : createRelaxed(sink);
}

function createSimple(sink: (octets: Buffer) => void): CanonicalBody {
  let lineEnds = 0;
  let hasCr = false;
  const flush = () => {
    emitLineEnds(lineEnds, sink);
    lineEnds = 0;
  };
  return {
    push(block) {
      let start = 0;
      if (hasCr && block.length > 0) {
        hasCr = false;
        if (block[0] === LF) {
          lineEnds += 1;
          start = 1;
        } else {
          flush();
          sink(LINE_ENDS.subarray(0, 1));
        }
      }
      let end = block.length;
      if (end > start && block[end - 1] === CR) {
        hasCr = true;
        end -= 1;
      }
      let trailing = 0;
      while (end - 2 >= start && block[end - 1] === LF && block[end - 2] === CR) {
        trailing += 1;
        end -= 2;
      }
      if (end > start) {
        flush();
        sink(Buffer.from(block.buffer, block.byteOffset + start, end - start));
      }
      lineEnds += trailing;
    },
    end() {
      if (hasCr) {
        flush();
        sink(LINE_ENDS.subarray(0, 1));
      }
      // An empty body, and one without a line end, gets one; all empty lines at the end are one.
      sink(LINE_ENDS.subarray(0, 2));
    },
  };
}

function createRelaxed(sink: (octets: Buffer) => void): CanonicalBody {
  const out = Buffer.allocUnsafeSlow(BLOCK_OCTETS);
  let used = 0;
  let lineEnds = 0;
  let hasSpace = false;
  let hasCr = false;
  let isEmpty = true;
  const emit = () => {
    if (used > 0) sink(out.subarray(0, used));
    used = 0;
  };
  /** What was held back comes before an octet that is neither space nor a line end. */
  const release = () => {
    if (lineEnds > FEW_LINE_ENDS) {
      emit();
      emitLineEnds(lineEnds, sink);
    } else used += LINE_ENDS.copy(out, used, 0, 2 * lineEnds);
    lineEnds = 0;
    if (hasSpace) out[used++] = SPACE;
    hasSpace = false;
    if (hasCr) out[used++] = CR;
    hasCr = false;
    isEmpty = false;
  };
  return {
    push(block) {
      for (const octet of block) {
        if (hasCr && octet === LF) {
          hasCr = false;
          hasSpace = false;
          lineEnds += 1;
          continue;
        }
        if (used > BLOCK_OCTETS - RESERVE_OCTETS) emit();
        if (hasCr) release();
        if (octet === CR) hasCr = true;
        else if (octet === SPACE || octet === TAB) hasSpace = true;
        else {
          if (hasSpace || lineEnds > 0 || isEmpty) release();
          out[used++] = octet;
        }
      }
    },
    end() {
      if (hasCr) release();
      emit();
      if (!isEmpty) sink(LINE_ENDS.subarray(0, 2));
    },
  };
}

function emitLineEnds(count: number, sink: (octets: Buffer) => void): void {
  for (let left = count; left > 0; left -= BLOCK_OCTETS / 2) sink(LINE_ENDS.subarray(0, 2 * left));
}
