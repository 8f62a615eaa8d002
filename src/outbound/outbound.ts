/**
 * The door of the room: a scheduler for each configured relay, aging for all that waits, and one ear at the change feed.
 *
 * At its start everything that is leased goes back to the queue, since nobody else can be at work. What waits for a hop that is not in
 * the configuration stays as it is and does not expire, until a configuration has it or an administrator sends it elsewhere.
 */

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import type { NextHop, QueueCount, QueueState } from '../store/contract/queue.ts';
import type { Store } from '../store/contract/store.ts';
import type { Relay } from '../transfer/relay.ts';
import { Aging } from './aging.ts';
import type { HopStatus, Outbound, QueueSchedule, RelayOptions } from './contract.ts';
import { Hands } from './hands.ts';
import { REMOVED_RELAY_DEADLINE_MS } from './limits.ts';
import { Scheduler } from './scheduler.ts';
import type { Settling } from './settling.ts';

/** What the room is handed. */
export interface OutboundOptions {
  readonly store: Pick<Store, 'contents' | 'feed' | 'queue'>;
  readonly settling: Settling;
  readonly relays: readonly RelayOptions[];
  readonly schedule: QueueSchedule;
  createRelay(options: RelayOptions): Relay;
  /** Answers 0 to below 1; for the jitter of retries. */
  random(): number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A relay with its scheduler. */
interface ConfiguredRelay {
  readonly options: RelayOptions;
  readonly scheduler: Scheduler;
}

/** Opens the room and begins to send. Errors: the store's, and those of making a relay. */
export async function openOutbound(options: OutboundOptions): Promise<Outbound> {
  await options.store.queue.releaseLeases();
  const room = new Room(options);
  room.configure(options.relays);
  return {
    relays: () => room.relays(),
    reconfigure: (relays) => room.configure(relays),
    reschedule: (schedule) => room.reschedule(schedule),
    checkHop: async (nextHop, signal) => room.find(nextHop)?.scheduler.relay.check(signal),
    retryHop: (nextHop) => room.retry(nextHop),
    close: (deadlineMs) => room.close(deadlineMs),
  };
}

class Room {
  readonly #options: OutboundOptions;
  readonly #hands = new Hands();
  readonly #aging: Aging;
  readonly #unsubscribe: () => void;
  readonly #closed = new AbortController();
  /** Schedulers of relays that are not configured any more, until what they did is settled. */
  readonly #ending = new Set<Scheduler>();
  #schedule: QueueSchedule;
  /** By `keyOf`. */
  #relays: ReadonlyMap<string, ConfiguredRelay> = new Map();

