/**
 * The scheduler of one hop: leases what is due in small batches, makes as many attempts at a time as the hop may have, and settles each
 * at once.
 *
 * It works in turns, one at a time, asked for by the change feed, by the end of an attempt, and by one timer for whatever comes next:
 * the next due item, the end of a pause, a probe, the next token of the rate. Nothing is polled. What is leased and waits for its
 * turn goes back to the queue whenever the hop has to wait, so that an administrator finds it there.
 */

import { type Clock, type Timer, unixMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Contents } from '../store/contract/contents.ts';
import type { NextHop, QueueItem } from '../store/contract/queue.ts';
import type { QueueWork } from '../store/contract/queueWork.ts';
import type { Relay } from '../transfer/relay.ts';
import { Allowance } from './allowance.ts';
import { attempt } from './attempt.ts';
import type { HopStatus, RelayLimits } from './contract.ts';
import { transactionsOf } from './grouping.ts';
import type { Hands } from './hands.ts';
import { HopKeeper } from './hopKeeper.ts';
import {
  CLOSE_ABORT_MS,
  LEASE_MS,
  LEASED_MESSAGES_LIMIT,
  LEASED_MESSAGES_PER_TRANSACTION,
  STORE_RETRY_MS,
  TIMER_LIMIT_MS,
  WINDOW_ITEM_LIMIT,
  WINDOW_WAIT_MS,
} from './limits.ts';
import { putBack } from './outcome.ts';
import { RelayInUse } from './relayInUse.ts';
import type { RetrySchedule } from './schedule.ts';
import type { Settling } from './settling.ts';
import { settleSurely } from './sureSettling.ts';
import { TransactionWindow, type WaitingTransaction } from './window.ts';

