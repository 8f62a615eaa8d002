/**
 * The scheduler on a real store, with a next hop and a clock in the hands of the test: what leaves, when it is tried again, in which
 * order, how much at a time, and what is left when the room or the hop ends.
 */

import t from 'tap';

import { unixMs } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import { RELAY_PRESETS } from '../../src/exchange/relayPresets.ts';
import { Aging } from '../../src/outbound/aging.ts';
import { Hands } from '../../src/outbound/hands.ts';
import { Scheduler } from '../../src/outbound/scheduler.ts';
import type { Settling } from '../../src/outbound/settling.ts';
import type { Queue } from '../../src/store/contract/queueWork.ts';
import type { HopTrouble, RelayedMessage } from '../../src/transfer/relay.ts';
import { deferAll, FakeRelay, takeAll, troubled } from './fakeRelay.ts';
import { LIMITS, openRigHouse, SCHEDULE, SendingRig } from './sendingRig.ts';

const MISCONFIGURED: HopTrouble = {
  kind: 'misconfigured',
  reason: '535 5.7.139 SmtpClientAuthentication is disabled',
  advice: 'switch it on',
};
/** The tests share it: each has a relay of its own. */
const house = await openRigHouse(t);

t.setTimeout(300_000);

t.test(
  'a message leaves without Return-Path, its recipients together, and is gone from the queue',
  async (t) => {
    const rig = await SendingRig.open(t, house);
    const octets = Buffer.from('Return-Path: <s@app.example>\r\nSubject: x\r\n\r\nHello.\r\n');
    const traceId = await rig.queue({
      to: ['a@x.example', 'b@x.example'],
      octets,
      returnPathOctets: 30,
      envid: 'e1',
      ret: 'HDRS',
      notify: ['FAILURE'],
      orcpt: 'rfc822;o@x.example',
    });
    await rig.idle();
    const [attempt] = rig.relay.attempts;
    t.equal(rig.relay.attempts.length, 1);
    t.match(attempt?.message, {
      traceId,
      reversePath: 's@app.example',
      recipients: [{ address: 'a@x.example', notify: ['FAILURE'], orcpt: 'rfc822;o@x.example' }, {}],
      envid: 'e1',
      ret: 'HDRS',
    });
    t.same(await rig.items(), []);
    t.same(await rig.told(traceId), ['relayed', 'relayed']);
    t.match(await rig.status(), { nextHop: rig.hop, standing: { kind: 'running' }, underWay: 0 });
  },
);

t.test('the octets are those of the message, with Delivered-To in front of what is forwarded', async (t) => {
  const rig = await SendingRig.open(t, house);
  const seen: string[] = [];
  rig.answer = async (message) => {
    const pieces: Buffer[] = [];
    for await (const piece of message.open()) pieces.push(piece);
    const all = Buffer.concat(pieces);
    t.equal(all.length, message.octets);
    seen.push(all.toString());
    return takeAll(message);
  };
  const octets = Buffer.from('Return-Path: <>\r\nSubject: x\r\n\r\nHello.\r\n');
  await rig.queue({ to: ['a@x.example'], octets, returnPathOctets: 17 });
  await rig.queue({ to: ['a@x.example'], octets, returnPathOctets: 17, forwardedFor: 'f@app.example' });
  await rig.idle();
  t.same(seen, [
    'Subject: x\r\n\r\nHello.\r\n',
    'Delivered-To: f@app.example\r\nSubject: x\r\n\r\nHello.\r\n',
  ]);
});

t.test(
  'what is deferred is tried again at its time and not before, and is not in the way of others',
  async (t) => {
    const rig = await SendingRig.open(t, house);
    rig.answer = (message) =>
      message.recipients[0]?.address === 'a@x.example' ? deferAll(message) : takeAll(message);
    const traceId = await rig.queue({ to: ['a@x.example'] });
    await rig.idle();
    await rig.queue({ to: ['b@x.example'] });
    await rig.idle();
    t.same(rig.relay.asked, [['a@x.example'], ['b@x.example']]);
    for (const minutes of [1, 2, 5, 10, 20, 30, 60]) {
      const before = rig.relay.attempts.length;
      await rig.pass(minutes * MINUTE_MS - 1);
      t.equal(rig.relay.attempts.length, before, `not before ${minutes} minutes`);
      await rig.pass(1);
      t.equal(rig.relay.attempts.length, before + 1, `after ${minutes} minutes`);
    }
    t.match(await rig.items(), [{ attempts: 8, lastReply: '450 4.2.0 Greylisted', state: 'waiting' }]);
    rig.answer = takeAll;
    await rig.pass(HOUR_MS);
    t.same(await rig.items(), []);
    t.same(await rig.told(traceId), [...Array.from({ length: 8 }, () => 'deferred'), 'relayed']);
  },
);

