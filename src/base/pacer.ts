/**
 * Lets other sessions have the event loop: long work calls `breathe` at every step, which yields after SLICE_MS of it.
 *
 * One for each session. A step is what cannot be divided: a message's response, a piece of a search. Who works in slices of a
 * known length yields between them.
 */

import type { Clock } from './clock.ts';

/** How long a session may work without letting others have the event loop; no request holds it for more than 10 ms. */
const SLICE_MS = 5;

/** Lets everything else that waits have its turn; the only way to do so in this house. */
export function yieldTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A session's sense of how long it has been working. */
export class Pacer {
  readonly #clock: Clock;
  #yieldedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#yieldedMs = clock.monotonic();
  }

  /** Whether it is time to yield. */
  get isDue(): boolean {
    return this.#clock.monotonic() - this.#yieldedMs >= SLICE_MS;
  }

  /** Yields if it is time. */
  async breathe(): Promise<void> {
    if (!this.isDue) return;
    await yieldTurn();
    this.#yieldedMs = this.#clock.monotonic();
  }
}
