/**
 * What is under way in an open store, so that closing can finish it and refuse the rest.
 */

import { MailError } from '../../base/error.ts';

/** Counts the calls that are under way. */
export class Lifetime {
  #running = 0;
  #isClosing = false;
  #whenIdle: (() => void)[] = [];

  /** Runs `work` unless the store is closing. Errors: `shuttingDown`, and what `work` rejects with. */
  async run<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#isClosing) throw new MailError('shuttingDown', 'the store is closing');
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    }
  }

  /** Refuses what comes from now on; resolves when everything that was under way has ended. */
  async end(): Promise<void> {
    this.#isClosing = true;
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve);
    });
  }
}
