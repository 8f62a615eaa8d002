/**
 * A turnstile: so many jobs at a time, so many waiting, and none waits for ever.
 *
 * Password hashing runs on the threads of libuv's pool, which files and name look-ups need too: a client that guesses
 * passwords must neither take all of them nor pile up work without bound. A wait ends by its deadline and not by a signal,
 * since several logins may wait for the same hash. Called by password.ts.
 */

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';

/** Limits of a turnstile. */
export interface TurnstileOptions {
  readonly clock: Clock;
  /** Jobs at one time. */
  readonly runningLimit: number;
  /** Jobs waiting for their turn. */
  readonly waitingLimit: number;
  readonly waitLimitMs: number;
}

/** Lets jobs through, first come, first served. */
export interface Turnstile {
  /** Runs `job` when its turn comes. Errors: `tooBusy` when too many wait or it waited too long; what the job rejects with. */
  pass<T>(job: () => Promise<T>): Promise<T>;
}

/** A turnstile with nobody in it. */
export function createTurnstile(options: TurnstileOptions): Turnstile {
  const { clock, runningLimit, waitingLimit, waitLimitMs } = options;
  /** What lets each in, in order of arrival. */
  const waiting = new Set<() => void>();
  let running = 0;

  const turn = () =>
    new Promise<void>((resolve, reject) => {
      const admit = () => {
        deadline.clear();
        resolve();
      };
      const deadline = clock.after(waitLimitMs, () => {
        waiting.delete(admit);
        reject(new MailError('tooBusy', `a job waited ${waitLimitMs} ms for its turn`));
      });
      waiting.add(admit);
    });
  const enter = async () => {
    if (running < runningLimit) running += 1;
    else if (waiting.size < waitingLimit) await turn();
    else throw new MailError('tooBusy', `${waitingLimit} jobs are waiting for their turn already`);
  };
  /** The place of who leaves goes to the next one, without ever being free in between. */
  const leave = () => {
    const [next] = waiting;
    if (next === undefined) running -= 1;
    else waiting.delete(next);
    next?.();
  };

  return {
    async pass(job) {
      await enter();
      try {
        return await job();
      } finally {
        leave();
      }
    },
  };
}
