/**
 * Caps on connections: what is counted, who is refused, and who makes room for whom when all places are taken.
 */

import t from 'tap';

import { isLoopback } from '../../src/net/addressRange.ts';
import {
  ConnectionCaps,
  type ConnectionLimits,
  EVICTED_REST_MS,
  type Place,
  STALE_AGE_MS,
  STALE_OCTETS_PER_SECOND,
} from '../../src/net/connectionCaps.ts';
import { ConnectionRates, RATED_ADDRESSES_LIMIT } from '../../src/net/connectionRates.ts';
import { randomNumbers } from '../support/randomNumbers.ts';

/** A connection in a test. */
interface Fake {
  readonly address: string;
  readonly place: Place;
  received: number;
  isEvicted: boolean;
}

/** Caps with a clock, and connections that tell when they are evicted. */
function createStage(limits: ConnectionLimits) {
  const caps = new ConnectionCaps(limits);
  const evicted: Fake[] = [];
  const stage = {
    caps,
    evicted,
    nowMs: 0,
    /** A new connection, or the cap that refuses it. */
    connect(address: string): Fake | string {
      const occupant = {
        received: 0,
        evict: () => {
          fake.isEvicted = true;
          evicted.push(fake);
        },
      };
      const admission = caps.admit(address, occupant, stage.nowMs);
      const place = admission.kind === 'admitted' ? admission.place : { keep() {}, release() {} };
      const fake: Fake = Object.assign(occupant, { address, place, isEvicted: false });
      return admission.kind === 'admitted' ? fake : admission.cap;
    },
    /** A new connection that has to be admitted. */
    open(address: string): Fake {
      const fake = stage.connect(address);
      if (typeof fake === 'string') throw new Error(`${address} was refused: ${fake}`);
      return fake;
    },
  };
  return stage;
}

t.test('caps count what is open, in all and per address', async (t) => {
  const { caps, open, connect } = createStage({ total: 3, perAddress: 2 });
  const first = open('192.0.2.1');
  open('::ffff:192.0.2.1');
  t.equal(connect('192.0.2.1'), 'perAddress');
  t.equal(caps.countOf('192.0.2.1'), 2);
  open('192.0.2.2').place.keep(Number.POSITIVE_INFINITY);
  t.equal(caps.total, 3);
  first.place.release();
  first.place.release();
  t.equal(caps.total, 2, 'releasing twice counts once');
  open('192.0.2.1');
  t.equal(createStage({ total: 0, perAddress: 1 }).connect('192.0.2.1'), 'total');
});

t.test('an IPv6 network of 64 bits counts as one address', async (t) => {
  const { open, connect } = createStage({ total: 10, perAddress: 1 });
  open('2001:db8::1');
  t.equal(connect('2001:db8::2'), 'perAddress');
  open('2001:db8:0:1::1');
});

t.test(
  'exempt addresses are bound by the total alone and are never evicted, and limits change',
  async (t) => {
    const { caps, open, connect } = createStage({ total: 3, perAddress: 1, isExempt: isLoopback });
    for (let count = 0; count < 3; count += 1) open('127.0.0.1').place.keep(1);
    t.equal(connect('127.0.0.1'), 'total');
    t.equal(connect('192.0.2.1'), 'total');
    caps.setLimits({ total: 10, perAddress: 1 });
    t.equal(connect('127.0.0.1'), 'perAddress');
  },
);

t.test('who comes first always gets in: the biggest holder makes room', async (t) => {
  const stage = createStage({ total: 10, perAddress: 10 });
  const flood = Array.from({ length: 10 }, () => stage.open('192.0.2.1'));
  const guest = stage.open('192.0.2.2');
  t.same(
    [flood[0]?.isEvicted, stage.evicted.length, stage.caps.total],
    [true, 1, 10],
    'the oldest of equals',
  );
  t.equal(stage.connect('192.0.2.1'), 'total', 'the biggest holder takes nobody else`s place');
  t.equal(guest.isEvicted, false);
});

