/**
 * Bounds the pieces that are on their way to the writer, for one draft and for all: back-pressure. Who may not go on waits in
 * order. Buffers of pieces come back from the writer and are used again, so that a message of 150 MB makes no garbage.
 */

import { CHUNK_BYTES, DRAFT_WINDOW_CHUNKS, DRAFTS_WINDOW_CHUNKS } from './limits.ts';

/** The places that all drafts share. */
export class ChunkWindow {
  readonly #waiting: (() => void)[] = [];
  readonly #spare: ArrayBuffer[] = [];
  #free = DRAFTS_WINDOW_CHUNKS;

  /** Resolves when there is a place; `leave` gives it back. */
  async enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }

  /** A buffer of CHUNK_BYTES with anything in it. */
  takeBuffer(): ArrayBuffer {
    return this.#spare.pop() ?? new ArrayBuffer(CHUNK_BYTES);
  }

  /** Keeps buffers of CHUNK_BYTES for later, a few of them. */
  giveBuffers(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers)
      if (this.#spare.length < 2 * DRAFT_WINDOW_CHUNKS && buffer.byteLength === CHUNK_BYTES)
        this.#spare.push(buffer);
  }
}
