/**
 * How long a session may take for what it is at. Dribbling resets nothing: only a complete command, an accepted message and
 * octets of one at a fair pace do.
 *
 * One timer for each session, set again when it runs and the time has moved on; a command costs an assignment.
 */

import type { Clock, Timer } from '../../base/clock.ts';
import { COMMAND_DEADLINE_MS, PROGRESS_DEADLINE_MS, SESSION_DEADLINE_MS } from '../limits.ts';
import type { MessageBody } from './messageBody.ts';
import { Pace } from './pace.ts';

/** What took too long. */
export type Overdue = 'command' | 'progress' | 'data' | 'session';

/** What the client is told. */
export const OVERDUE_TEXTS: Readonly<Record<Overdue, string>> = {
  command: 'Too long without a command',
  progress: 'Too long without a message',
  data: 'The message comes too slowly',
  session: 'The session has lasted too long',
};

/** What the session waits for: the client's next command, octets of its message, or us. */
type Wait =
  | { readonly kind: 'command'; readonly sinceMs: number }
  | { readonly kind: 'data' }
  | { readonly kind: 'us' };

/** The deadlines of one session. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #onOverdue: (what: Overdue) => void;
  readonly #beganMs: number;
  #wait: Wait;
  #progressMs: number;
  /** Of the message under way, from its first octet to its last; commands between its chunks change nothing. */
  #pace: Pace | undefined;
  #isStopped = false;
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

  /** The client is to send `body`, or more of it. */
  awaitData(body: MessageBody): void {
    if (this.#pace?.body !== body) this.#pace = new Pace(body, this.#clock.monotonic());
    this.#wait = { kind: 'data' };
    this.#setTimer();
  }

  /** The client has to wait for us; what we do has deadlines of its own. */
  awaitUs(): void {
    this.#wait = { kind: 'us' };
  }

  /** No more of the message is to come. */
  endData(): void {
    this.#pace = undefined;
  }

  /** A message was accepted. */
  noteProgress(): void {
    this.#progressMs = this.#clock.monotonic();
  }

  /** Ends all deadlines. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #due(): Due {
    const wait = this.#wait;
    if (wait.kind === 'us') return { what: 'session', atMs: Number.POSITIVE_INFINITY };
    const session: Due = { what: 'session', atMs: this.#beganMs + SESSION_DEADLINE_MS };
    const message: Due =
      this.#pace === undefined
        ? { what: 'progress', atMs: this.#progressMs + PROGRESS_DEADLINE_MS }
        : { what: 'data', atMs: this.#pace.dueMs };
    if (wait.kind === 'data') return earliest(message, session);
    const command: Due = { what: 'command', atMs: wait.sinceMs + COMMAND_DEADLINE_MS };
    return earliest(earliest(command, message), session);
  }

  #setTimer(): void {
    if (this.#isStopped) return;
    const { atMs } = this.#due();
    if (this.#timer !== undefined && this.#timerDueMs <= atMs) return;
    this.#timer?.clear();
    this.#timerDueMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonic()), () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    if (this.#pace !== undefined && this.#pace.dueMs <= nowMs) this.#pace.extend();
    const { what, atMs } = this.#due();
    if (atMs === Number.POSITIVE_INFINITY) return;
    if (nowMs < atMs) this.#setTimer();
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