t.test('shares even out, and then nobody takes from anybody', async (t) => {
  const stage = createStage({ total: 100, perAddress: 100 });
  const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'];
  for (let count = 0; count < 100; count += 1) stage.open('192.0.2.1');
  for (let round = 0; round < 100; round += 1)
    for (const address of addresses) {
      stage.nowMs += 1;
      stage.connect(address);
    }
  for (const address of addresses) {
    const count = stage.caps.countOf(address);
    t.ok(count >= 19 && count <= 21, `${address} has ${count}`);
  }
  const { length } = stage.evicted;
  for (const address of addresses) t.equal(stage.connect(address), 'total');
  t.equal(stage.evicted.length, length, 'a flood that has its share changes nothing any more');
});

t.test('a flood of single connections evicts the slow, not the message that is under way', async (t) => {
  const stage = createStage({ total: 50, perAddress: 10 });
  const upload = stage.open('198.51.100.1');
  for (let number = 0; number < 500; number += 1) {
    stage.nowMs += 10;
    upload.received += 1000;
    stage.open(`10.0.${number >> 8}.${number & 255}`);
  }
  t.equal(upload.isEvicted, false);
  t.equal(stage.evicted.length, 451);
});

t.test('a newcomer is not taken for a slow one before it could speak', async (t) => {
  const stage = createStage({ total: 3, perAddress: 3 });
  const dribbler = stage.open('192.0.2.1');
  stage.nowMs = 60_000;
  dribbler.received = 300;
  const guest = stage.open('192.0.2.2');
  stage.open('192.0.2.3');
  stage.nowMs += 50;
  stage.open('192.0.2.4');
  t.same([dribbler.isEvicted, guest.isEvicted], [true, false]);
});

t.test('who has logged in is never evicted; who has had a message accepted, not for a time', async (t) => {
  const stage = createStage({ total: 3, perAddress: 3 });
  const client = stage.open('192.0.2.1');
  client.place.keep(Number.POSITIVE_INFINITY);
  client.place.keep(5);
  const sender = stage.open('192.0.2.2');
  sender.place.keep(60_000);
  stage.open('192.0.2.3').place.keep(Number.POSITIVE_INFINITY);
  t.equal(stage.connect('192.0.2.4'), 'total');
  stage.nowMs = 30_000;
  sender.place.keep(90_000);
  stage.nowMs = 60_001;
  t.equal(stage.connect('192.0.2.4'), 'total', 'each message counts anew');
  stage.nowMs = 90_001;
  stage.open('192.0.2.4');
  t.same([client.isEvicted, sender.isEvicted], [false, true]);
  sender.place.keep(Number.POSITIVE_INFINITY);
  sender.place.release();
  t.equal(stage.caps.total, 3);
});

t.test(
  'who had to make room rests for a while, and is a newcomer again then or where there is room',
  async (t) => {
    const stage = createStage({ total: 2, perAddress: 2 });
    stage.open('192.0.2.1');
    stage.open('192.0.2.2');
    const third = stage.open('192.0.2.3');
    t.equal(stage.evicted[0]?.address, '192.0.2.1');
    stage.nowMs = EVICTED_REST_MS - 1;
    t.equal(stage.connect('192.0.2.1'), 'total');
    third.place.release();
    stage.open('192.0.2.1').place.release();
    stage.open('192.0.2.5');
    t.equal(stage.connect('192.0.2.1'), 'total');
    stage.nowMs = EVICTED_REST_MS;
    stage.open('192.0.2.1');
  },
);

