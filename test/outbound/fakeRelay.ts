/**
 * A next hop in the hands of a test: answers as it is told, and keeps what it was asked, how many transactions it had at a time, and
 * whether it was closed.
 */

import type { UnixMs } from '../../src/base/clock.ts';
import type { HopTrouble, Relay, RelayCheck, RelayedMessage, RelayResult } from '../../src/transfer/relay.ts';
import type { TestClock } from '../support/clock.ts';

/** What it was asked once. */
export interface FakeAttempt {
  readonly at: UnixMs;
  readonly message: RelayedMessage;
  readonly recipients: readonly string[];
}

/** How it answers. */
export type FakeAnswer = (message: RelayedMessage, signal: AbortSignal) => RelayResult | Promise<RelayResult>;

/** A relay of which each answer is the test's. */
export class FakeRelay implements Relay {
  readonly name: string;
  readonly attempts: FakeAttempt[] = [];
  /** Faults that were seen: two attempts for one sender and recipient at a time, or one after it was closed. */
  readonly faults: string[] = [];
  answer: FakeAnswer = takeAll;
  underWay = 0;
  mostUnderWay = 0;
  isClosed = false;
  readonly #clock: TestClock;
  readonly #pairs = new Set<string>();

  constructor(name: string, clock: TestClock) {
    this.name = name;
    this.#clock = clock;
  }

  /** Recipients of all attempts, in their order. */
  get asked(): readonly (readonly string[])[] {
    return this.attempts.map(({ recipients }) => recipients);
  }

  async relay(message: RelayedMessage, signal: AbortSignal): Promise<RelayResult> {
    if (this.isClosed) this.faults.push('asked after its end');
    const recipients = message.recipients.map(({ address }) => address);
    const pairs = recipients.map((recipient) => `${message.reversePath} ${recipient}`);
    for (const pair of pairs)
      if (this.#pairs.has(pair)) this.faults.push(`two attempts at a time: ${pair}`);
      else this.#pairs.add(pair);
    this.attempts.push({ at: this.#clock.now(), message, recipients });
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      return await this.answer(message, signal);
    } finally {
      this.underWay -= 1;
      for (const pair of pairs) this.#pairs.delete(pair);
    }
  }

  async check(): Promise<RelayCheck> {
    return { isReady: true, steps: ['connected'] };
  }

  async close(): Promise<void> {
    if (this.underWay > 0) this.faults.push('closed under an attempt');
    this.isClosed = true;
  }
}

/** Takes every recipient. */
export function takeAll({ recipients }: RelayedMessage): RelayResult {
  return {
    outcomes: recipients.map(() => ({
      kind: 'relayed',
      reply: '250 2.0.0 OK',
      server: 'hop.example',
      tellsSender: true,
    })),
  };
}

/** Defers every recipient. */
export function deferAll({ recipients }: RelayedMessage): RelayResult {
  return {
    outcomes: recipients.map(() => ({ kind: 'deferred', reply: '450 4.2.0 Greylisted', status: '4.2.0' })),
  };
}

/** Answers that the hop itself is in trouble. */
export function troubled(trouble: HopTrouble): FakeAnswer {
  return ({ recipients }) => ({ outcomes: recipients.map(() => ({ kind: 'untried' })), trouble });
}
