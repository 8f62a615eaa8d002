/**
 * How many sessions of a server may be compressed at a time: each costs memory that others do not (net/compression.ts).
 */

import { COMPRESSED_SESSION_LIMIT } from './limits.ts';

/** Slots for compressed sessions. Who takes one releases it. */
export class CompressionSlots {
  #taken = 0;

  /** Takes a slot if there is one. */
  take(): boolean {
    if (this.#taken >= COMPRESSED_SESSION_LIMIT) return false;
    this.#taken += 1;
    return true;
  }

  /** Gives a slot back. */
  release(): void {
    this.#taken -= 1;
  }
}