t.test('at its own cap an address replaces what it has forgotten, not what it works with', async (t) => {
  const stage = createStage({ total: 10, perAddress: 2 });
  const forgotten = stage.open('192.0.2.1');
  const busy = stage.open('192.0.2.1');
  stage.nowMs = STALE_AGE_MS - 1;
  t.equal(stage.connect('192.0.2.1'), 'perAddress');
  stage.nowMs = STALE_AGE_MS;
  busy.received = (STALE_OCTETS_PER_SECOND * STALE_AGE_MS) / 1000 + 1;
  const fresh = stage.open('192.0.2.1');
  t.same([forgotten.isEvicted, busy.isEvicted], [true, false]);
  t.equal(stage.connect('192.0.2.1'), 'perAddress');
  fresh.place.keep(Number.POSITIVE_INFINITY);
  busy.place.keep(Number.POSITIVE_INFINITY);
  stage.nowMs = 10 * STALE_AGE_MS;
  t.equal(stage.connect('192.0.2.1'), 'perAddress');
});

t.test('an address has so many new connections a minute, and they come back evenly', async (t) => {
  const limits = { total: 1000, perAddress: 1000, perMinute: 60, isExempt: isLoopback };
  const stage = createStage(limits);
  for (let count = 0; count < 60; count += 1) stage.open('192.0.2.1').place.release();
  t.equal(stage.connect('192.0.2.1'), 'perMinute');
  stage.open('192.0.2.2');
  for (let count = 0; count < 200; count += 1) stage.open('127.0.0.1').place.release();
  stage.nowMs = 2000;
  stage.open('192.0.2.1');
  stage.open('192.0.2.1');
  t.equal(stage.connect('192.0.2.1'), 'perMinute');
});

t.test('of addresses no more than a limit are remembered, and those for no more than a minute', async (t) => {
  const rates = new ConnectionRates();
  for (let number = 0; number < RATED_ADDRESSES_LIMIT + 10; number += 1)
    rates.take(`${number}`, 10, number / 10);
  t.equal(rates.size, RATED_ADDRESSES_LIMIT);
  rates.take('late', 10, RATED_ADDRESSES_LIMIT + 60_000);
  t.equal(rates.size, 1);
});

/** Says what was wrong in a step, or nothing. */
function randomRun(seed: number): string | undefined {
  const below = randomNumbers(seed);
  const stage = createStage({ total: 40, perAddress: 15 });
  const kept = new Set<Fake>();
  const evictedMs = new Map<string, number>();
  let open: Fake[] = [];
  for (let step = 0; step < 20_000; step += 1) {
    stage.nowMs += below(200);
    const choice = below(10);
    const fake = open[below(open.length || 1)];
    if (choice < 6) {
      const address = `192.0.2.${below(12)}`;
      const rests = stage.nowMs - (evictedMs.get(address) ?? Number.NEGATIVE_INFINITY) < EVICTED_REST_MS;
      const isStranger = !rests && !open.some((other) => other.address === address);
      const isRoom = open.length < 40 || open.some((other) => !kept.has(other));
      const evictions = stage.evicted.length;
      const made = stage.connect(address);
      for (const { address: from } of stage.evicted.slice(evictions)) evictedMs.set(from, stage.nowMs);
      if (typeof made !== 'string') open.push(made);
      else if (isStranger && isRoom) return `step ${step}: a stranger was refused`;
    } else if (fake === undefined) continue;
    else if (choice === 6 && kept.size < 20) {
      fake.place.keep(Number.POSITIVE_INFINITY);
      kept.add(fake);
    } else if (choice === 7) fake.received += below(5000);
    else {
      fake.place.release();
      kept.delete(fake);
      open = open.filter((other) => other !== fake);
    }
    open = open.filter((other) => !other.isEvicted);
    if ([...kept].some((other) => other.isEvicted)) return `step ${step}: a kept one was evicted`;
    if (stage.caps.total !== open.length || open.length > 40) return `step ${step}: miscounted`;
  }
  return stage.evicted.length > 100 ? undefined : `only ${stage.evicted.length} evictions`;
}

t.test(
  'whatever comes and goes, counts are right and a stranger gets in while somebody can make room',
  async (t) => {
    for (const seed of [1, 2, 3]) t.equal(randomRun(seed), undefined, `seed ${seed}`);
  },
);