/** What a scheduler is handed. */
export interface SchedulerOptions {
  readonly nextHop: NextHop;
  readonly queue: Pick<QueueWork, 'due' | 'heldHops' | 'holdHopForTrouble' | 'lease' | 'use'>;
  readonly contents: Pick<Contents, 'open'>;
  readonly settling: Settling;
  readonly hands: Hands;
  /** The room's end: what the store has not taken by then, it will not. A scheduler that ends before the room settles on. */
  readonly closed: AbortSignal;
  schedule(): RetrySchedule;
  /** Answers 0 to below 1. */
  readonly random: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the next turn waits for: something that wakes the scheduler by itself, more items, or so many milliseconds. */
type Next = { readonly kind: 'wake' | 'more' } | { readonly kind: 'time'; readonly waitMs: number };

/** The scheduler of one hop. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #window = new TransactionWindow();
  readonly #keeper: HopKeeper;
  readonly #allowance: Allowance;
  readonly #closing = new AbortController();
  readonly #attempts = new Set<Promise<void>>();
  #limits: RelayLimits;
  #relay: RelayInUse;
  #timer: Timer | undefined;
  #turns: Promise<void> | undefined;
  #isWoken = false;
  #isClosing = false;
  #finished: Promise<void> | undefined;
  #lastRelayedAt: HopStatus['lastRelayedAt'];

  constructor(options: SchedulerOptions, relay: Relay, limits: RelayLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#relay = new RelayInUse(relay, options.log);
    this.#keeper = new HopKeeper(options, limits.connections);
    this.#allowance = new Allowance(options, limits);
  }

  /** Its hop, for the log: `relay` or `drop` with its name. */
  get #named(): Readonly<Record<string, string>> {
    const { kind, name } = this.#options.nextHop;
    return { [kind]: name };
  }

  /** The relay that attempts go through. */
  get relay(): Relay {
    return this.#relay.relay;
  }

  /** Something of the hop may have changed: items, or who holds it. Returns at once. */
  wake(): void {
    this.#keeper.holdMayHaveChanged();
    this.#takeTurn();
  }

  /** Takes another relay; attempts under way end on the old one. */
  change(relay: Relay, limits: RelayLimits): void {
    this.#relay.retire();
    this.#relay = new RelayInUse(relay, this.#options.log);
    this.#limits = limits;
    this.#allowance.change(limits);
    this.retry();
  }

  /** Ends a pause, or tries a hop that is held for its trouble. */
  retry(): void {
    this.#keeper.change(this.#limits.connections);
    this.#takeTurn();
  }

  /** For an administrator. */
  status(): Omit<HopStatus, 'nextHop' | 'kind' | 'items'> {
    const alarms = [this.#keeper.alarm(), this.#allowance.alarm()];
    return {
      standing: this.#keeper.standing(),
      underWay: this.#window.attempts,
      connections: this.#keeper.concurrency,
      today: this.#allowance.today(),
      lastRelayedAt: this.#lastRelayedAt,
      alarms: alarms.filter((alarm) => alarm !== undefined),
    };
  }

  /** Waits for attempts, then ends them, within `deadlineMs`, or sooner where it is asked again; what does not end by then is put back at the next start. */
  async close(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    this.#isClosing = true;
    this.#timer?.clear();
    const aborting = clock.after(deadlineMs - Math.min(CLOSE_ABORT_MS, deadlineMs / 3), () =>
      this.#closing.abort(),
    );
    const over = Promise.withResolvers<void>();
    const ending = clock.after(deadlineMs, over.resolve);
    await Promise.race([this.finished(), over.promise]);
    this.#closing.abort();
    aborting.clear();
    ending.clear();
    this.#relay.retire();
  }

  /** When all of it has ended and is settled, which a store in trouble may put off beyond the deadline. Asked once it closes. */
  finished(): Promise<void> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<void> {
    await this.#turns;
    await this.#putBack(this.#window.takeAll());
    await Promise.allSettled(this.#attempts);
  }

  #takeTurn(): void {
    this.#isWoken = true;
    if (this.#isClosing || this.#turns !== undefined) return;
    this.#turns = this.#takeTurns().finally(() => {
      this.#turns = undefined;
      if (this.#isWoken) this.#takeTurn();
    });
  }

  async #takeTurns(): Promise<void> {
    while (this.#isWoken && !this.#isClosing) {
      this.#isWoken = false;
      this.#timer?.clear();
      try {
        this.#wakeLater(await this.#turn());
      } catch (error) {
        this.#options.log.error('outbound.turn.failed', { ...this.#named, error });
        this.#wakeLater({ kind: 'time', waitMs: STORE_RETRY_MS });
      }
    }
  }

  #wakeLater(next: Next): void {
    if (next.kind !== 'time' || this.#isClosing) return;
    const waitMs = Math.min(Math.max(1, next.waitMs), TIMER_LIMIT_MS);
    this.#timer = this.#options.clock.after(waitMs, () => this.#takeTurn());
  }

  async #turn(): Promise<Next> {
    const { clock } = this.#options;
    await this.#keeper.keep();
    await this.#allowance.keep();
    await this.#putBack(this.#window.takeLate(clock.monotonic()));
    for (;;) {
      const next = this.#beginWhatMay();
      if (this.#keeper.limit === 0) await this.#putBack(this.#window.takeAll());
      if (next.kind !== 'more' || this.#isClosing) return next;
      const leased = await this.#lease();
      if (leased.kind !== 'more') return leased;
    }
  }

  /** Begins transactions as long as there is one that may. */
  #beginWhatMay(): Next {
    for (;;) {
      const limit = this.#keeper.limit;
      if (limit === 0) return this.#whenHopMay();
      if (this.#window.attempts >= limit) return { kind: 'wake' };
      const transaction = this.#window.next();
      if (transaction === undefined)
        return { kind: this.#window.items < WINDOW_ITEM_LIMIT ? 'more' : 'wake' };
      const allowed = this.#allowance.ask(transaction.items.length);
      switch (allowed.kind) {
        case 'now':
          this.#begin(transaction);
          break;
        case 'later':
          return { kind: 'time', waitMs: allowed.waitMs };
        case 'afterOthers':
          return { kind: 'wake' };
        case 'tomorrow':
          this.#keeper.dayUsed(allowed.waitMs, this.#limits.recipientsPerDay);
      }
    }
  }

  #whenHopMay(): Next {
    const untilMs = this.#keeper.waitsUntilMs;
    if (untilMs === undefined) return { kind: 'wake' };
    return { kind: 'time', waitMs: untilMs - this.#options.clock.monotonic() };
  }

  /** Leases what is due; `more` when something came into the window. */
  async #lease(): Promise<Next> {
    const { queue, nextHop, clock, hands } = this.#options;
    const due = (await queue.due()).find((hop) => isSame(hop.nextHop, nextHop));
    if (due === undefined) return { kind: 'wake' };
    const now = clock.now();
    if (due.earliestAt > now) return { kind: 'time', waitMs: due.earliestAt - now };
    const messages = await queue.lease({
      nextHop,
      now,
      leasedUntil: unixMs(now + LEASE_MS),
      messageLimit: Math.min(LEASED_MESSAGES_LIMIT, LEASED_MESSAGES_PER_TRANSACTION * this.#keeper.limit),
      recipientLimit: this.#allowance.recipientLimit,
    });
    const beginsBeforeMs = clock.monotonic() + WINDOW_WAIT_MS;
    const foreign: QueueItem[] = [];
    for (const message of messages) {
      const taken = message.filter((item) => {
        const taking = hands.take(this, item.id);
        if (taking === 'others') foreign.push(item);
        return taking === 'taken';
      });
      const [first, ...others] = taken;
      if (first === undefined) continue;
      const transactions = transactionsOf([first, ...others], this.#allowance.recipientLimit);
      this.#window.add(transactions.map((transaction) => ({ ...transaction, beginsBeforeMs })));
    }
    // Not due at once, or it would be leased and put back again and again until the other one lets go.
    const later = unixMs(clock.now() + STORE_RETRY_MS);
    await this.#settle(foreign.map((item) => putBack({ ...item, nextAttemptAt: later })));
    return messages.length > 0 ? { kind: 'more' } : { kind: 'wake' };
  }

  #begin(transaction: WaitingTransaction): void {
    this.#window.begin(transaction);
    const running = this.#attempt(transaction)
      .catch((error: unknown) => {
        this.#options.log.error('outbound.attempt.failed', { ...this.#named, error });
      })
      .finally(() => {
        this.#window.end(transaction);
        this.#attempts.delete(running);
        this.#takeTurn();
      });
    this.#attempts.add(running);
  }

  async #attempt(transaction: WaitingTransaction): Promise<void> {
    const { items } = transaction;
    const { hands, log } = this.#options;
    const counted = this.#allowance.begin(items.length);
    const inUse = this.#relay.begin();
    const { epoch } = this.#keeper;
    const surroundings = { ...this.#options, schedule: this.#options.schedule() };
    const end = await attempt(surroundings, inUse.relay, transaction, this.#closing.signal);
    // The window for a second delivery is open from the hop's answer to this commit: nothing else comes before it.
    const settling = this.#settle(end.results, counted.end(end.relayed));
    inUse.end();
    this.#keeper.learn(end, epoch);
    if (end.relayed > 0) this.#lastRelayedAt = end.endedAt;
    log.info('outbound.attempt.ended', {
      trace: items[0]?.traceId,
      ...this.#named,
      recipients: items.length,
      relayed: end.relayed,
      trouble: end.trouble?.kind,
    });
    if (await settling) hands.release(items.map(({ id }) => id));
  }

  async #putBack(items: readonly QueueItem[]): Promise<void> {
    if (await this.#settle(items.map(putBack))) this.#options.hands.release(items.map(({ id }) => id));
  }

  #settle(...[results, use]: Parameters<Settling['settle']>): Promise<boolean> {
    return settleSurely(this.#options, results, use);
  }
}

function isSame(left: NextHop, right: NextHop): boolean {
  return left.kind === right.kind && left.name === right.name;
}
