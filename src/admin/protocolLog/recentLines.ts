/**
 * The last lines in memory, for readers that follow: each asks again and again for what came since, so that a reader that
 * stalls costs nothing and misses lines, which it is told.
 */

import type { Clock } from '../../base/clock.ts';
import { MailError } from '../../base/error.ts';
import { FOLLOW_BATCH_LINES, FOLLOW_WAIT_MS, FOLLOWER_LIMIT, RECENT_LIMIT } from './limits.ts';
import type { ProtocolLine } from './line.ts';

/** What came since a place. */
export interface FollowedLines {
  readonly lines: readonly ProtocolLine[];
  /** The place to ask from next. */
  readonly next: number;
  /** Lines that are gone already. */
  readonly missed: number;
}

/** The newest lines. */
export class RecentLines {
  readonly #clock: Clock;
  #lines: ProtocolLine[] = [];
  #firstNumber = 0;
  readonly #waiters = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a line and wakes who waits for one. */
  add(line: ProtocolLine): void {
    this.#lines.push(line);
    // In halves, since each shift moves all of them.
    if (this.#lines.length >= 2 * RECENT_LIMIT) {
      this.#lines = this.#lines.slice(-RECENT_LIMIT);
      this.#firstNumber += RECENT_LIMIT;
    }
    this.#wakeAll();
  }

  /** What came since `place`, or, without one, the place that is now. Waits for a line, not for ever. Errors: `tooBusy`. */
  async since(place: number | undefined): Promise<FollowedLines> {
    const end = this.#firstNumber + this.#lines.length;
    if (place === undefined) return { lines: [], next: end, missed: 0 };
    if (place >= end) await this.#arrival();
    const first = Math.max(place, this.#firstNumber);
    const from = first - this.#firstNumber;
    const lines = this.#lines.slice(from, from + FOLLOW_BATCH_LINES);
    return { lines, next: first + lines.length, missed: first - place };
  }

  /** Lets nobody wait any more. */
  close(): void {
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  #arrival(): Promise<void> {
    if (this.#waiters.size >= FOLLOWER_LIMIT)
      throw new MailError('tooBusy', `${FOLLOWER_LIMIT} readers follow the protocol log already`);
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(wake);
        timer.clear();
        resolve();
      };
      const timer = this.#clock.after(FOLLOW_WAIT_MS, wake);
      this.#waiters.add(wake);
    });
  }
}
