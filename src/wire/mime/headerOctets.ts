/**
 * The octets of the header that is being walked over, up to MAX_HEADER_OCTETS; one memory for all headers of a message.
 */

import { MAX_HEADER_OCTETS } from './limits.ts';

const FIRST_SIZE_OCTETS = 4096;

/** A header that comes in pieces. */
export interface HeaderOctets {
  /** Takes a copy of as much of `piece` as is still of interest. */
  add(piece: Uint8Array): void;
  /** What has been added since `clear`; good until the next `add`. */
  octets(): Uint8Array;
  clear(): void;
}

/** A header of no octets. */
export function createHeaderOctets(): HeaderOctets {
  let memory = Buffer.allocUnsafe(FIRST_SIZE_OCTETS);
  let length = 0;
  return {
    add: (piece) => {
      const taken = piece.subarray(0, MAX_HEADER_OCTETS - length);
      if (length + taken.length > memory.length) {
        const larger = Buffer.allocUnsafe(Math.max(memory.length * 2, length + taken.length));
        memory.copy(larger, 0, 0, length);
        memory = larger;
      }
      memory.set(taken, length);
      length += taken.length;
    },
    octets: () => memory.subarray(0, length),
    clear: () => {
      length = 0;
    },
  };
}
