/** The pure parts of the schedule: waits, rates, transactions, and how a hop stands. */

import t from 'tap';

import { unixMs, type UnixMs } from '../../src/base/clock.ts';
import { calendarDay, calendarDayEnd } from '../../src/base/calendarDay.ts';
import { MessageRate } from '../../src/base/messageRate.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import { nextTransaction, transactionsOf } from '../../src/outbound/grouping.ts';
import {
  type AttemptTimes,
  afterChange,
  afterDayUsed,
  afterHoldSaid,
  afterNothing as afterNothingAt,
  afterSuccess as afterSuccessAt,
  afterTrouble as afterTroubleAt,
  freshHop,
  type HopState,
  transactionLimit,
  waitsUntilMs,
} from '../../src/outbound/hopState.ts';
import { DayUse } from '../../src/outbound/dayUse.ts';
import { retryDelayMs } from '../../src/outbound/schedule.ts';
import type { HopTrouble } from '../../src/transfer/relay.ts';
import { queueItem } from './queueItems.ts';

const SCHEDULE = { firstRetryMs: MINUTE_MS, longestRetryMs: HOUR_MS };
const MIDDLE = () => 0.5;

t.test(
  'retries come after 1, 2, 5, 10, 20, 30 and then every 60 minutes, a fifth to each side',
  async (t) => {
    const minutes = (attempts: number, random = MIDDLE) =>
      retryDelayMs(attempts, SCHEDULE, random) / MINUTE_MS;
    t.same(
      [1, 2, 3, 4, 5, 6, 7, 8, 100].map((attempts) => minutes(attempts)),
      [1, 2, 5, 10, 20, 30, 60, 60, 60],
    );
    t.equal(
      minutes(4, () => 0),
      8,
    );
    t.equal(Math.round(minutes(4, () => 0.999_999)), 12);
    t.equal(retryDelayMs(9, { firstRetryMs: MINUTE_MS, longestRetryMs: 4 * HOUR_MS }, MIDDLE), 4 * HOUR_MS);
    t.equal(retryDelayMs(1, { firstRetryMs: HOUR_MS, longestRetryMs: MINUTE_MS }, MIDDLE), MINUTE_MS);
  },
);

t.test('a next hop that asks for a longer wait gets it, up to a day', async (t) => {
  t.equal(retryDelayMs(1, SCHEDULE, MIDDLE, 10 * MINUTE_MS), 10 * MINUTE_MS);
  t.equal(retryDelayMs(7, SCHEDULE, MIDDLE, 10 * MINUTE_MS), HOUR_MS);
  t.equal(retryDelayMs(1, SCHEDULE, MIDDLE, 90 * DAY_MS), DAY_MS);
});

t.test('no minute has more messages than the rate says, and none of them is wasted', async (t) => {
  for (const perMinute of [1, 2, 7, 30, 600]) {
    const rate = new MessageRate(perMinute, 0);
    const left: number[] = [];
    for (let nowMs = 0; nowMs < 10 * MINUTE_MS; nowMs += Math.max(1, rate.waitMs(nowMs))) {
      if (rate.waitMs(nowMs) > 0) continue;
      rate.take(nowMs);
      left.push(nowMs);
    }
    const most = Math.max(
      ...left.map((from) => left.filter((at) => at >= from && at < from + MINUTE_MS).length),
    );
    t.ok(most <= perMinute, `${most} of ${perMinute} in a minute`);
    t.ok(left.length >= 10 * perMinute * 0.85, `${left.length} of ${perMinute} a minute in ten minutes`);
  }
  const free = new MessageRate(0, 0);
  for (let count = 0; count < 1000; count += 1) free.take(0);
  t.equal(free.waitMs(0), 0);
});

