/**
 * Reads a message as far as its header goes, in whatever pieces it comes, and leaves the rest to be read.
 *
 * Trust: any octets. A header may have no end: HEADER_LIMIT_OCTETS and HEADER_LIMIT_LINES are read as one, and what is beyond
 * them counts as body, so that the message can be taken all the same. Linear in the octets, whatever their pieces are.
 */

import { MIB } from '../base/units.ts';
import { type MessageHeader, parseMessageHeader } from '../wire/mime/messageHeader.ts';

/** Octets of a header that are looked at; Exchange Online's header blocks have some 14 KB. */
export const HEADER_LIMIT_OCTETS = MIB;
/** Lines of a header that are looked at; mail that went through a dozen servers has some 200. */
export const HEADER_LIMIT_LINES = 10_000;

/** Octets kept at first, for the header of an everyday message. */
const FIRST_SIZE_OCTETS = 4096;
const LF = 0x0a;
const CR = 0x0d;

/** The start of a message. */
export interface Opening {
  readonly header: MessageHeader;
  /** The header's octets as they came. */
  readonly octets: Buffer;
  /** What was read beyond them. */
  readonly rest: Buffer;
}

/** Reads from `message` until its header is over, or it ends, or is larger than a message may be. Errors: what `message` throws. */
export async function readHeader(message: AsyncIterator<Buffer>, sizeLimitOctets: number): Promise<Opening> {
  const scan = createScan(Math.min(sizeLimitOctets, HEADER_LIMIT_OCTETS));
  for (;;) {
    const { value: block, done } = await message.next();
    if (done === true) return scan.opening(scan.length, true);
    const end = scan.push(block);
    if (end !== undefined) return scan.opening(end.at, end.isWhole);
  }
}

interface HeaderScan {
  /** Octets taken so far. */
  readonly length: number;
  /** Takes octets; answers where the header ends once that is known. */
  push(block: Buffer): { readonly at: number; readonly isWhole: boolean } | undefined;
  opening(end: number, isWhole: boolean): Opening;
}

function createScan(limitOctets: number): HeaderScan {
  let memory = Buffer.allocUnsafe(FIRST_SIZE_OCTETS);
  let length = 0;
  let lineStart = 0;
  let lines = 0;
  const add = (block: Buffer) => {
    if (length + block.length > memory.length) {
      const larger = Buffer.allocUnsafe(Math.max(memory.length * 2, length + block.length));
      memory.copy(larger, 0, 0, length);
      memory = larger;
    }
    block.copy(memory, length);
    length += block.length;
  };
  return {
    get length() {
      return length;
    },
    push(block) {
      let from = length;
      add(block);
      const octets = memory.subarray(0, length);
      for (;;) {
        const feed = octets.indexOf(LF, from);
        if (feed < 0) break;
        const isBlank = feed === lineStart || (feed === lineStart + 1 && octets[lineStart] === CR);
        lineStart = feed + 1;
        from = lineStart;
        if (isBlank) return { at: lineStart, isWhole: true };
        lines += 1;
        if (lines >= HEADER_LIMIT_LINES || lineStart > limitOctets) return { at: lineStart, isWhole: false };
      }
      return length > limitOctets ? { at: length, isWhole: false } : undefined;
    },
    opening(end, isWhole) {
      const octets = memory.subarray(0, end);
      return { header: parseMessageHeader(octets, isWhole), octets, rest: memory.subarray(end, length) };
    },
  };
}
