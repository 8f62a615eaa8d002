/**
 * How much a session bears: commands before login, failed logins, commands that are not understood (limits.ts).
 *
 * A client that tries things out gets some wrong; a scanner or a client out of step gets nothing right, and is told BYE
 * behind the answer that was one too many.
 */

import type { Completion } from './completion.ts';
import { LOGIN_COMMAND_LIMIT, LOGIN_FAILURE_LIMIT } from './limits.ts';
import { SessionEnd } from './sessionEnd.ts';

/** Counts for one session. */
export class Patience {
  #commandCount = 0;
  #badCommandCount = 0;
  #loginFailureCount = 0;
  readonly #badCommandLimit: number;

  constructor(badCommandLimit: number) {
    this.#badCommandLimit = badCommandLimit;
  }

  /** Commands that have run. */
  get commandCount(): number {
    return this.#commandCount;
  }

  /** A command is about to run. */
  countCommand(): void {
    this.#commandCount += 1;
  }

  /** A login has failed. */
  countLoginFailure(): void {
    this.#loginFailureCount += 1;
  }

  /** A command has been answered. Errors: SessionEnd at a limit. */
  countCompletion({ condition }: Completion, isLoggedIn: boolean): void {
    this.#badCommandCount = condition === 'BAD' ? this.#badCommandCount + 1 : 0;
    if (this.#badCommandCount >= this.#badCommandLimit)
      throw new SessionEnd('abuse', 'Too many bad commands');
    if (this.#loginFailureCount >= LOGIN_FAILURE_LIMIT)
      throw new SessionEnd('abuse', 'Too many failed logins');
    if (!isLoggedIn && this.#commandCount >= LOGIN_COMMAND_LIMIT) {
      throw new SessionEnd('abuse', 'Too many commands before login');
    }
  }
}
