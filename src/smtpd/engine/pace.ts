/**
 * How long a client may go on with its message: each octet buys a little time, of which no more than DATA_GRACE_MS can be saved up.
 *
 * A client may pause for 3 minutes between blocks (RFC 5321 section 4.5.3.2.5), so nobody is cut off before the grace is over; an
 * average over the whole message alone would let a client that sends 100 MB at once stay for two days.
 */

import { DATA_GRACE_MS, DATA_RATE_OCTETS_PER_SECOND } from '../limits.ts';
import type { MessageBody } from './messageBody.ts';

/** The pace of one message. */
export class Pace {
  readonly body: MessageBody;
  #dueMs: number;
  #receivedBefore: number;
  #heldBeforeMs: number;

  /** A message that begins, or whose first octets count from now on, at `nowMs`. */
  constructor(body: MessageBody, nowMs: number) {
    this.body = body;
    this.#dueMs = nowMs + DATA_GRACE_MS;
    this.#receivedBefore = body.received;
    this.#heldBeforeMs = body.heldMs;
  }

  /** When the message is too slow, unless `extend` finds more of it then. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Counts what has come since the last time, and the time for which we kept the client waiting. */
  extend(): void {
    const { received, heldMs } = this.body;
    const boughtMs = ((received - this.#receivedBefore) / DATA_RATE_OCTETS_PER_SECOND) * 1000;
    this.#dueMs += Math.min(DATA_GRACE_MS, boughtMs) + (heldMs - this.#heldBeforeMs);
    this.#receivedBefore = received;
    this.#heldBeforeMs = heldMs;
  }
}
