/**
 * How long a session may take for what it is at. Dribbling resets nothing: only a complete command, an accepted message or
 * enough octets of one do.
 *
 * One timer for each session, set again when it runs and the time has moved on; a command costs an assignment.
 */

import type { Clock, Timer } from '../../base/clock.ts';
import {
  COMMAND_DEADLINE_MS,
  DATA_GRACE_MS,
  DATA_RATE_OCTETS_PER_SECOND,
  PROGRESS_DEADLINE_MS,
  SESSION_DEADLINE_MS,
} from '../limits.ts';
import type { MessageBody } from './messageBody.ts';

/** What took too long. */
export type Overdue = 'command' | 'progress' | 'data' | 'session';

/** What the client is told. */
export const OVERDUE_TEXTS: Readonly<Record<Overdue, string>> = {
  command: 'Too long without a command',
  progress: 'Too long without a message',
  data: 'The message comes too slowly',
  session: 'The session has lasted too long',
};

/** What the session waits for: the client's next command, its data, or us. */
type Wait =
  | { readonly kind: 'command'; readonly sinceMs: number }
  | { readonly kind: 'data'; readonly sinceMs: number; readonly body: MessageBody }
  | { readonly kind: 'us' };

/** The deadlines of one session. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #onOverdue: (what: Overdue) => void;
  readonly #beganMs: number;
  #wait: Wait;
  #progressMs: number;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  /** Waits for the first command. `onOverdue` is called once. */
  constructor(clock: Clock, onOverdue: (what: Overdue) => void) {
    this.#clock = clock;
    this.#onOverdue = onOverdue;
    this.#beganMs = clock.monotonic();
    this.#progressMs = this.#beganMs;
    this.#wait = { kind: 'command', sinceMs: this.#beganMs };
    this.#setTimer();
  }

  /** A complete command has come, or its answer has gone: the next one is due. */
  awaitCommand(): void {
    this.#wait = { kind: 'command', sinceMs: this.#clock.monotonic() };
    this.#setTimer();
  }

  /** The client is to send `body`. */
  awaitData(body: MessageBody): void {
    this.#wait = { kind: 'data', sinceMs: this.#clock.monotonic(), body };
    this.#setTimer();
  }

  /** The client has to wait for us; what we do has deadlines of its own. */
  awaitUs(): void {
    this.#wait = { kind: 'us' };
  }

  /** A message was accepted. */
  noteProgress(): void {
    this.#progressMs = this.#clock.monotonic();
  }

  /** Ends all deadlines. */
  stop(): void {
    this.#wait = { kind: 'us' };
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #due(): Due {
    const wait = this.#wait;
    const session: Due = { what: 'session', atMs: this.#beganMs + SESSION_DEADLINE_MS };
    switch (wait.kind) {
      case 'us':
        return { what: 'session', atMs: Number.POSITIVE_INFINITY };
      case 'command': {
        const command: Due = { what: 'command', atMs: wait.sinceMs + COMMAND_DEADLINE_MS };
        const progress: Due = { what: 'progress', atMs: this.#progressMs + PROGRESS_DEADLINE_MS };
        return earliest(earliest(command, progress), session);
      }
      case 'data': {
        const paidMs = (wait.body.received / DATA_RATE_OCTETS_PER_SECOND) * 1000;
        const atMs = wait.sinceMs + wait.body.heldMs + Math.max(DATA_GRACE_MS, paidMs);
        return earliest({ what: 'data', atMs }, session);
      }
    }
  }

  #setTimer(): void {
    const { atMs } = this.#due();
    if (this.#timer !== undefined && this.#timerDueMs <= atMs) return;
    this.#timer?.clear();
    this.#timerDueMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonic()), () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const { what, atMs } = this.#due();
    if (atMs === Number.POSITIVE_INFINITY) return;
    if (this.#clock.monotonic() < atMs) this.#setTimer();
    else this.#onOverdue(what);
  }
}

/** What will be overdue, and when. */
interface Due {
  readonly what: Overdue;
  readonly atMs: number;
}

function earliest(one: Due, other: Due): Due {
  return other.atMs < one.atMs ? other : one;
}