t.test('recipients who are deferred together are tried together again, whatever the jitter', async (t) => {
  let draws = 0;
  const rig = await SendingRig.open(t, house, { random: () => (draws++ % 10) / 10 });
  rig.answer = deferAll;
  const to = ['a@x.example', 'b@x.example', 'c@x.example'];
  await rig.queue({ to });
  await rig.idle();
  for (let attempt = 1; attempt < 6; attempt += 1) await rig.pass(30 * MINUTE_MS, MINUTE_MS);
  t.ok(rig.relay.asked.length > 5);
  for (const asked of rig.relay.asked) t.same(asked, to);
});

t.test('recipients of one transaction end each in their own way', async (t) => {
  const rig = await SendingRig.open(t, house);
  rig.answer = () => ({
    outcomes: [
      { kind: 'relayed', reply: '250 OK', server: 'hop.example', tellsSender: false },
      { kind: 'failed', reply: '550 5.1.1 unknown', status: '5.1.1', server: 'hop.example' },
      { kind: 'deferred', reply: '450 4.2.0 later', status: '4.2.0', retryAfterMs: 2 * HOUR_MS },
      { kind: 'held', reason: 'Graph cannot carry this message' },
    ],
  });
  const begun = rig.clock.now();
  await rig.queue({ to: ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example'] });
  await rig.idle();
  t.match(await rig.items(), [
    { recipient: 'c@x.example', state: 'waiting', attempts: 1, nextAttemptAt: begun + 2 * HOUR_MS },
    { recipient: 'd@x.example', state: 'held', attempts: 0, lastReply: 'Graph cannot carry this message' },
  ]);
  t.match(
    rig.results.map(({ report }) => report),
    [
      { action: 'relayed', server: 'hop.example' },
      { action: 'failed', status: '5.1.1' },
      undefined,
      undefined,
    ],
  );
});

t.test(
  'a hop that cannot be reached pauses with growing waits, and nobody`s attempts are counted',
  async (t) => {
    const rig = await SendingRig.open(t, house);
    rig.answer = troubled({ kind: 'unreachable', reason: 'connection refused' });
    await rig.queueTogether([...'abcdef'].map((name) => ({ to: [`${name}@x.example`] })));
    t.equal(rig.relay.attempts.length, 3, 'those that were begun together');
    t.match(await rig.status(), {
      standing: { kind: 'paused', cause: 'unreachable', reason: 'connection refused' },
      items: { leased: 0, waiting: 6 },
    });
    for (const seconds of [30, 60, 120, 240, 480, 600, 600]) {
      const before = rig.relay.attempts.length;
      await rig.pass(seconds * SECOND_MS - 1);
      t.equal(rig.relay.attempts.length, before);
      await rig.pass(1);
      t.equal(rig.relay.attempts.length, before + 1, `one tries after ${seconds} seconds`);
    }
    const items = await rig.items();
    t.equal(items.length, 6);
    t.ok(items.every(({ attempts, state }) => attempts === 0 && state === 'waiting'));
    rig.answer = takeAll;
    t.ok(rig.outbound.retryHop(rig.hop), 'an administrator need not wait');
    await rig.idle();
    t.same(await rig.items(), []);
    t.notOk(rig.outbound.retryHop({ kind: 'relay', name: 'nobody' }));
  },
);

t.test('a hop that throttles gets fewer transactions at a time, and its own time', async (t) => {
  const rig = await SendingRig.open(t, house, { limits: { connections: 8 } });
  rig.answer = troubled({ kind: 'throttled', reason: '432 4.3.2 too many', retryAfterMs: 7 * SECOND_MS });
  for (let index = 0; index < 12; index += 1) await rig.queue({ to: [`r${index}@x.example`] });
  await rig.idle();
  const before = rig.relay.attempts.length;
  await rig.pass(7 * SECOND_MS - 1);
  t.equal(rig.relay.attempts.length, before);
  rig.relay.mostUnderWay = 0;
  const free = Promise.withResolvers<void>();
  rig.answer = async (message) => {
    await free.promise;
    return takeAll(message);
  };
  await rig.pass(1);
  t.equal(rig.relay.mostUnderWay, 4);
  free.resolve();
  await rig.idle();
  t.same(await rig.items(), []);
  t.equal(rig.relay.mostUnderWay, 4, 'and not all at once again');
});

t.test(
  'a hop that is set up wrong is held, tried with one message from time to time, and let go by a success',
  async (t) => {
    const rig = await SendingRig.open(t, house);
    rig.answer = troubled(MISCONFIGURED);
    const traceId = await rig.queue({ to: ['a@x.example'] });
    await rig.queue({ to: ['b@x.example'] });
    await rig.idle();
    t.match(await rig.store.queue.heldHops(), [
      { nextHop: rig.hop, by: 'trouble', reason: /disabled; switch it on$/ },
    ]);
    const status = await rig.status();
    t.match(status, { standing: { kind: 'held', by: 'trouble', advice: 'switch it on' } });
    t.match(status.alarms, [/^relay m\d+ is held: 535 5\.7\.139/]);
    const begun = rig.relay.attempts.length;
    await rig.pass(15 * MINUTE_MS - 1);
    t.equal(rig.relay.attempts.length, begun);
    await rig.pass(1);
    t.equal(rig.relay.attempts.length, begun + 1, 'one message tries');
    t.same(await rig.told(traceId), ['deferred'], 'the same trouble again is not told again');
    t.match(await rig.items(), [{ attempts: 0, state: 'waiting' }, { attempts: 0 }]);

    await rig.outbound.close(1000);
    await rig.openRoom();
    await rig.idle();
    t.equal(rig.relay.attempts.length, 1, 'a restart tries at once');
    t.match(await rig.status(), { standing: { kind: 'held', by: 'trouble' } });
    rig.answer = takeAll;
    await rig.pass(15 * MINUTE_MS);
    t.same(await rig.items(), []);
    t.same(await rig.store.queue.heldHops(), []);
    t.match(await rig.status(), { standing: { kind: 'running' }, alarms: [] });
  },
);

t.test('what an administrator holds stays until he lets it go, also over a restart', async (t) => {
  const rig = await SendingRig.open(t, house);
  const hold = { by: 'administrator', reason: 'moving house', since: rig.clock.now() } as const;
  await rig.store.queue.holdHop(rig.hop, hold);
  await rig.queue({ to: ['a@x.example'] });
  await rig.pass(10 * DAY_MS, DAY_MS);
  await rig.outbound.close(1000);
  await rig.openRoom();
  await rig.pass(HOUR_MS);
  t.same(
    rig.relays.flatMap(({ attempts }) => attempts),
    [],
  );
  t.match(await rig.items(), [{ state: 'waiting' }], 'and does not expire');
  t.match(await rig.status(), { standing: { kind: 'held', by: 'administrator', reason: 'moving house' } });
  await rig.store.queue.holdHop(rig.hop, undefined);
  await rig.idle();
  t.same(await rig.items(), []);
});

t.test('an administrator`s hold is not lost when a hop that was set up wrong takes mail again', async (t) => {
  const { store } = house;
  let isSaidNow = false;
  const heldHops = async () => {
    const holds = await store.queue.heldHops();
    if (isSaidNow) {
      isSaidNow = false;
      await store.queue.holdHop(rig.hop, { by: 'administrator', reason: 'moving', since: house.clock.now() });
    }
    return holds;
  };
  const queue: Queue = { ...store.queue, heldHops };
  const rig = await SendingRig.open(t, { ...house, store: { ...store, queue } });
  rig.answer = troubled(MISCONFIGURED);
  await rig.queue({ to: ['a@x.example'] });
  await rig.idle();
  t.match(await rig.status(), { standing: { kind: 'held', by: 'trouble' } });
  rig.answer = (message) => {
    isSaidNow = true;
    return takeAll(message);
  };
  await rig.pass(15 * MINUTE_MS);
  t.same(await rig.items(), []);
  t.match(await rig.status(), { standing: { kind: 'held', by: 'administrator', reason: 'moving' } });
  await rig.queue({ to: ['b@x.example'] });
  await rig.idle();
  t.match(await rig.items(), [{ state: 'waiting' }]);
});

t.test('from one sender to one recipient messages leave in their order, one at a time', async (t) => {
  const rig = await SendingRig.open(t, house, { limits: { connections: 10 } });
  const free = Promise.withResolvers<void>();
  rig.answer = async (message) => {
    if (message.recipients.some(({ address }) => address === 'a@x.example')) await free.promise;
    return takeAll(message);
  };
  const traces: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    traces.push(await rig.queue({ to: ['a@x.example'] }));
    await rig.queue({ to: [`other${index}@x.example`] });
  }
  await rig.queue({ to: ['a@x.example'], reversePath: 'another@app.example' });
  await rig.idle();
  t.equal(rig.relay.attempts.length, 7, 'one of each pair');
  free.resolve();
  await rig.idle();
  const order = rig.relay.attempts
    .map(({ message }) => message)
    .filter(
      ({ reversePath, recipients }) =>
        reversePath === 's@app.example' && recipients[0]?.address === 'a@x.example',
    )
    .map(({ traceId }) => traceId);
  t.same(order, traces);
  t.same(rig.relay.faults, []);
});

t.test('what is more urgent leaves first', async (t) => {
  const rig = await SendingRig.open(t, house, { limits: { connections: 1 } });
  await rig.queueTogether([-1, 0, 5, 10].map((priority) => ({ to: [`p${priority}@x.example`], priority })));
  t.same(rig.relay.asked.flat(), ['p10@x.example', 'p5@x.example', 'p0@x.example', 'p-1@x.example']);
});

t.test(
  'no more transactions at a time than connections, no more recipients in one than the limit',
  async (t) => {
    const rig = await SendingRig.open(t, house, { limits: { connections: 3, recipientsPerMessage: 4 } });
    const recipients = Array.from({ length: 10 }, (_none, index) => `r${index}@x.example`);
    const free = Promise.withResolvers<void>();
    rig.answer = async (message) => {
      await free.promise;
      return takeAll(message);
    };
    for (let index = 0; index < 40; index += 1)
      await rig.queue({ to: recipients, reversePath: `s${index}@app.example` });
    await rig.idle();
    t.equal(rig.relay.underWay, 3);
    free.resolve();
    await rig.idle();
    t.equal(rig.relay.mostUnderWay, 3);
    t.ok(rig.relay.asked.every(({ length }) => length <= 4));
    t.equal(rig.relay.asked.flat().length, 400);
    t.same(await rig.items(), []);
  },
);

t.test('the limits by the minute of the presets are kept, and used', async (t) => {
  const all = Object.values(RELAY_PRESETS).map(({ values }) => values);
  const limited = all.filter(({ messagesPerMinuteLimit = 0 }) => messagesPerMinuteLimit !== 0);
  t.equal(limited.length, 4);
  for (const limit of new Set(limited.map((values) => Number(values.messagesPerMinuteLimit)))) {
    t.equal(limit, 30);
    const rig = await SendingRig.open(t, house, { limits: { messagesPerMinute: limit, connections: 2 } });
    for (let index = 0; index < 60; index += 1) await rig.queue({ to: [`r${index}@x.example`] });
    await rig.pass(150 * SECOND_MS, 2 * SECOND_MS);
    t.same(await rig.items(), []);
    const times = rig.relay.attempts.map(({ at }) => Number(at));
    const most = Math.max(
      ...times.map((from) => times.filter((at) => at >= from && at < from + MINUTE_MS).length),
    );
    t.ok(most <= limit && most >= limit - 2, `${most} in a minute`);
  }
});

t.test('the recipients of a day are counted over restarts, and what is left goes on tomorrow', async (t) => {
  const rig = await SendingRig.open(t, house, { limits: { recipientsPerDay: 10, recipientsPerMessage: 4 } });
  for (let index = 0; index < 4; index += 1)
    await rig.queue({ to: ['a', 'b', 'c', 'd'].map((name) => `${name}${index}@x.example`) });
  await rig.idle();
  t.equal(rig.relay.asked.flat().length, 8);
  t.match(await rig.status(), {
    standing: { kind: 'paused', cause: 'day' },
    today: { recipients: 8, limit: 10 },
    alarms: [/used up the 10/],
  });
  await rig.outbound.close(1000);
  await rig.openRoom();
  await rig.pass(2 * HOUR_MS);
  t.equal(rig.relay.attempts.length, 0, 'a restart does not begin the day anew');
  rig.outbound.reconfigure([rig.relayOptions({ recipientsPerDay: 12, recipientsPerMessage: 4 })]);
  await rig.idle();
  t.equal(rig.relay.asked.flat().length, 4, 'a higher limit does at once');
  await rig.pass(DAY_MS, HOUR_MS);
  t.same(await rig.items(), []);
});

t.test('a message with more recipients than a day has leaves in parts', async (t) => {
  const rig = await SendingRig.open(t, house, { limits: { recipientsPerDay: 3 } });
  await rig.queue({ to: ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@x.example`) });
  await rig.idle();
  t.same(
    rig.relay.asked.map(({ length }) => length),
    [3],
  );
  await rig.pass(DAY_MS, HOUR_MS);
  t.same(await rig.items(), []);
});

t.test('closing waits for attempts, then ends them, and leaves nothing leased', async (t) => {
  const rig = await SendingRig.open(t, house, { limits: { connections: 2 } });
  const slow = Promise.withResolvers<void>();
  rig.answer = async (message, signal) => {
    if (message.recipients[0]?.address === 'slow@x.example') {
      await slow.promise;
      return takeAll(message);
    }
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    return { outcomes: [{ kind: 'untried' }] };
  };
  for (const name of ['slow', 'stuck', 'next', 'later']) await rig.queue({ to: [`${name}@x.example`] });
  await rig.idle();
  const closing = rig.outbound.close(9000);
  slow.resolve();
  await rig.idle();
  t.match(await rig.items(), [
    { recipient: 'stuck@x.example', state: 'leased' },
    { state: 'waiting' },
    { state: 'waiting' },
  ]);
  rig.clock.advance(6000);
  await closing;
  t.ok((await rig.items()).every(({ state, attempts }) => state === 'waiting' && attempts === 0));
  t.ok(rig.relay.isClosed);
  t.equal(rig.relay.attempts.length, 2);
});

t.test('closing does not wait for a relay that a reload took away longer than for others', async (t) => {
  const rig = await SendingRig.open(t, house);
  rig.answer = async (_message, signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    return { outcomes: [{ kind: 'untried' }] };
  };
  await rig.queue({ to: ['a@x.example'] });
  await rig.idle();
  rig.outbound.reconfigure([]);
  let isClosed = false;
  const closing = rig.outbound.close(9000).then(() => {
    isClosed = true;
  });
  await rig.idle();
  t.notOk(isClosed);
  rig.clock.advance(6000);
  await rig.idle();
  t.ok(isClosed, 'its attempt is ended with the others');
  rig.clock.advance(MINUTE_MS);
  await closing;
  t.match(await rig.items(), [{ state: 'waiting', attempts: 0 }]);
});

t.test('an attempt that never ends is ended at its deadline and counts as one', async (t) => {
  const rig = await SendingRig.open(t, house);
  let aborted = 0;
  rig.answer = (message, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        aborted += 1;
        resolve({ outcomes: message.recipients.map(() => ({ kind: 'untried' })) });
      });
    });
  await rig.queue({ to: ['a@x.example'] });
  await rig.idle();
  await rig.pass(HOUR_MS);
  t.equal(aborted, 1);
  t.match(await rig.items(), [
    { attempts: 1, state: 'waiting', lastReply: 'The attempt was ended after 60 minutes' },
  ]);
});

t.test(
  'a relay that rejects, answers nothing, or does not end when it is told to, loses nothing',
  async (t) => {
    const rig = await SendingRig.open(t, house);
    const answers = [
      () => Promise.reject(new Error('a fault')),
      () => ({ outcomes: [] }),
      () => new Promise<never>(() => {}),
    ];
    rig.answer = () => answers.shift()?.() ?? { outcomes: [] };
    await rig.queue({ to: ['a@x.example'] });
    await rig.idle();
    t.match(await rig.items(), [{ attempts: 1, lastReply: /^The relay failed/ }]);
    await rig.pass(MINUTE_MS);
    t.match(await rig.items(), [{ attempts: 2, lastReply: 'The relay gave no answer' }]);
    await rig.pass(2 * MINUTE_MS);
    await rig.pass(HOUR_MS);
    await rig.pass(MINUTE_MS);
    t.match(await rig.items(), [{ attempts: 3, state: 'waiting' }]);
  },
);

t.test('what the hop has is not sent again while the store does not take the answer', async (t) => {
  const rig = await SendingRig.open(t, house);
  rig.failSettling = 5;
  await rig.queue({ to: ['a@x.example'] });
  await rig.idle();
  t.match(await rig.items(), [{ state: 'leased' }]);
  await rig.pass(2 * MINUTE_MS, 10 * SECOND_MS);
  t.same(await rig.items(), []);
  t.equal(rig.relay.attempts.length, 1);
});

t.test('nor when its relay is taken away meanwhile, and comes back', async (t) => {
  const rig = await SendingRig.open(t, house);
  rig.failSettling = Number.POSITIVE_INFINITY;
  await rig.queue({ to: ['a@x.example'] });
  await rig.idle();
  rig.outbound.reconfigure([]);
  await rig.pass(5 * MINUTE_MS, 10 * SECOND_MS);
  t.match(await rig.items(), [{ state: 'leased' }]);
  rig.outbound.reconfigure([rig.relayOptions()]);
  rig.failSettling = 0;
  await rig.pass(MINUTE_MS, 10 * SECOND_MS);
  t.same(await rig.items(), []);
  t.same(
    rig.relays.map(({ attempts }) => attempts.length),
    [1, 0],
  );
});

t.test('a calendar that is set makes no second attempt of what is under way', async (t) => {
  const rig = await SendingRig.open(t, house);
  const free = Promise.withResolvers<void>();
  rig.answer = async (message) => {
    await free.promise;
    return takeAll(message);
  };
  await rig.queue({ to: ['a@x.example'] });
  await rig.idle();
  rig.clock.setCalendar(unixMs(rig.clock.now() + 400 * DAY_MS));
  await rig.queue({ to: ['b@x.example'] });
  await rig.idle();
  free.resolve();
  await rig.idle();
  t.same(rig.relay.asked, [['a@x.example'], ['b@x.example']]);
  t.same(await rig.items(), []);
});

t.test('a content that is damaged or gone holds its items, and others go on', async (t) => {
  const rig = await SendingRig.open(t, house);
  rig.answer = async (message: RelayedMessage) => {
    try {
      for await (const _piece of message.open());
    } catch {
      return { outcomes: [{ kind: 'deferred', status: '4.3.0', reply: 'cannot be read' }] };
    }
    return takeAll(message);
  };
  await rig.store.queue.holdHop(rig.hop, { by: 'administrator', reason: 'x', since: rig.clock.now() });
  await rig.queue({ to: ['a@x.example'], octets: Buffer.alloc(600_000, 'damaged\r\n') });
  await rig.queue({ to: ['b@x.example'] });
  const [large] = await rig.items();
  house.data.tamper(
    'UPDATE chunk SET octets = zeroblob(length(octets)) WHERE id = ?',
    Number(large?.contentId) * 16_384 + 1,
  );
  await rig.store.queue.holdHop(rig.hop, undefined);
  await rig.idle();
  t.match(await rig.items(), [
    { recipient: 'a@x.example', state: 'held', attempts: 0, lastReply: /^The stored message cannot be read/ },
  ]);
});

t.test('a sender is told once that it takes long, and gets his message back in the end', async (t) => {
  const rig = await SendingRig.open(t, house);
  rig.answer = deferAll;
  const traceId = await rig.queue({ to: ['a@x.example', 'b@x.example'] });
  const [item] = await rig.items();
  const willRetryUntil = Number(item?.createdAt) + 48 * HOUR_MS;
  await rig.pass(4 * HOUR_MS, HOUR_MS);
  t.same(reportsOf(rig), []);
  await rig.pass(10 * HOUR_MS, 2 * HOUR_MS);
  const delay = { action: 'delayed', status: '4.4.7', reply: '450 4.2.0 Greylisted', willRetryUntil };
  t.same(reportsOf(rig), [delay, delay]);
  await rig.pass(33 * HOUR_MS, 3 * HOUR_MS);
  t.equal((await rig.items()).length, 2);
  await rig.pass(2 * HOUR_MS, HOUR_MS);
  t.same(await rig.items(), []);
  t.match(reportsOf(rig).slice(2), [{ action: 'failed', status: '5.4.7' }, { action: 'failed' }]);
  const told = await rig.told(traceId);
  t.same(
    told.filter((kind) => kind !== 'deferred'),
    ['delayed', 'delayed', 'expiredInQueue', 'expiredInQueue'],
  );
});

t.test(
  'an item that says itself when it expires does so, and no delay is told where none is wanted',
  async (t) => {
    const rig = await SendingRig.open(t, house, { schedule: { delayReportMs: 0 } });
    rig.answer = deferAll;
    await rig.queue({ to: ['a@x.example'], expiresAt: unixMs(rig.clock.now() + 3 * HOUR_MS) });
    await rig.pass(2 * HOUR_MS, HOUR_MS);
    t.equal((await rig.items()).length, 1);
    await rig.pass(2 * HOUR_MS, HOUR_MS);
    t.same(await rig.items(), []);
    t.match(reportsOf(rig), [{ action: 'failed', status: '5.4.7' }]);
  },
);

t.test('what is overdue because the server was off may leave before it is returned', async (t) => {
  const rig = await SendingRig.open(t, house);
  rig.answer = deferAll;
  await rig.queue({ to: ['a@x.example'] });
  await rig.idle();
  await rig.close();
  rig.clock.advance(5 * DAY_MS);
  await rig.openRoom();
  await rig.pass(50 * MINUTE_MS, 10 * MINUTE_MS);
  t.match(await rig.items(), [{ state: 'waiting' }]);
  await rig.pass(30 * MINUTE_MS, 10 * MINUTE_MS);
  t.same(await rig.items(), []);
});

t.test('a calendar that is set returns nothing, and lets nothing wait for years', async (t) => {
  const rig = await SendingRig.open(t, house);
  rig.answer = deferAll;
  await rig.queue({ to: ['a@x.example'] });
  await rig.pass(2 * HOUR_MS, HOUR_MS);
  rig.clock.setCalendar(unixMs(rig.clock.now() + 400 * DAY_MS));
  await rig.pass(10 * MINUTE_MS);
  t.match(await rig.items(), [{ state: 'waiting' }], 'though it looks 400 days old');
  await rig.pass(10 * MINUTE_MS);
  rig.clock.setCalendar(unixMs(rig.clock.now() - 400 * DAY_MS));
  rig.answer = takeAll;
  await rig.pass(10 * MINUTE_MS);
  t.same(await rig.items(), [], 'though its turn was to come in 400 days');
  t.ok(reportsOf(rig).every(({ action }) => action !== 'failed'));
});

t.test(
  'what is tried because the calendar was set back is not said to be an administrator`s doing',
  async (t) => {
    const rig = await SendingRig.open(t, house);
    rig.answer = deferAll;
    const traceId = await rig.queue({ to: ['a@x.example'] });
    await rig.idle();
    rig.clock.setCalendar(unixMs(rig.clock.now() - HOUR_MS));
    await rig.pass(5 * MINUTE_MS);
    const trace = await rig.store.trace.find(traceId);
    const retried = trace?.events.filter(({ kind }) => kind === 'retried');
    t.match(retried, [{ fields: { recipient: 'a@x.example', by: 'calendar' } }]);
  },
);

t.test('what waits for a hop that is not configured is told of, kept, and leaves when it is', async (t) => {
  const rig = await SendingRig.open(t, house);
  const nextHop = { kind: 'relay', name: `${rig.hop.name}-elsewhere` } as const;
  const missing = async () => {
    const all = await rig.outbound.relays();
    return all.filter(({ nextHop: { name } }) => name === nextHop.name);
  };
  await rig.queue({ to: ['a@x.example'], nextHop });
  await rig.pass(3 * DAY_MS, 6 * HOUR_MS);
  t.match(await missing(), [
    { standing: { kind: 'missing' }, items: { waiting: 1 }, alarms: [/not in the config/] },
  ]);
  rig.outbound.reconfigure([rig.relayOptions({}, nextHop.name)]);
  await rig.idle();
  t.same(rig.relay.asked, [['a@x.example']]);
  t.match(await missing(), [{ standing: { kind: 'running' }, items: { waiting: 0 }, alarms: [] }]);
});

t.test(
  'another configuration lets attempts end on the old relay, and what is not configured any more waits',
  async (t) => {
    const rig = await SendingRig.open(t, house, { limits: { connections: 1 } });
    const free = Promise.withResolvers<void>();
    rig.answer = async (message) => {
      await free.promise;
      return takeAll(message);
    };
    for (const name of 'abc')
      await rig.queue({ to: [`${name}@x.example`], reversePath: `${name}@app.example` });
    await rig.idle();
    const old = rig.relay;
    const same = rig.relayOptions({ connections: 2 });
    rig.outbound.reconfigure([same]);
    await rig.idle();
    t.not(rig.relay, old);
    t.same([old.underWay, old.isClosed, rig.relay.underWay], [1, false, 1]);
    rig.outbound.reconfigure([same]);
    t.equal(rig.relays.length, 2, 'options that are the same object change nothing');
    free.resolve();
    await rig.idle();
    t.same([old.isClosed, rig.relay.isClosed], [true, false]);
    t.same(await rig.items(), []);
    rig.outbound.reconfigure([]);
    await rig.queue({ to: ['d@x.example'] });
    await rig.idle();
    t.match(await rig.status(), { standing: { kind: 'missing' }, items: { waiting: 1 } });
    t.ok(rig.relay.isClosed);
    t.same(
      rig.relays.flatMap(({ faults }) => faults),
      [],
    );
  },
);

t.test('however many messages wait, few are in memory, and none while the hop is away', async (t) => {
  const rig = await SendingRig.open(t, house);
  const free = Promise.withResolvers<void>();
  rig.answer = async (message) => {
    await free.promise;
    return takeAll(message);
  };
  await rig.queueTogether(Array.from({ length: 200 }, (_none, index) => ({ to: [`r${index}@x.example`] })));
  const { items } = await rig.status();
  t.ok(items.leased <= 15, `${items.leased} of 200 are leased`);
  free.resolve();
  rig.answer = troubled({ kind: 'unreachable', reason: 'connection refused' });
  await rig.idle();
  t.match(await rig.status(), { items: { leased: 0 } });
});

t.test(
  'what somebody else has in hand is not leased over and over, and leaves when he lets it go',
  async (t) => {
    const rig = await SendingRig.open(t, house);
    const nextHop = { kind: 'relay', name: 'beside' } as const;
    await rig.queue({ to: ['a@x.example'], nextHop });
    const hands = new Hands();
    const ids = (await rig.store.queue.list({ nextHop }, 10)).map(({ id }) => id);
    t.same(
      ids.map((id) => hands.take({}, id)),
      ['taken'],
    );
    let leases = 0;
    const queue: Queue = {
      ...rig.store.queue,
      lease: (request) => {
        leases += 1;
        return rig.store.queue.lease(request);
      },
    };
    const { store, clock } = rig;
    const settle: Settling['settle'] = (results, use) =>
      store.queue.settle(
        results.map(({ settlement }) => settlement),
        use,
      );
    const { contents } = store;
    const surroundings = { queue, contents, settling: { settle }, clock, log: silentLog };
    const schedule = () => SCHEDULE;
    const relay = new FakeRelay(nextHop.name, clock);
    const scheduler = new Scheduler(
      { ...surroundings, nextHop, hands, closed: new AbortController().signal, schedule, random: () => 0.5 },
      relay,
      LIMITS,
    );
    scheduler.wake();
    for (let commits = 0; commits < 30; commits += 1)
      await store.queue.change({ ids: [] }, { kind: 'retry' }, clock.now());
    t.equal(leases, 1);
    t.match(await store.queue.list({ nextHop }, 10), [{ state: 'waiting', attempts: 0 }]);
    hands.release(ids);
    await rig.pass(10 * SECOND_MS);
    t.same(relay.asked, [['a@x.example']]);
    t.same(await store.queue.list({ nextHop }, 10), []);
    await scheduler.close(0);
  },
);

t.test('nobody is told of what an administrator deletes while others expire', async (t) => {
  const rig = await SendingRig.open(t, await openRigHouse(t));
  const { store, clock } = rig;
  const nextHop = { kind: 'relay', name: 'expiring' } as const;
  for (const name of 'ab') await rig.queue({ to: [`${name}@x.example`], nextHop });
  const told: string[] = [];
  const settle: Settling['settle'] = async (results) => {
    if (told.length === 0)
      await store.queue.change({ recipient: 'b@x.example' }, { kind: 'delete' }, clock.now());
    told.push(...results.map(({ item }) => item.recipient));
    await store.queue.settle(results.map(({ settlement }) => settlement));
  };
  const schedule = () => ({ expiryMs: HOUR_MS, delayReportMs: 0 });
  const surroundings = { queue: store.queue, settling: { settle }, clock, log: silentLog };
  const aging = new Aging({ ...surroundings, schedule, hands: new Hands(), sparedHops: async () => [] });
  await rig.pass(2 * HOUR_MS, 5 * MINUTE_MS);
  t.same(told, ['a@x.example']);
  t.same(await store.queue.list({ nextHop }, 10), []);
  await aging.close();
});

/** Reports that were asked for, in their order. */
function reportsOf({ results }: SendingRig) {
  return results.map(({ report }) => report).filter((report) => report !== undefined);
}
