/**
 * The octets of the header that is being walked over, up to MAX_HEADER_OCTETS; one memory for all headers of a message.
 */

import { MAX_HEADER_OCTETS } from './limits.ts';
import { asBuffer } from './octets.ts';
import type { OctetString } from './structure.ts';
import { octetString } from './structure.ts';

const FIRST_SIZE_OCTETS = 4096;

/** A header that comes in pieces. */
export interface HeaderOctets {
  /** Copies as much of these octets as is still of interest. */
  add(bytes: Uint8Array, from: number, to: number): void;
  /** What has been added since `clear`. */
  text(): OctetString;
  clear(): void;
}

/** A header of no octets. */
export function createHeaderOctets(): HeaderOctets {
  let memory = Buffer.allocUnsafe(FIRST_SIZE_OCTETS);
  let length = 0;
  return {
    add: (bytes, from, to) => {
      const taken = Math.min(to - from, MAX_HEADER_OCTETS - length);
      if (taken <= 0) return;
      if (length + taken > memory.length) {
        const larger = Buffer.allocUnsafe(Math.max(memory.length * 2, length + taken));
        memory.copy(larger, 0, 0, length);
        memory = larger;
      }
      asBuffer(bytes).copy(memory, length, from, from + taken);
      length += taken;
    },
    text: () => octetString(memory.toString('latin1', 0, length)),
    clear: () => {
      length = 0;
    },
  };
}