  constructor(options: OutboundOptions) {
    const { store, settling, clock, log } = options;
    this.#options = options;
    this.#schedule = options.schedule;
    this.#aging = new Aging({
      queue: store.queue,
      settling,
      hands: this.#hands,
      schedule: () => this.#schedule,
      sparedHops: () => this.#sparedHops(),
      clock,
      log,
    });
    this.#unsubscribe = store.feed.subscribe(({ kind }) => {
      if (kind !== 'queue') return;
      this.#aging.wake();
      for (const { scheduler } of this.#relays.values()) scheduler.wake();
    });
  }

  find(nextHop: NextHop): ConfiguredRelay | undefined {
    return this.#relays.get(keyOf(nextHop));
  }

  retry(nextHop: NextHop): boolean {
    const found = this.find(nextHop);
    found?.scheduler.retry();
    return found !== undefined;
  }

  reschedule(schedule: QueueSchedule): void {
    this.#schedule = schedule;
  }

  /** Relays that cannot be made leave everything as it is. */
  configure(relays: readonly RelayOptions[]): void {
    const before = this.#relays;
    const made = relays.map((options) => {
      const isSame = before.get(keyOf(hopOf(options)))?.options === options;
      return { options, relay: isSame ? undefined : this.#options.createRelay(options) };
    });
    this.#relays = new Map(
      made.map(({ options, relay }) => [keyOf(hopOf(options)), this.#configured(options, relay)]),
    );
    for (const [key, { scheduler }] of before) if (!this.#relays.has(key)) this.#end(scheduler);
  }

  async relays(): Promise<readonly HopStatus[]> {
    const counts = await this.#options.store.queue.count();
    const configured = [...this.#relays.values()].map(({ options, scheduler }): HopStatus => {
      const nextHop = hopOf(options);
      return { nextHop, kind: options.kind, items: itemsOf(counts, nextHop), ...scheduler.status() };
    });
    const missing = counts.filter(({ nextHop }) => this.#isMissing(nextHop));
    const hops = new Map(missing.map(({ nextHop }) => [keyOf(nextHop), nextHop]));
    return [...configured, ...[...hops.values()].map((nextHop) => missingStatus(nextHop, counts))];
  }

  async close(deadlineMs: number): Promise<void> {
    this.#unsubscribe();
    const schedulers = [...[...this.#relays.values()].map(({ scheduler }) => scheduler), ...this.#ending];
    await Promise.all([this.#aging.close(), ...schedulers.map((scheduler) => scheduler.close(deadlineMs))]);
    this.#closed.abort();
  }

  /** `relay` is undefined where the one of before stays. */
  #configured(options: RelayOptions, relay: Relay | undefined): ConfiguredRelay {
    const before = this.find(hopOf(options));
    if (before === undefined) {
      if (relay === undefined) throw new MailError('internal', `relay ${options.name} was not made`);
      return { options, scheduler: this.#createScheduler(options, relay) };
    }
    if (relay !== undefined) before.scheduler.change(relay, options.limits);
    return { options, scheduler: before.scheduler };
  }

  #createScheduler(options: RelayOptions, relay: Relay): Scheduler {
    const { store, settling, random, clock, log } = this.#options;
    const scheduler = new Scheduler(
      {
        nextHop: hopOf(options),
        queue: store.queue,
        contents: store.contents,
        settling,
        hands: this.#hands,
        closed: this.#closed.signal,
        schedule: () => this.#schedule,
        random,
        clock,
        log,
      },
      relay,
      options.limits,
    );
    scheduler.wake();
    return scheduler;
  }

  #end(scheduler: Scheduler): void {
    this.#ending.add(scheduler);
    void scheduler
      .close(REMOVED_RELAY_DEADLINE_MS)
      .then(() => scheduler.finished())
      .finally(() => this.#ending.delete(scheduler));
  }

  /** Hops that an administrator holds, and those that are not configured. */
  async #sparedHops(): Promise<readonly NextHop[]> {
    const { queue } = this.#options.store;
    const held = (await queue.heldHops()).filter(({ by }) => by === 'administrator');
    const missing = (await queue.due()).filter(({ nextHop }) => this.#isMissing(nextHop));
    for (const { nextHop } of missing) this.#options.log.warn('outbound.relay.missing', { ...nextHop });
    return [...held, ...missing].map(({ nextHop }) => nextHop);
  }

  #isMissing(nextHop: NextHop): boolean {
    return this.find(nextHop) === undefined;
  }
}

/** What items that go by it name. */
function hopOf({ kind, name }: RelayOptions): NextHop {
  return { kind: kind === 'drop' ? 'drop' : 'relay', name };
}

/** A relay and a drop directory may have the same name. */
function keyOf({ kind, name }: NextHop): string {
  return `${kind} ${name}`;
}

function missingStatus(nextHop: NextHop, counts: readonly QueueCount[]): HopStatus {
  const where = `${nextHop.kind} ${nextHop.name}`;
  return {
    nextHop,
    kind: undefined,
    standing: { kind: 'missing' },
    items: itemsOf(counts, nextHop),
    underWay: 0,
    connections: 0,
    today: undefined,
    lastRelayedAt: undefined,
    alarms: [
      `${where} is not in the configuration, and mail waits for it: add it, or send the mail elsewhere`,
    ],
  };
}

function itemsOf(counts: readonly QueueCount[], { kind, name }: NextHop): Record<QueueState, number> {
  const items: Record<QueueState, number> = { waiting: 0, leased: 0, held: 0 };
  for (const count of counts)
    if (count.nextHop.kind === kind && count.nextHop.name === name) items[count.state] += count.items;
  return items;
}
