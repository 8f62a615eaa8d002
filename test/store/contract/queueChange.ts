/**
 * What an administrator changes in the queue, what its clock is asked, holds and use of hops.
 */

import type { UnixMs } from '../../../src/base/clock.ts';
import type { QueueId } from '../../../src/base/ids.ts';
import type { QueueItem } from '../../../src/store/contract/queue.ts';
import type { QueueChange, QueueSelection } from '../../../src/store/contract/queueWork.ts';
import { AT, type ContractTests, draftOf, MESSAGE, plannedDelivery } from './house.ts';
import { HOP, item, OTHER_HOP, queue, request } from './queueWork.ts';

/** The suite of the queue's clock, of changes and of hops. */
export const QUEUE_CHANGE_TESTS: ContractTests = {
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
      const { hops, ...numbers } = await store.queue.change(selection, what, now);
      t.same(numbers, { spared: 0, ...expected });
      t.equal(hops.length > 0, expected.changed > 0, `${what.kind}: the hops of what was changed`);
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
    t.same(await changing, { changed: 2_500, spared: 0, hops: [HOP] });
    t.same(namesOf(await store.queue.list({ state: 'waiting' }, 10)), 'l', 'what came later is not meant');
    t.same(await store.queue.change({ recipient: '@example.org' }, { kind: 'delete' }, AT), {
      changed: 2_501,
      spared: 0,
      hops: [HOP],
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

    const learned = { reason: 'The password is wrong.', since: AT };
    await view.holdHopForTrouble(HOP, learned);
    await view.holdHopForTrouble(HOP, undefined);
    t.same(
      await view.heldHops(),
      [{ nextHop: HOP, ...said }],
      'what is learned leaves an administrator`s hold',
    );
    await view.holdHopForTrouble(OTHER_HOP, learned);
    await view.holdHopForTrouble(OTHER_HOP, { ...learned, reason: 'It has expired.' });
    t.match((await view.heldHops())[0], { nextHop: OTHER_HOP, by: 'trouble', reason: 'It has expired.' });
    await view.holdHopForTrouble(OTHER_HOP, undefined);
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
};

/** The first letter of each recipient. */
function namesOf(items: readonly QueueItem[]): string {
  return items.map(({ recipient }) => recipient[0]).join('');
}
