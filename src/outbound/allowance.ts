/**
 * The allowance of one hop: its messages a minute and its recipients a day, as far as they are used.
 *
 * The day's use comes from the store, so that a restart does not begin it anew; the scheduler asks for `keep` before it begins
 * anything. An administrator is told once when a day is nearly, and once when it is quite used up.
 */

import { calendarDay, calendarDayEnd } from '../base/calendarDay.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { MessageRate } from '../base/messageRate.ts';
import type { NextHop } from '../store/contract/queue.ts';
import type { HopUse, QueueWork } from '../store/contract/queueWork.ts';
import type { RelayLimits } from './contract.ts';
import { type DayLevel, DayUse } from './dayUse.ts';

/** What an allowance needs. */
export interface AllowanceOptions {
  readonly nextHop: NextHop;
  readonly queue: Pick<QueueWork, 'use'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whether a transaction may begin. */
export type Allowed =
  | { readonly kind: 'now' }
  /** The rate has no token: in so many milliseconds. */
  | { readonly kind: 'later'; readonly waitMs: number }
  /** What is under way may use up the day. */
  | { readonly kind: 'afterOthers' }
  /** The day is used up: in so many milliseconds. */
  | { readonly kind: 'tomorrow'; readonly waitMs: number };

/** A transaction that was counted as begun. */
export interface CountedTransaction {
  /** It has ended; answers what the store is to count, undefined for nothing. */
  end(relayed: number): HopUse | undefined;
}

/** Rate and day of a hop. */
export class Allowance {
  readonly #options: AllowanceOptions;
  #limits: RelayLimits;
  #rate: MessageRate;
  #day: DayUse | undefined;
  #told: DayLevel = 'free';

  constructor(options: AllowanceOptions, limits: RelayLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#rate = new MessageRate(limits.messagesPerMinute, options.clock.monotonic());
  }

  /** Recipients of one transaction at most. */
  get recipientLimit(): number {
    const { recipientsPerMessage, recipientsPerDay } = this.#limits;
    return recipientsPerDay === 0 ? recipientsPerMessage : Math.min(recipientsPerMessage, recipientsPerDay);
  }

  /** Takes other limits; what a day has used stays. */
  change(limits: RelayLimits): void {
    if (limits.messagesPerMinute !== this.#limits.messagesPerMinute)
      this.#rate = new MessageRate(limits.messagesPerMinute, this.#options.clock.monotonic());
    this.#limits = limits;
    this.#day?.reopen();
    this.#told = 'free';
  }

  /** Begins a new day where there is one. Errors: the store's. */
  async keep(): Promise<void> {
    const { queue, nextHop, clock } = this.#options;
    const day = calendarDay(clock.now());
    if (this.#day?.day === day) return;
    const { recipients } = await queue.use(nextHop, day);
    this.#day = new DayUse(day, recipients);
    this.#told = 'free';
    this.#tell();
  }

  /** Whether a transaction with so many recipients may begin. */
  ask(recipients: number): Allowed {
    const { clock } = this.#options;
    const limit = this.#limits.recipientsPerDay;
    const day = this.#day;
    if (day !== undefined && !day.mayTry(recipients, limit)) {
      this.#tell();
      if (day.level(limit) !== 'used') return { kind: 'afterOthers' };
      return { kind: 'tomorrow', waitMs: calendarDayEnd(clock.now()) - clock.now() };
    }
    const waitMs = this.#rate.waitMs(clock.monotonic());
    return waitMs === 0 ? { kind: 'now' } : { kind: 'later', waitMs };
  }

  /** Counts a transaction that begins. */
  begin(recipients: number): CountedTransaction {
    const { nextHop, clock } = this.#options;
    this.#rate.take(clock.monotonic());
    const day = this.#day;
    day?.begin(recipients);
    return {
      end: (relayed) => {
        day?.end(recipients, relayed);
        this.#tell();
        if (day === undefined || relayed === 0) return undefined;
        return { nextHop, day: day.day, messages: 1, recipients: relayed };
      },
    };
  }

  /** Recipients of today; undefined as long as they are not known. */
  today(): { readonly recipients: number; readonly limit: number } | undefined {
    const { recipientsPerDay: limit } = this.#limits;
    return this.#day && { recipients: this.#day.relayed, limit };
  }

  /** What an administrator should read now. */
  alarm(): string | undefined {
    const { recipientsPerDay: limit } = this.#limits;
    const { kind, name } = this.#options.nextHop;
    switch (this.#day?.level(limit)) {
      case 'used':
        return `${kind} ${name} has used up the ${limit} recipients of today; what waits goes on tomorrow`;
      case 'nearlyUsed':
        return `${kind} ${name} has used ${this.#day?.relayed} of the ${limit} recipients of today`;
      default:
        return undefined;
    }
  }

  #tell(): void {
    const limit = this.#limits.recipientsPerDay;
    const level = this.#day?.level(limit) ?? 'free';
    if (level === this.#told || level === 'free') return;
    this.#told = level;
    const { kind, name } = this.#options.nextHop;
    const fields = { [kind]: name, recipients: this.#day?.relayed, limit };
    this.#options.log.warn(level === 'used' ? 'outbound.day.used' : 'outbound.day.nearlyUsed', fields);
  }
}