t.test('a day counts what is under way, and is told of at four fifths and at its end', async (t) => {
  const use = new DayUse(20_000, 70);
  t.equal(use.level(100), 'free');
  t.ok(use.mayTry(30, 100));
  use.begin(30);
  t.notOk(use.mayTry(1, 100), 'what is under way may be taken');
  t.equal(use.level(100), 'free', 'but may fail as well');
  use.end(30, 10);
  t.equal(use.level(100), 'nearlyUsed');
  t.notOk(use.mayTry(21, 100));
  t.equal(use.level(100), 'used', 'what does not fit any more is tomorrow`s');
  t.ok(use.mayTry(1000, 0), '0 is no limit');
  t.equal(use.level(0), 'free');
});

t.test('a day ends at midnight of the server`s zone', async (t) => {
  for (const at of [0, 1_768_471_200_000, 1_792_900_000_000, 1_774_740_000_000].map(unixMs)) {
    const end = calendarDayEnd(at);
    t.ok(end > at && end <= at + 25 * HOUR_MS);
    t.equal(calendarDay(unixMs(end - 1)), calendarDay(at));
    t.equal(calendarDay(end), calendarDay(at) + 1);
  }
});

t.test('recipients go together as far as one MAIL and the limit allow, and never twice', async (t) => {
  const groups = (items: readonly Parameters<typeof queueItem>[0][], limit = 100) => {
    const [first, ...others] = items.map((item, index) => queueItem({ id: index + 1, ...item }));
    if (first === undefined) return [];
    return transactionsOf([first, ...others], limit).map(({ items }) => items.map(({ id }) => Number(id)));
  };
  const [a, b, c] = ['a@x.example', 'b@x.example', 'c@x.example'].map((recipient) => ({ recipient }));
  t.same(groups([{ ...a }, { ...b }, { ...c }]), [[1, 2, 3]]);
  t.same(groups([{ ...a }, { ...b }, { ...c }], 2), [[1, 2], [3]]);
  t.same(groups([{ ...a }, { ...b, reversePath: 'list@x.example' }, { ...c }]), [[1, 3], [2]]);
  t.same(groups([{ ...a, isSmtpUtf8: true }, { ...b }]), [[1], [2]]);
  t.same(
    groups([
      { ...a, notify: ['NEVER'], orcpt: 'rfc822;a@x.example' },
      { ...b, orcpt: 'rfc822;b@x.example' },
    ]),
    [[1, 2]],
    'NOTIFY and ORCPT are each recipient`s own',
  );
  t.same(groups([{ ...a, forwardedFor: 'f@app.example' }, { ...b }, { ...c, ret: 'FULL' }]), [[1], [2], [3]]);
  t.same(groups([{ ...a }, { ...a }, { ...b }]), [[1], [2, 3]], 'a recipient that is there twice');
});

t.test(
  'nothing overtakes on the way from one sender to one recipient, and others need not wait',
  async (t) => {
    const of = (id: number, ...recipients: string[]) => {
      const [first, ...others] = recipients.map((recipient) => queueItem({ id, recipient }));
      const [transaction] = first === undefined ? [] : transactionsOf([first, ...others], 10);
      if (transaction === undefined) throw new Error('no recipients');
      return transaction;
    };
    const [toA, toAB, toB, toC] = [of(1, 'a'), of(2, 'a', 'b'), of(3, 'b'), of(4, 'c')];
    t.equal(nextTransaction([toA, toAB, toB, toC], new Set()), toA);
    t.equal(nextTransaction([toAB, toB, toC], toA.pairs), toC, 'b waits for the one that waits for a');
    t.equal(nextTransaction([toAB, toB], toA.pairs), undefined);
    t.equal(nextTransaction([toAB, toB], new Set()), toAB);
    t.equal(nextTransaction([], new Set()), undefined);
  },
);

