/**
 * Turns of requests at the search thread: a few at a time, the others in order, each for a bounded time.
 */

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { ASKS_RUNNING, ASKS_WAITING_LIMIT, WAIT_DEADLINE_MS } from './limits.ts';

/** Gives out turns. */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work` when its turn comes. Errors: `tooBusy`, `deadlineExceeded`, and those of `work`. */
  async run<Value>(work: () => Promise<Value>): Promise<Value> {
    await this.#enter();
    try {
      return await work();
    } finally {
      const next = this.#waiting.values().next().value;
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < ASKS_RUNNING) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.size >= ASKS_WAITING_LIMIT) throw new MailError('tooBusy', 'too many searches wait');
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        this.#waiting.delete(enter);
        timer.clear();
        resolve();
      };
      const timer = this.#clock.after(WAIT_DEADLINE_MS, () => {
        this.#waiting.delete(enter);
        reject(new MailError('deadlineExceeded', `a search waited for ${WAIT_DEADLINE_MS} ms`));
      });
      this.#waiting.add(enter);
    });
  }
}
