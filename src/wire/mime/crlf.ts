/**
 * A content as POP3 transmits it: every line ends with CRLF (RFC 1939 section 3).
 *
 * Bare LF and bare CR become CRLF, an existing CRLF is kept, a last line without line end gets one, and an empty content
 * stays empty. Dot-stuffing comes after this and is counted by nobody (RFC 1939 section 11: sizes are without it).
 * Invariant: `pop3Octets` of a tally is what the converter puts out, for any split of the content into chunks.
 * Called by walker.ts for the count at delivery, and by pop3d for RETR and TOP.
 */

import type { LineTally } from './lineTally.ts';
import { createLineTally, tallyLines, wordView } from './lineTally.ts';
import { asBuffer } from './octets.ts';

const LF = 0x0a;
const CR = 0x0d;
const CRLF = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);

/** How many octets the tallied content has in POP3's form. */
export function pop3Octets(tally: LineTally): number {
  const bareLineFeeds = tally.lineFeeds - tally.pairs;
  const bareReturns = tally.returns - tally.pairs;
  const hasOpenLine = tally.octets > 0 && tally.last !== LF && tally.last !== CR;
  return tally.octets + bareLineFeeds + bareReturns + (hasOpenLine ? CRLF.length : 0);
}

/** Counts a content that comes in chunks. */
export interface CrlfCounter {
  push(chunk: Uint8Array): void;
  /** Octets in POP3's form if the content ended here. */
  readonly octets: number;
}

/** A counter of nothing. */
export function createCrlfCounter(): CrlfCounter {
  const tally = createLineTally();
  return {
    push: (chunk) => {
      tallyLines(tally, wordView(chunk), 0, chunk.length, false);
    },
    get octets() {
      return pop3Octets(tally);
    },
  };
}

/** Converts a content that comes in chunks, one buffer out for each chunk in. */
export interface CrlfConverter {
  /** The chunk in POP3's form: the chunk's own memory where nothing has to change, at most twice its size otherwise. */
  push(chunk: Uint8Array): Buffer;
  /** What ends the content: CRLF, LF after a last CR, or nothing. */
  end(): Buffer;
}

/** A converter at the start of a content. */
export function createCrlfConverter(): CrlfConverter {
  const tally = createLineTally();
  return {
    push: (chunk) => {
      const before = tally.last;
      const bare = bareLineEnds(tally);
      tallyLines(tally, wordView(chunk), 0, chunk.length, false);
      // A CR at the end of a chunk counts as bare; whether it is, and its LF has to be made up, the next octet tells.
      const certain = bare - (before === CR ? 1 : 0);
      const certainNow = bareLineEnds(tally) - (tally.last === CR ? 1 : 0);
      return certainNow === certain ? asBuffer(chunk) : insertLineEnds(chunk, before);
    },
    end: () => {
      if (tally.last === CR) return CRLF.subarray(1);
      return tally.octets > 0 && tally.last !== LF ? CRLF : NOTHING;
    },
  };
}

function bareLineEnds(tally: LineTally): number {
  return tally.lineFeeds + tally.returns - 2 * tally.pairs;
}

/** A copy of `chunk` with what is missing put in; `before` is the octet that went out last. A CR at its end is left open. */
function insertLineEnds(chunk: Uint8Array, before: number): Buffer {
  const out = Buffer.allocUnsafe(chunk.length * 2 + 1);
  let length = 0;
  let last = before;
  for (const octet of chunk) {
    if (last === CR && octet !== LF) out[length++] = LF;
    if (octet === LF && last !== CR) out[length++] = CR;
    out[length++] = octet;
    last = octet;
  }
  return out.subarray(0, length);
}