const UNREACHABLE: HopTrouble = { kind: 'unreachable', reason: 'connection refused' };
const THROTTLED: HopTrouble = { kind: 'throttled', reason: '432 4.3.2 concurrent connections' };
const QUOTA: HopTrouble = { kind: 'quota', reason: '554 5.2.0 SubmissionQuotaExceeded', advice: 'wait' };
const MISCONFIGURED: HopTrouble = { kind: 'misconfigured', reason: '535 5.7.139', advice: 'switch it on' };
/** An attempt that ended, and began in the hop's epoch unless another is given. */
const at = (endedMs: number, epoch?: number) => ({ endedMs, endedAt: unixMs(endedMs), epoch });
const timesOf = (state: HopState, end: ReturnType<typeof at>): AttemptTimes => ({
  ...end,
  epoch: end.epoch ?? state.epoch,
});
const afterTrouble = (state: HopState, trouble: HopTrouble, end: ReturnType<typeof at>) =>
  afterTroubleAt(state, trouble, timesOf(state, end));
const afterSuccess = (state: HopState, connections: number, end: ReturnType<typeof at>) =>
  afterSuccessAt(state, connections, timesOf(state, end));
const afterNothing = (state: HopState, end: ReturnType<typeof at>) =>
  afterNothingAt(state, timesOf(state, end));

t.test('waits for a hop grow until something succeeds', async (t) => {
  const waits = (trouble: HopTrouble) => {
    let state = freshHop(4);
    const seconds: number[] = [];
    for (let count = 0, nowMs = 0; count < 8; count += 1) {
      state = afterTrouble(state, trouble, at(nowMs));
      const until = waitsUntilMs(state) ?? 0;
      t.equal(transactionLimit(state, until - 1), 0);
      t.ok(transactionLimit(state, until) > 0);
      seconds.push((until - nowMs) / SECOND_MS);
      nowMs = until;
    }
    state = afterSuccess(state, 4, at(DAY_MS));
    t.equal(state.standing.kind, 'running');
    state = afterTrouble(state, trouble, at(DAY_MS));
    seconds.push(((waitsUntilMs(state) ?? 0) - DAY_MS) / SECOND_MS);
    return seconds;
  };
  t.same(waits(UNREACHABLE), [30, 60, 120, 240, 480, 600, 600, 600, 30]);
  t.same(waits(THROTTLED), [30, 60, 120, 240, 480, 900, 900, 900, 30]);
  t.same(waits({ ...THROTTLED, retryAfterMs: 7 * SECOND_MS }), [7, 7, 7, 7, 7, 7, 7, 7, 7]);
  t.same(waits(QUOTA), [3600, 3600, 3600, 3600, 3600, 3600, 3600, 3600, 3600]);
});

t.test(
  'a hop that throttles gets half of the transactions, and one more for every twenty that succeed',
  async (t) => {
    let state = afterTrouble(freshHop(10), THROTTLED, at(0));
    t.equal(transactionLimit(state, MINUTE_MS), 5);
    state = afterTrouble(state, THROTTLED, at(MINUTE_MS));
    t.equal(transactionLimit(state, HOUR_MS), 2);
    for (let count = 0; count < 20; count += 1) state = afterSuccess(state, 10, at(HOUR_MS));
    t.equal(transactionLimit(state, HOUR_MS), 3);
    for (let count = 0; count < 1000; count += 1) state = afterSuccess(state, 10, at(HOUR_MS));
    t.equal(transactionLimit(state, HOUR_MS), 10);
    for (let count = 0; count < 9; count += 1)
      state = afterTrouble(state, THROTTLED, at((2 + count) * HOUR_MS));
    t.equal(transactionLimit(state, 20 * HOUR_MS), 1);
  },
);

t.test('a hop that could not be reached is tried with one transaction first', async (t) => {
  const state = afterTrouble(freshHop(10), UNREACHABLE, at(0));
  t.equal(transactionLimit(state, 30 * SECOND_MS), 1);
  t.equal(transactionLimit(afterSuccess(state, 10, at(31 * SECOND_MS)), 31 * SECOND_MS), 10);
});

