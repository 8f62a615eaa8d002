/**
 * Work on the queue: leases, what becomes of items, what an administrator changes, holds and use of hops.
 */

import type { QueueId } from '../../../src/base/ids.ts';
import type { UnixMs } from '../../../src/base/clock.ts';
import type { NextHop, PlannedQueueItem } from '../../../src/store/contract/queue.ts';
import type { LeasedMessage, LeaseRequest, QueueSettlement } from '../../../src/store/contract/queueWork.ts';
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

/** Where items of these suites go unless said. */
export const HOP: NextHop = { kind: 'relay', name: 'exchange' };
/** Another hop, of the same name. */
export const OTHER_HOP: NextHop = { kind: 'drop', name: 'exchange' };
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

/** An item for `<name>@example.org`. */
export function item(name: string): PlannedQueueItem {
  return plannedItem(`${name}@example.org`, HOP);
}

/** A lease of all that is due at a time. */
export function request(now: UnixMs, laterMs = 0): LeaseRequest {
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

/** Queues items of one message, and answers their ids. */
export async function queue(
  store: Store,
  queued: readonly PlannedQueueItem[],
  laterMs = 0,
): Promise<readonly QueueId[]> {
  const plan = plannedDelivery(await draftOf(store, MESSAGE));
  const acceptedAt = (AT + laterMs) as UnixMs;
  return (await store.deliveries.deliver({ ...plan, acceptedAt, queued })).queued;
}
