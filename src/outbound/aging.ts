/**
 * Aging: what waits too long is told of after some hours and returned after some days, by the clock.
 *
 * RFC 5321 section 4.5.4.1 (the give-up time). Waiting is no matter of attempts: a hop that is away ages what waits for it. Spared is
 * what an administrator keeps from leaving, and what is overdue because the server was off or the calendar was set: it gets a time
 * of grace first. What somebody has in hands is looked at the next time.
 */

import { type Clock, type Timer, unixMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { NextHop, QueueItem } from '../store/contract/queue.ts';
import type { Queue } from '../store/contract/queueWork.ts';
import type { TraceEvent } from '../store/contract/trace.ts';
import type { Hands } from './hands.ts';
import { AGING_BATCH_ITEMS, AGING_PERIOD_MS, CALENDAR_JUMP_MS, EXPIRY_GRACE_MS } from './limits.ts';
import type { ItemResult, Settling } from './settling.ts';

/** When something has waited too long. */
export interface AgingSchedule {
  /** When an item is given up. */
  readonly expiryMs: number;
  /** When its sender is told that it takes long; 0: never. */
  readonly delayReportMs: number;
}

/** What aging is handed. */
export interface AgingOptions {
  readonly queue: Pick<Queue, 'change' | 'delayed' | 'expired' | 'find' | 'oldestCreatedAt'>;
  readonly settling: Settling;
  readonly hands: Hands;
  schedule(): AgingSchedule;
  /** Hops whose items do not expire. */
  sparedHops(): Promise<readonly NextHop[]>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The clock of what waits. */
export class Aging {
  readonly #options: AgingOptions;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #isClosing = false;
  #calendarOffsetMs: number;
  #graceUntilMs: number;

  constructor(options: AgingOptions) {
    const { clock } = options;
    this.#options = options;
    this.#calendarOffsetMs = clock.now() - clock.monotonic();
    this.#graceUntilMs = clock.monotonic() + EXPIRY_GRACE_MS;
    this.wake();
  }

  /** Something may wait. Returns at once. */
  wake(): void {
    if (this.#isClosing || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.after(AGING_PERIOD_MS, () => {
      this.#looking = this.#look();
    });
  }

  /** Ends after the commit that is under way. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#timer?.clear();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { queue, clock, log, sparedHops } = this.#options;
    let isEmpty = false;
    try {
      await this.#watchCalendar();
      const { expiryMs, delayReportMs } = this.#options.schedule();
      if (delayReportMs > 0)
        await this.#inBatches(
          () => queue.delayed(unixMs(clock.now() - delayReportMs), AGING_BATCH_ITEMS),
          (item) => this.#delayed(item),
        );
      if (clock.monotonic() >= this.#graceUntilMs) {
        const spared = await sparedHops();
        const before = () => unixMs(clock.now() - expiryMs);
        await this.#inBatches(
          () => queue.expired(clock.now(), before(), AGING_BATCH_ITEMS, spared),
          (item) => this.#expired(item),
        );
      }
      isEmpty = (await queue.oldestCreatedAt()) === undefined;
    } catch (error) {
      log.error('outbound.aging.failed', { error });
    }
    this.#timer = undefined;
    if (!isEmpty) this.wake();
  }

  async #inBatches(
    list: () => Promise<readonly QueueItem[]>,
    resultOf: (item: QueueItem) => ItemResult,
  ): Promise<void> {
    while (!this.#isClosing) {
      const listed = await list();
      const free = listed.filter(({ id }) => this.#options.hands.take(this, id) === 'taken');
      try {
        for (const listed of messagesOf(free)) {
          const items = await this.#stillWaiting(listed);
          if (items.length > 0) await this.#options.settling.settle(items.map(resultOf));
        }
      } finally {
        this.#options.hands.release(free.map(({ id }) => id));
      }
      if (free.length === 0 || listed.length < AGING_BATCH_ITEMS) return;
    }
  }

  /** Of what was listed, what is still there as it was: others are told of, and an administrator may have the last word meanwhile. */
  async #stillWaiting(listed: readonly QueueItem[]): Promise<readonly QueueItem[]> {
    const found = await Promise.all(listed.map(({ id }) => this.#options.queue.find(id)));
    return found.filter(
      (item, index) => item !== undefined && item.state === listed[index]?.state,
    ) as QueueItem[];
  }

  /** RFC 3463 section 3.5: X.4.7, delivery time expired, where the true reason is not known any more. */
  #delayed(item: QueueItem): ItemResult {
    const reply = item.lastReply ?? 'It has not been its turn yet';
    const settlement = {
      id: item.id,
      kind: 'delayTold',
      event: this.#event(item, 'delayed', reply),
    } as const;
    const willRetryUntil = item.expiresAt ?? unixMs(item.createdAt + this.#options.schedule().expiryMs);
    return { item, settlement, report: { action: 'delayed', status: '4.4.7', reply, willRetryUntil } };
  }

  #expired(item: QueueItem): ItemResult {
    const reply = item.lastReply ?? 'It could not be sent in time';
    const settlement = {
      id: item.id,
      kind: 'done',
      event: this.#event(item, 'expiredInQueue', reply),
    } as const;
    return { item, settlement, report: { action: 'failed', status: '5.4.7', reply } };
  }

  #event(
    { recipient, nextHop, attempts }: QueueItem,
    kind: 'delayed' | 'expiredInQueue',
    reply: string,
  ): TraceEvent {
    const fields = { recipient, hop: nextHop.kind, name: nextHop.name, reply, attempt: attempts };
    return { at: this.#options.clock.now(), kind, fields };
  }

  /**
   * A calendar that was set: nothing expires for a while, and what was to be tried at a time that is far away now is tried at once.
   */
  async #watchCalendar(): Promise<void> {
    const { clock, log, queue } = this.#options;
    const offsetMs = clock.now() - clock.monotonic();
    const jumpMs = offsetMs - this.#calendarOffsetMs;
    if (Math.abs(jumpMs) <= CALENDAR_JUMP_MS) return;
    this.#calendarOffsetMs = offsetMs;
    this.#graceUntilMs = clock.monotonic() + EXPIRY_GRACE_MS;
    log.warn('outbound.calendar.set', { seconds: Math.round(jumpMs / 1000) });
    if (jumpMs >= 0) return;
    await queue.change({ state: 'waiting' }, { kind: 'retry', by: 'calendar' }, clock.now());
  }
}

/** Items by message and sender, since each sender gets one report of each message. */
function messagesOf(items: readonly QueueItem[]): Iterable<readonly QueueItem[]> {
  return Map.groupBy(items, ({ traceId, reversePath }) => `${traceId} ${reversePath}`).values();
}
