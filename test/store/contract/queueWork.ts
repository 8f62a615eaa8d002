/**
 * Work on the queue: leases, what becomes of items, what an administrator changes, holds and use of hops.
 */

import type { QueueId } from '../../../src/base/ids.ts';
import type { UnixMs } from '../../../src/base/clock.ts';
import type { NextHop, PlannedQueueItem, QueueItem } from '../../../src/store/contract/queue.ts';
import type {
  LeasedMessage,
  LeaseRequest,
  QueueChange,
  QueueSelection,
  QueueSettlement,
} from '../../../src/store/contract/queueWork.ts';
import type { Store } from '../../../src/store/contract/store.ts';
import {
  AT,
  addTenant,
  type ContractTests,
  draftOf,
  entriesOf,
  MESSAGE,
  plannedDelivery,
  plannedItem,
} from './house.ts';

const HOP: NextHop = { kind: 'relay', name: 'exchange' };
const OTHER_HOP: NextHop = { kind: 'drop', name: 'exchange' };
const LEASE_MS = 60_000;

/** The suite of leasing, settling and changing. */
export const QUEUE_WORK_TESTS: ContractTests = {
  'all recipients of a message for a hop are leased together, up to the limits': async (t, { newStore }) => {
    const store = await newStore();
    const first = await queue(store, [item('a'), item('b'), { ...item('c'), nextHop: OTHER_HOP }, item('d')]);
    const second = await queue(store, [item('e')]);
    const third = await queue(store, [item('f')]);
    const leased = await store.queue.lease({ ...request(AT), messageLimit: 2 });
    t.same(idsOf(leased), [[first[0], first[1], first[3]], [second[0]]]);
    t.match(leased[0]?.[0], {
      id: first[0],
      recipient: 'a@example.org',
      state: 'leased',
      leasedUntil: AT + LEASE_MS,
      attempts: 0,
      octets: MESSAGE.length,
      isSubmitted: false,
    });
    t.same(idsOf(await store.queue.lease(request(AT))), [[third[0]]]);
    t.same(await store.queue.lease(request(AT)), [], 'nothing is leased twice');
    t.same(idsOf(await store.queue.lease({ ...request(AT), nextHop: OTHER_HOP })), [[first[2]]]);
    t.same(await store.queue.lease({ ...request(AT), nextHop: { kind: 'relay', name: 'unheard-of' } }), []);
  },

  'what a message has more of than fits stays due': async (t, { newStore }) => {
    const store = await newStore();
    const ids = await queue(store, [item('a'), item('b'), item('c'), item('d'), item('e')]);
    const limited = { ...request(AT), messageLimit: 1, recipientLimit: 2 };
    t.same(idsOf(await store.queue.lease(limited)), [ids.slice(0, 2)]);
    t.same(idsOf(await store.queue.lease({ ...limited, messageLimit: 5 })), [ids.slice(2, 4), ids.slice(4)]);
  },

  'higher priorities are leased first, then what is due for longest, then what was made first': async (
    t,
    { newStore },
  ) => {
    const store = await newStore();
    const [low] = await queue(store, [{ ...item('low'), priority: -10 }]);
    const [plain] = await queue(store, [item('plain')]);
    const [late] = await queue(store, [item('late')], 20);
    const [early] = await queue(store, [item('early')], -20);
    const [same] = await queue(store, [item('same')]);
    const [high, sibling] = await queue(store, [{ ...item('high'), priority: 10 }, item('sibling')], 10);
    t.same(idsOf(await store.queue.lease({ ...request(AT, 10), messageLimit: 3 })), [
      [high, sibling],
      [early],
      [plain],
    ]);
    t.same(idsOf(await store.queue.lease(request(AT, 10))), [[same], [low]]);
    t.same(idsOf(await store.queue.lease(request(AT, 20))), [[late]]);
  },

  'a lease that has ended passes its items on, and a start puts all leases back': async (t, { newStore }) => {
    const store = await newStore();
    const ids = await queue(store, [item('a'), item('b')]);
    await store.queue.lease(request(AT));
    t.same(await store.queue.lease(request(AT, LEASE_MS - 1)), []);
    t.same(idsOf(await store.queue.lease(request(AT, LEASE_MS))), [ids]);
    const [other] = await queue(store, [{ ...item('c'), nextHop: OTHER_HOP }]);
    await store.queue.lease({ ...request(AT), nextHop: OTHER_HOP });
    t.equal(await store.queue.releaseLeases(), 3);
    t.equal(await store.queue.releaseLeases(), 0);
    t.match(await store.queue.list({}, 10), [
      { state: 'waiting', leasedUntil: undefined },
      { state: 'waiting' },
      { id: other, state: 'waiting' },
    ]);
    t.same(idsOf(await store.queue.lease(request(AT))), [ids]);
  },

  'a settled item leaves the queue, waits again, or is held, and its trace tells it': async (
    t,
    { newStore },
  ) => {
    const store = await newStore();
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const queued = ['done', 'deferred', 'own', 'held', 'told'].map(item);
    const { queued: ids } = await store.deliveries.deliver({ ...plan, queued });
    const [done, deferred, own, held, told] = ids as [QueueId, QueueId, QueueId, QueueId, QueueId];
    await store.queue.lease(request(AT));
    const later = (AT + 120_000) as UnixMs;
    const event = (kind: 'relayed' | 'deferred' | 'held') =>
      ({ at: AT, kind, fields: { hop: 'relay' } }) as const;
    const reply = `450 4.2.1 ${'x'.repeat(2000)}\r\nX`;
    await store.queue.settle([
      { kind: 'done', id: done, event: event('relayed') },
      {
        kind: 'deferred',
        id: deferred,
        nextAttemptAt: later,
        isAttempt: true,
        reply,
        event: event('deferred'),
      },
      { kind: 'deferred', id: own, nextAttemptAt: later, isAttempt: false },
      { kind: 'held', id: held, reply: 'no way', event: event('held') },
      { kind: 'delayTold', id: told },
    ]);
    const items = await store.queue.list({}, 10);
    t.match(items, [
      { id: deferred, state: 'waiting', attempts: 1, nextAttemptAt: later, leasedUntil: undefined },
      { id: own, state: 'waiting', attempts: 0, nextAttemptAt: later, lastReply: undefined },
      { id: held, state: 'held', attempts: 0, lastReply: 'no way' },
      { id: told, state: 'leased' },
    ]);
    t.equal(items[0]?.lastReply?.length, 1000);
    t.same(await store.queue.find(deferred), items[0]);
    t.equal(await store.queue.find(done), undefined);
    const kinds = (await store.trace.find(plan.traceId))?.events.slice(6).map(({ kind }) => kind);
    t.same(kinds, ['relayed', 'deferred', 'held']);
    await store.queue.settle([{ kind: 'deferred', id: deferred, nextAttemptAt: later, isAttempt: true }]);
    t.match(await store.queue.find(deferred), { attempts: 2, lastReply: items[0]?.lastReply });
  },

  'an item that is gone is passed over, with its event': async (t, { newStore }) => {
    const store = await newStore();
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const { queued: ids } = await store.deliveries.deliver({ ...plan, queued: [item('a'), item('b')] });
    const [a, b] = ids as [QueueId, QueueId];
    const event = { at: AT, kind: 'relayed', fields: {} } as const;
    await store.queue.settle([{ kind: 'done', id: a, event }]);
    await store.queue.settle([
      { kind: 'done', id: a, event },
      { kind: 'done', id: 4711 as QueueId, event },
      { kind: 'held', id: a, reply: 'x', event },
      { kind: 'done', id: b, event },
    ]);
    t.same(await store.queue.list({}, 10), []);
    const events = (await store.trace.find(plan.traceId))?.events.filter(({ kind }) => kind === 'relayed');
    t.equal(events?.length, 2);
  },

  'what an administrator holds meanwhile stays held when its attempt ends': async (t, { newStore }) => {
    const store = await newStore();
    const [id] = (await queue(store, [item('a')])) as [QueueId];
    await store.queue.lease(request(AT));
    await store.queue.change({}, { kind: 'hold' }, (AT + LEASE_MS) as UnixMs);
    await store.queue.settle([{ kind: 'deferred', id, nextAttemptAt: AT, isAttempt: true }]);
    t.match(await store.queue.find(id), { state: 'held', attempts: 1 });
  },

  'a report and what it settles are one commit, whatever becomes of the report': async (t, { newStore }) => {
    const store = await newStore();
    const { accountId, address, inbox } = await addTenant(store);
    const ids = await queue(store, [item('a'), item('b'), item('c'), item('d')]);
    const settled = (id: QueueId | undefined) => ({
      settlements: [{ kind: 'done', id: id ?? (0 as QueueId) } satisfies QueueSettlement],
      use: { nextHop: HOP, day: 7, messages: 1, recipients: 3 },
    });
    const report = async () => plannedDelivery(await draftOf(store, MESSAGE));
    const copies = [{ accountId, recipient: address }];
    const impossible = { ...item('x'), ret: 'NONE' } as unknown as PlannedQueueItem;
    const left = async () => (await store.queue.list({}, 10)).map(({ recipient }) => recipient[0]).join('');

    await t.rejects(
      store.deliveries.deliver({
        ...(await report()),
        copies,
        queued: [impossible],
        settled: settled(ids[0]),
      }),
    );
    t.equal(await left(), 'abcd', 'a poisoned report settles nothing');
    t.match(await store.queue.use(HOP, 7), { messages: 0 });
    t.same(await entriesOf(store, inbox), []);

    await store.deliveries.deliver({ ...(await report()), copies, settled: settled(ids[0]) });
    t.equal(await left(), 'bcd');
    t.equal((await entriesOf(store, inbox)).length, 1);

    await store.deliveries.deliver({ ...(await report()), settled: settled(ids[1]) });
    t.equal(await left(), 'cd', 'a report for nobody settles');

    const claims = [
      { kind: 'resend', recipient: address, key: 'c'.repeat(32), expiresAt: (AT + 1e9) as UnixMs } as const,
    ];
    await store.deliveries.deliver({ ...(await report()), copies, claims });
    const again = await store.deliveries.deliver({
      ...(await report()),
      copies,
      claims,
      settled: settled(ids[2]),
    });
    t.equal(again.duplicates.length, 1);
    t.equal(await left(), 'd', 'a report that was stored before settles');
    t.match(await store.queue.use(HOP, 7), { messages: 3, recipients: 9 });
  },

  'the clock of a queue: what is due by hop, what is delayed, what expires': async (t, { newStore }) => {
    const store = await newStore();
    const { queue: view } = store;
    t.same(await view.due(), []);
    t.equal(await view.oldestCreatedAt(), undefined);
    const later = (ms: number) => (AT + ms) as UnixMs;
    const own = { ...item('own'), expiresAt: later(50), priority: 5 };
    const [id, ownId] = (await queue(store, [item('a'), own])) as [QueueId, QueueId];
    const [b] = (await queue(store, [{ ...item('b'), nextHop: OTHER_HOP }], 10)) as [QueueId];
    const [held] = (await queue(store, [item('held')], -10)) as [QueueId];
    await view.change({ ids: [held] }, { kind: 'hold' }, AT);
    t.same(await view.due(), [
      { nextHop: OTHER_HOP, earliestAt: later(10) },
      { nextHop: HOP, earliestAt: AT },
    ]);
    await view.settle([{ kind: 'deferred', id, nextAttemptAt: later(-5), isAttempt: false }]);
    t.match((await view.due())[1], { earliestAt: later(-5) }, 'the first of all priorities');

    const delayed = async (ms: number) => (await view.delayed(later(ms), 10)).map((found) => found.id);
    const expired = async (now: number, ms: number) =>
      (await view.expired(later(now), later(ms), 10)).map((found) => found.id);
    t.equal(await view.oldestCreatedAt(), later(-10));
    t.same(await delayed(10), [held, id, ownId], 'the oldest first, held ones too');
    t.same(await view.delayed(later(10), 1), [await view.find(held)]);
    await view.settle([{ kind: 'delayTold', id: held }]);
    t.equal(await view.oldestCreatedAt(), AT);
    t.same(await delayed(11), [id, ownId, b]);
    t.same(await expired(0, 11), [id, b], 'no held one, and none that has its own time');
    t.same(await expired(50, 0), [ownId]);
    t.same(await expired(50, 10), [ownId, id]);
    t.equal((await view.expired(later(50), later(10), 1)).length, 1);
    t.match(await view.expired(later(50), later(11), 10, [HOP]), [{ id: b }], 'but for those of some hops');
    await view.lease(request(AT));
    t.same(await delayed(11), [b], 'no leased one');
    t.same(await expired(50, 11), [b]);
    t.equal(await view.oldestCreatedAt(), later(10));
    t.same(await view.due(), [{ nextHop: OTHER_HOP, earliestAt: later(10) }]);
    await view.settle([{ kind: 'done', id: b }]);
    t.equal(await view.oldestCreatedAt(), undefined);
  },

  'an administrator changes items; the trace and the feed tell it': async (t, { newStore }) => {
    const store = await newStore();
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const queued = ['a', 'b', 'c'].map(item);
    const { queued: ids } = await store.deliveries.deliver({ ...plan, queued });
    const [a, b, c] = ids as [QueueId, QueueId, QueueId];
    const now = (AT + 5000) as UnixMs;
    let heard = 0;
    t.teardown(store.feed.subscribe(({ kind }) => (heard += Number(kind === 'queue'))));
    const change = async (
      selection: QueueSelection,
      what: QueueChange,
      expected: { readonly changed: number; readonly spared?: number },
    ) => {
      const before = heard;
      t.same(await store.queue.change(selection, what, now), { spared: 0, ...expected });
      await new Promise(setImmediate);
      t.equal(
        heard > before,
        expected.changed > 0,
        `${what.kind}: the feed tells what was changed, and only that`,
      );
    };
    const of = (...some: readonly QueueId[]) => ({ ids: some });
    await change(of(a), { kind: 'hold' }, { changed: 1 });
    await change(of(a), { kind: 'hold' }, { changed: 0 });
    await change({}, { kind: 'retry' }, { changed: 2 });
    t.match(await store.queue.list({}, 3), [
      { state: 'held', nextAttemptAt: AT },
      { state: 'waiting', nextAttemptAt: now },
      { nextAttemptAt: now },
    ]);
    await change(of(a, b), { kind: 'prioritize', priority: 3 }, { changed: 2 });
    await change(of(a, b), { kind: 'prioritize', priority: 3 }, { changed: 0 });
    await change(of(a, c, a), { kind: 'reroute', nextHop: OTHER_HOP }, { changed: 2 });
    await change(of(a), { kind: 'reroute', nextHop: OTHER_HOP }, { changed: 0 });
    t.match(await store.queue.list({ nextHop: OTHER_HOP }, 3), [
      { id: a, state: 'held', nextAttemptAt: now, priority: 3 },
      { id: c, state: 'waiting', nextAttemptAt: now },
    ]);
    await change({}, { kind: 'release' }, { changed: 1 });
    t.match(await store.queue.find(a), { state: 'waiting', nextAttemptAt: now });
    await store.queue.lease({ ...request(now), nextHop: OTHER_HOP });
    await change({}, { kind: 'delete' }, { changed: 1, spared: 2 });
    await change(of(b), { kind: 'delete' }, { changed: 0 });
    t.same(
      (await store.queue.list({}, 3)).map(({ id, state }) => [id, state]),
      [
        [a, 'leased'],
        [c, 'leased'],
      ],
    );
    const events = (await store.trace.find(plan.traceId))?.events.slice(4) ?? [];
    t.same(
      events.map(({ kind, fields: { recipient } }) => `${kind} ${String(recipient)[0]}`),
      [
        'held a',
        'retried b',
        'retried c',
        'prioritized a',
        'prioritized b',
        'rerouted a',
        'rerouted c',
        'released a',
        'removed b',
      ],
    );
    t.match(events[5]?.fields, { hop: 'drop', name: 'exchange', fromHop: 'relay', fromName: 'exchange' });
    t.equal(events[0]?.at, now);
  },

  'a change is for what fits all conditions': async (t, { newStore }) => {
    const store = await newStore();
    const from = (name: string, reversePath: string) => ({ ...item(name), reversePath });
    await queue(store, [from('a', 'App@One.example'), from('b', 'app@two.example'), from('c', '')]);
    await queue(store, [{ ...from('D', 'x@one.example'), nextHop: OTHER_HOP }], 100);
    const traceId = (await store.queue.list({}, 1))[0]?.traceId;
    const selections: readonly (readonly [QueueSelection, string])[] = [
      [{}, 'abcD'],
      [{ reversePath: 'app@one.example' }, 'a'],
      [{ reversePath: '@ONE.example' }, 'aD'],
      [{ reversePath: '@one.example', nextHop: HOP }, 'a'],
      [{ reversePath: '@example' }, ''],
      [{ reversePath: '<>' }, 'c'],
      [{ reversePath: '' }, 'c'],
      [{ recipient: 'd@example.org' }, 'D'],
      [{ recipient: '@EXAMPLE.ORG', createdBefore: (AT + 100) as UnixMs }, 'abc'],
      [{ traceId }, 'abc'],
      [{ traceId, recipient: 'd@example.org' }, ''],
      [{ state: 'held' }, ''],
      [{ ids: [] }, ''],
    ];
    for (const [index, [selection, expected]] of selections.entries()) {
      const { ids, ...filter } = selection;
      const fitting = (await store.queue.list({}, 10)).filter(({ priority }) => priority > index);
      t.same(fitting, []);
      await store.queue.change(selection, { kind: 'prioritize', priority: index + 1 }, AT);
      const items = await store.queue.list({}, 10);
      const changed = items.filter(({ priority }) => priority === index + 1);
      t.equal(namesOf(changed), expected, JSON.stringify(selection));
      if (ids === undefined) t.equal(namesOf(await store.queue.list(filter, 10)), expected);
    }
  },

  'a change of many goes in slices, between which mail is taken': async (t, { newStore }) => {
    const store = await newStore();
    const many = Array.from({ length: 2_500 }, (_none, index) => item(`m${index}`));
    await queue(store, many);
    let isOver = false;
    const changing = store.queue.change({}, { kind: 'hold' }, AT).then((result) => {
      isOver = true;
      return result;
    });
    await queue(store, [item('late')]);
    t.notOk(isOver, 'mail does not wait for the end of it');
    t.same(await changing, { changed: 2_500, spared: 0 });
    t.same(namesOf(await store.queue.list({ state: 'waiting' }, 10)), 'l', 'what came later is not meant');
    t.same(await store.queue.change({ recipient: '@example.org' }, { kind: 'delete' }, AT), {
      changed: 2_501,
      spared: 0,
    });
    t.same(await store.queue.count(), []);
  },

  'a hop is held with its reason until it is let go, and what it took is counted by day': async (
    t,
    { newStore },
  ) => {
    const { queue: view } = await newStore();
    t.same(await view.heldHops(), []);
    const trouble = { by: 'trouble', reason: 'The password is wrong.', since: AT } as const;
    const said = { by: 'administrator', reason: 'Maintenance.', since: (AT + 1) as UnixMs } as const;
    await view.holdHop(HOP, trouble);
    await view.holdHop(OTHER_HOP, trouble);
    await view.holdHop(HOP, said);
    t.same(await view.heldHops(), [
      { nextHop: OTHER_HOP, ...trouble },
      { nextHop: HOP, ...said },
    ]);
    await view.holdHop(OTHER_HOP, undefined);
    await view.holdHop(OTHER_HOP, undefined);
    t.same(await view.heldHops(), [{ nextHop: HOP, ...said }]);

    const use = { nextHop: HOP, day: 20_000, messages: 1, recipients: 4 };
    t.same(await view.use(HOP, 20_000), { ...use, messages: 0, recipients: 0 });
    await view.settle([], use);
    await view.settle([], { ...use, recipients: 2 });
    await view.settle([], { ...use, day: 20_001 });
    t.same(await view.use(HOP, 20_000), { ...use, messages: 2, recipients: 6 });
    t.match(await view.use(HOP, 20_001), { messages: 1, recipients: 4 });
    t.match(await view.use(OTHER_HOP, 20_000), { messages: 0, recipients: 0 });
    await view.settle([], { ...use, day: 20_100 });
    t.match(await view.use(HOP, 20_001), { messages: 0 }, 'days that are long over are forgotten');
  },

  'attempts find room in the trace when the others have used up theirs': async (t, { newStore }) => {
    const store = await newStore();
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const { contentId, queued } = await store.deliveries.deliver({ ...plan, queued: [item('a')] });
    const [id] = queued as [QueueId];
    const fetched = { at: AT, kind: 'fetched', fields: {} } as const;
    for (let left = 150; left > 0; left -= 1) store.trace.note(contentId, fetched);
    const attempt = (number: number): QueueSettlement => ({
      kind: 'deferred',
      id,
      nextAttemptAt: AT,
      isAttempt: true,
      event: { at: AT, kind: 'deferred', fields: { attempt: number } },
    });
    await store.queue.settle([attempt(0)]);
    await store.queue.settle(Array.from({ length: 1_000 }, (_none, index) => attempt(index + 1)));
    const events = (await store.trace.find(plan.traceId))?.events ?? [];
    t.equal(events.length, 1_000);
    t.match(events.at(-1), { kind: 'deferred', fields: { moreLeftOut: true } });
  },
};

function item(name: string): PlannedQueueItem {
  return plannedItem(`${name}@example.org`, HOP);
}

function request(now: UnixMs, laterMs = 0): LeaseRequest {
  return {
    nextHop: HOP,
    now: (now + laterMs) as UnixMs,
    leasedUntil: (now + laterMs + LEASE_MS) as UnixMs,
    messageLimit: 100,
    recipientLimit: 100,
  };
}

function idsOf(messages: readonly LeasedMessage[]): readonly (readonly QueueId[])[] {
  return messages.map((message) => message.map(({ id }) => id));
}

async function queue(
  store: Store,
  queued: readonly PlannedQueueItem[],
  laterMs = 0,
): Promise<readonly QueueId[]> {
  const plan = plannedDelivery(await draftOf(store, MESSAGE));
  const acceptedAt = (AT + laterMs) as UnixMs;
  return (await store.deliveries.deliver({ ...plan, acceptedAt, queued })).queued;
}

/** The first letter of each recipient. */
function namesOf(items: readonly QueueItem[]): string {
  return items.map(({ recipient }) => recipient[0]).join('');
}
