/**
 * The outbound room on a real store with a clock and next hops in the hands of a test.
 *
 * `idle` is when everything that was begun has come to its end or waits for the clock: it looks until nothing changes any more.
 */

import type { Test } from 'tap';

import { newTraceId, type TraceId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { yieldTurn } from '../../src/base/pacer.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/base/units.ts';
import type { NextHop, PlannedQueueItem, QueueItem } from '../../src/store/contract/queue.ts';
import type { SqliteStore } from '../../src/store/sqlite/open.ts';
import type { Relay } from '../../src/transfer/relay.ts';
import type {
  HopStatus,
  Outbound,
  QueueSchedule,
  RelayLimits,
  RelayOptions,
} from '../../src/outbound/contract.ts';
import { openOutbound } from '../../src/outbound/outbound.ts';
import type { ItemResult, Settling } from '../../src/outbound/settling.ts';
import { createDataDirectory, type DataDirectory } from '../store/dataDirectory.ts';
import type { TestClock } from '../support/clock.ts';
import { type FakeAnswer, FakeRelay, takeAll } from './fakeRelay.ts';

/** No limits but those that there must be. */
export const LIMITS: RelayLimits = {
  connections: 3,
  messagesPerMinute: 0,
  recipientsPerDay: 0,
  recipientsPerMessage: 100,
  sizeLimitOctets: 1_000_000,
};

/** The defaults of the configuration. */
export const SCHEDULE: QueueSchedule = {
  firstRetryMs: MINUTE_MS,
  longestRetryMs: HOUR_MS,
  expiryMs: 2 * DAY_MS,
  delayReportMs: 4 * HOUR_MS,
};

/** What a message of the rig is. */
export interface RigMessage extends Partial<Omit<PlannedQueueItem, 'recipient'>> {
  readonly to: readonly string[];
  readonly octets?: Buffer;
  readonly returnPathOctets?: number;
}

/** How a rig begins. */
export interface RigOptions {
  readonly limits?: Partial<RelayLimits>;
  readonly schedule?: Partial<QueueSchedule>;
  /** 0.5 unless given: no jitter. */
  readonly random?: () => number;
  /** In place of relays in the test's hands; `idle` does not wait for these. */
  readonly createRelay?: (options: RelayOptions) => Relay;
}

/** A store, and the clock that it goes by. */
export interface RigHouse {
  readonly clock: TestClock;
  readonly store: SqliteStore;
}

/** A store of `t`. */
export async function openRigHouse(t: Test): Promise<RigHouse & { readonly data: DataDirectory }> {
  const data = createDataDirectory(t);
  return { clock: data.clock, store: await data.open(), data };
}

let hops = 0;

/** The room, and what is around it. */
export class SendingRig {
  readonly clock: TestClock;
  readonly results: ItemResult[] = [];
  /** Every relay that was made, in that order. */
  readonly relays: FakeRelay[] = [];
  readonly store: SqliteStore;
  /** How every relay answers. */
  answer: FakeAnswer = takeAll;
  /** How often the next settlements fail. */
  failSettling = 0;
  /** Where its messages go; no other rig has it. */
  readonly hop: NextHop;
  readonly #options: RigOptions;
  #outbound: Outbound | undefined;

  private constructor({ clock, store }: RigHouse, options: RigOptions) {
    hops += 1;
    this.hop = { kind: 'relay', name: `m${hops}` };
    this.#options = options;
    this.clock = clock;
    this.store = store;
  }

  /** A rig with one relay, on a store that rigs before and behind it have too. */
  static async open(t: Test, house: RigHouse, options: RigOptions = {}): Promise<SendingRig> {
    const rig = new SendingRig(house, options);
    await rig.openRoom();
    t.teardown(() => rig.close());
    return rig;
  }

  /** The room. */
  get outbound(): Outbound {
    if (this.#outbound === undefined) throw new Error('the room is not open');
    return this.#outbound;
  }

  /** The relay that was made last. */
  get relay(): FakeRelay {
    const relay = this.relays.at(-1);
    if (relay === undefined) throw new Error('no relay was made');
    return relay;
  }

  /** Opens the room, again after `outbound.close`. */
  async openRoom(relays: readonly RelayOptions[] = [this.relayOptions()]): Promise<void> {
    const watched: Settling = {
      settle: async (results, use) => {
        if (this.failSettling > 0) {
          this.failSettling -= 1;
          throw new Error('the disk is full');
        }
        const settlements = results.map(({ settlement }) => settlement);
        await this.store.queue.settle(settlements, use);
        this.results.push(...results.filter(({ item }) => item.nextHop.name === this.hop.name));
      },
    };
    this.#outbound = await openOutbound({
      store: this.store,
      settling: watched,
      relays,
      schedule: { ...SCHEDULE, ...this.#options.schedule },
      createRelay: this.#options.createRelay ?? (({ name }) => this.#createRelay(name)),
      random: this.#options.random ?? (() => 0.5),
      clock: this.clock,
      log: silentLog,
    });
  }

  #createRelay(name: string): Relay {
    const made = new FakeRelay(name, this.clock);
    made.answer = (message, signal) => this.answer(message, signal);
    this.relays.push(made);
    return made;
  }

  /** Closes the room at once. */
  async close(): Promise<void> {
    const closing = this.outbound.close(0);
    this.clock.advance(MINUTE_MS);
    await closing;
  }

  /** Queues messages of which none leaves before all of them are there. */
  async queueTogether(messages: readonly RigMessage[]): Promise<readonly TraceId[]> {
    const since = this.clock.now();
    await this.store.queue.holdHop(this.hop, { by: 'administrator', reason: 'not yet', since });
    const traces: TraceId[] = [];
    for (const message of messages) traces.push(await this.queue(message));
    await this.store.queue.holdHop(this.hop, undefined);
    await this.idle();
    return traces;
  }

  /** The relay's options, with other limits where they are given. */
  relayOptions(limits: Partial<RelayLimits> = {}, name = this.hop.name): RelayOptions {
    return {
      kind: 'smtp',
      name,
      hosts: [{ host: 'hop.example', port: 25 }],
      tls: { mode: 'none', minimumVersion: 'TLSv1.2' },
      limits: { ...LIMITS, ...this.#options.limits, ...limits },
    };
  }

  /** Puts a message into the queue. */
  async queue({ to, octets, returnPathOctets = 0, ...item }: RigMessage): Promise<TraceId> {
    const { store, clock } = this;
    const draft = store.contents.begin();
    await draft.write(octets ?? Buffer.from(`Subject: ${to.join()}\r\n\r\nHello.\r\n`));
    const traceId = newTraceId(clock.now());
    await store.deliveries.deliver({
      traceId,
      draft,
      returnPathOctets,
      acceptedAt: clock.now(),
      zoneMinutes: 0,
      reversePath: item.reversePath ?? 's@app.example',
      recipients: to,
      copies: [],
      queued: to.map((recipient) => ({
        recipient,
        nextHop: this.hop,
        reversePath: 's@app.example',
        isSmtpUtf8: false,
        ...item,
      })),
      events: [],
    });
    return traceId;
  }

  /** Its items. */
  items(): Promise<readonly QueueItem[]> {
    return this.store.queue.list({ nextHop: this.hop }, 1000);
  }

  /** How its relay stands. */
  async status(): Promise<HopStatus> {
    const all = await this.outbound.relays();
    const found = all.find(({ nextHop }) => nextHop.name === this.hop.name);
    if (found === undefined) throw new Error('its relay has no status');
    return found;
  }

  /** Moves the clock, in steps after each of which everything comes to its end. */
  async pass(ms: number, stepMs = ms): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(stepMs, left));
      await this.idle();
    }
  }

  /** Until nothing changes any more without the clock. */
  async idle(): Promise<void> {
    for (let calm = 0, last = ''; calm < IDLE_ROUNDS; ) {
      // A job that finds nothing to do: it is answered behind all that was asked of the writer before.
      await this.store.queue.change({ ids: [] }, { kind: 'retry' }, this.clock.now());
      await yieldTurn();
      const asked = this.relays.map(({ attempts, underWay }) => [attempts.length, underWay]);
      const now = JSON.stringify([asked, this.results.length, await this.store.queue.count()]);
      calm = now === last ? calm + 1 : 0;
      last = now;
    }
  }

  /** Kinds of the trace's events, but for how it came. */
  async told(traceId: TraceId): Promise<readonly string[]> {
    const trace = await this.store.trace.find(traceId);
    const arrival = ['accepted', 'queued'];
    return (trace?.events ?? []).map(({ kind }) => kind).filter((kind) => !arrival.includes(kind));
  }
}

/** Longer than any chain of commits that a turn makes. */
const IDLE_ROUNDS = 4;