t.test('what began before the trouble is the same trouble, unless it is worse', async (t) => {
  const paused = afterTrouble(freshHop(4), UNREACHABLE, at(1000));
  t.equal(afterTrouble(paused, UNREACHABLE, at(1001, 0)), paused);
  t.equal(afterSuccess(paused, 4, at(1001, 0)), paused, 'nor does it end the wait');
  t.equal(afterTrouble(paused, MISCONFIGURED, at(1001, 0)).standing.kind, 'held');
  const held = afterTrouble(paused, MISCONFIGURED, at(1001, 0));
  t.equal(afterTrouble(held, QUOTA, at(1002, 0)), held);
  t.equal(afterSuccess(held, 4, at(1002, 0)), held);
});

t.test('a hop that only an administrator can mend is tried with one message every 15 minutes', async (t) => {
  let state = afterTrouble(freshHop(10), MISCONFIGURED, at(0));
  t.match(state.standing, {
    kind: 'held',
    by: 'trouble',
    reason: '535 5.7.139',
    advice: 'switch it on',
    since: 0,
  });
  t.equal(transactionLimit(state, 15 * MINUTE_MS - 1), 0);
  t.equal(transactionLimit(state, 15 * MINUTE_MS), 1);
  state = afterTrouble(state, { ...MISCONFIGURED, reason: '550 5.7.30' }, at(15 * MINUTE_MS));
  t.match(state.standing, { kind: 'held', reason: '550 5.7.30', since: 0 }, 'held since the first time');
  state = afterTrouble(state, UNREACHABLE, at(30 * MINUTE_MS));
  t.match(state.standing, { kind: 'held', reason: '550 5.7.30' }, 'which is more than being unreachable');
  t.equal(waitsUntilMs(state), 45 * MINUTE_MS);
  state = afterNothing(state, at(45 * MINUTE_MS));
  t.equal(waitsUntilMs(state), HOUR_MS, 'a message that did not get as far as the hop proves nothing');
  t.equal(afterSuccess(state, 10, at(HOUR_MS)).standing.kind, 'running');
});

t.test('an administrator`s hold is lifted by an administrator only', async (t) => {
  const hold = { by: 'administrator', reason: 'moving house', since: 5 as UnixMs } as const;
  let state: HopState = afterHoldSaid(freshHop(4), hold, 100);
  t.equal(transactionLimit(state, DAY_MS), 0);
  t.equal(waitsUntilMs(state), undefined);
  state = afterSuccess(state, 4, at(200));
  state = afterTrouble(state, MISCONFIGURED, at(200));
  state = afterDayUsed(state, 1000, 10, 200);
  state = afterChange(state, 4, 300);
  t.match(state.standing, { kind: 'held', by: 'administrator', reason: 'moving house' });
  t.equal(afterHoldSaid(state, hold, 400), state);
  t.equal(afterHoldSaid(state, undefined, 400).standing.kind, 'running');
});

t.test(
  'a hold for trouble of an earlier run is tried at once, and a changed configuration tries everything',
  async (t) => {
    const hold = { by: 'trouble', reason: '535', since: 5 as UnixMs } as const;
    const held = afterHoldSaid(freshHop(4), hold, 100);
    t.equal(transactionLimit(held, 100), 1);
    t.equal(transactionLimit(afterChange(afterTrouble(held, MISCONFIGURED, at(200)), 4, 300), 300), 1);
    t.equal(afterChange(afterTrouble(freshHop(2), QUOTA, at(0)), 5, 1).standing.kind, 'running');
    t.equal(transactionLimit(afterChange(afterTrouble(freshHop(2), THROTTLED, at(0)), 5, 1), 1), 5);
    const done = afterDayUsed(freshHop(2), 5 * HOUR_MS, 10_000, 0);
    t.match(done.standing, { kind: 'paused', cause: 'day', untilMs: 5 * HOUR_MS });
    t.equal(transactionLimit(done, 5 * HOUR_MS), 2);
  },
);
