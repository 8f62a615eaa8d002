/**
 * The queue's items, as deliveries make them, and copies that go elsewhere than into the INBOX.
 */

import { type AccountId, newTraceId, type QueueId } from '../../../src/base/ids.ts';
import type { Change } from '../../../src/store/contract/feed.ts';
import { FLAG } from '../../../src/store/contract/mailboxes.ts';
import type { PlannedQueueItem } from '../../../src/store/contract/queue.ts';
import type { Store } from '../../../src/store/contract/store.ts';
import {
  AT,
  addTenant,
  append,
  type ContractTests,
  draftOf,
  entriesOf,
  MESSAGE,
  octetsOf,
  plannedDelivery,
  plannedItem,
} from './house.ts';

/** The suite of the queue and of copies with a destination. */
export const QUEUE_TESTS: ContractTests = {
  'a delivery puts one item for each recipient into the queue, with all that was asked for it': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const full: PlannedQueueItem = {
      recipient: 'b@example.org',
      nextHop: { kind: 'relay', name: 'exchange' },
      reversePath: '',
      notify: ['SUCCESS', 'DELAY'],
      orcpt: 'rfc822;B+2Bx@example.org',
      ret: 'HDRS',
      envid: 'QQ314159',
      isSmtpUtf8: true,
      forwardedFor: 'in@app.example',
      priority: -3,
      expiresAt: (AT + 1000) as typeof AT,
      isSubmitted: true,
    };
    const plain = plannedItem('c@example.org', { kind: 'drop', name: 'files' });
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const { contentId, copies, queued } = await store.deliveries.deliver({ ...plan, queued: [full, plain] });
    t.same(copies, []);
    const common = {
      traceId: plan.traceId,
      contentId,
      octets: MESSAGE.length,
      state: 'waiting',
      attempts: 0,
      createdAt: AT,
      nextAttemptAt: AT,
      leasedUntil: undefined,
      lastReply: undefined,
    };
    t.same(await store.queue.list({ traceId: plan.traceId }, 10), [
      { ...full, ...common, id: queued[0] },
      {
        ...plain,
        ...common,
        id: queued[1],
        notify: undefined,
        orcpt: undefined,
        ret: undefined,
        envid: undefined,
        forwardedFor: undefined,
        priority: 0,
        expiresAt: undefined,
        isSubmitted: false,
      },
    ]);
    t.ok((await octetsOf(store, contentId)).equals(MESSAGE));
  },

  'the queue is listed by hop, state and message, in pages, and counted': async (t, { newStore }) => {
    const store = await newStore();
    const [relay, drop] = [
      { kind: 'relay', name: 'one' },
      { kind: 'drop', name: 'one' },
    ] as const;
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const items = Array.from({ length: 1_203 }, (_none, index) =>
      plannedItem(`r${index}@example.org`, index % 401 === 0 ? drop : relay),
    );
    const { queued } = await store.deliveries.deliver({ ...plan, queued: items });
    const other = await queue(store, [plannedItem('x@example.org', relay)]);
    const idsOf = async (filter: Parameters<Store['queue']['list']>[0], limit: number, after?: QueueId) =>
      (await store.queue.list(filter, limit, after)).map(({ id }) => id);
    t.same(await idsOf({}, 1000), queued.slice(0, 1000));
    t.same(await idsOf({}, 1000, queued[999]), [...queued.slice(1000), ...other]);
    t.same(await idsOf({ nextHop: drop }, 1000), [queued[0], queued[401], queued[802]]);
    t.same(await idsOf({ nextHop: drop, traceId: plan.traceId }, 2, queued[0]), [queued[401], queued[802]]);
    t.same(await idsOf({ traceId: plan.traceId }, 1000, queued[1200]), queued.slice(1201));
    t.same(await idsOf({ traceId: newTraceId(AT) }, 10), []);
    t.same(await idsOf({ state: 'held' }, 10), []);
    t.same(await store.queue.count(), [
      { nextHop: drop, state: 'waiting', items: 3 },
      { nextHop: relay, state: 'waiting', items: 1_201 },
    ]);
  },

  'queue items and copies are one: a delivery that fails leaves neither': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const impossible = { ...plannedItem('x@example.org'), ret: 'NONE' } as unknown as PlannedQueueItem;
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const heard = hear(store);
    await t.rejects(
      store.deliveries.deliver({
        ...plan,
        copies: [{ accountId, recipient: 'in@tenant.example' }],
        queued: [plannedItem('y@example.org'), impossible],
      }),
    );
    t.same(await store.queue.list({ traceId: plan.traceId }, 10), []);
    t.match(await store.mailboxes.status(inbox), { messages: 0, uidNext: 1 });
    t.equal(await store.trace.find(plan.traceId), undefined);
    t.same(await heard(), []);
  },

  'what is queued is told on the feed after the commit, and in the trace': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const heard = hear(store);
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const { queued } = await store.deliveries.deliver({
      ...plan,
      copies: [{ accountId, recipient: 'in@tenant.example' }],
      queued: [
        plannedItem('x@example.org'),
        { ...plannedItem('y@example.org'), via: 'team@app.example', reversePath: 'list@app.example' },
      ],
    });
    t.same(
      (await heard()).map(({ kind }) => kind),
      ['mailbox', 'queue'],
    );
    const trace = await store.trace.find(plan.traceId);
    t.same(
      trace?.events.map(({ kind }) => kind),
      ['accepted', 'stored', 'queued', 'queued'],
    );
    t.same(trace?.events[2]?.fields, {
      recipient: 'x@example.org',
      hop: 'relay',
      name: 'exchange',
      queueId: queued[0],
    });
    t.match(trace?.events[3]?.fields, {
      recipient: 'team@app.example',
      to: 'y@example.org',
      from: 'list@app.example',
    });
  },

  'very many items leave room in the trace for what comes later': async (t, { storeOf }) => {
    const store = await storeOf();
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const items = Array.from({ length: 500 }, (_none, index) => plannedItem(`r${index}@example.org`));
    const { contentId } = await store.deliveries.deliver({ ...plan, queued: items });
    store.trace.note(contentId, { at: AT, kind: 'fetched', fields: {} });
    const events = (await store.trace.find(plan.traceId))?.events ?? [];
    t.equal(events.length, 52);
    t.match(events.slice(-2), [
      { kind: 'queued', fields: { recipient: 'r49@example.org', moreItems: 450 } },
      { kind: 'fetched' },
    ]);
  },

  'what is queued for a recipient who has had the message is left out with its copies': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const claim = (recipient: string, key: string) =>
      ({ kind: 'resend', recipient, key: key.repeat(32), expiresAt: (AT + 1e9) as typeof AT }) as const;
    const team = { ...plannedItem('x@example.org'), via: 'team@app.example' };
    for (const [claims, expected] of [
      [[claim('team@app.example', 'a')], ['x@example.org', 'y@example.org']],
      [[claim('team@app.example', 'a'), claim('y@example.org', 'b')], ['y@example.org']],
      [[claim('team@app.example', 'a'), claim('y@example.org', 'b')], []],
    ] as const) {
      const plan = plannedDelivery(await draftOf(store, MESSAGE));
      const items = [team, plannedItem('y@example.org')];
      await store.deliveries.deliver({ ...plan, queued: items, claims });
      const queued = await store.queue.list({ traceId: plan.traceId }, 10);
      t.same(
        queued.map(({ recipient }) => recipient),
        expected,
      );
    }
  },

  'a delivery whose accounts are all gone is kept for its next hops, and refused without': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const gone = [{ accountId: 4711 as AccountId, recipient: 'gone@tenant.example' }];
    const kept = plannedDelivery(await draftOf(store, MESSAGE));
    const { queued } = await store.deliveries.deliver({
      ...kept,
      copies: gone,
      queued: [plannedItem('x@example.org')],
    });
    t.equal(queued.length, 1);
    const refused = plannedDelivery(await draftOf(store, MESSAGE));
    await t.rejects(store.deliveries.deliver({ ...refused, copies: gone }), { code: 'recipientUnknown' });
  },

  'a copy goes into another mailbox, made with its parents and subscribed, with its flags': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const { accountId, inbox, address } = await addTenant(store);
    const flags = { system: FLAG.seen | FLAG.flagged, keywords: ['Invoice'] };
    const mailbox = ['Archive', '2026', 'May'];
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    const { copies } = await store.deliveries.deliver({
      ...plan,
      copies: [
        { accountId, recipient: address, mailbox, flags },
        { accountId, recipient: address },
      ],
    });
    const made = await store.mailboxes.find(accountId, mailbox);
    if (made === undefined) throw new Error('the mailbox was not made');
    t.same(
      copies.map(({ mailboxId }) => mailboxId),
      [made.id, inbox],
    );
    const names = (await store.mailboxes.list(accountId)).map(({ name }) => name.join('/'));
    for (const name of ['Archive', 'Archive/2026', 'Archive/2026/May']) t.ok(names.includes(name), name);
    const subscribed = (await store.mailboxes.subscriptions(accountId)).map((name) => name.join('/'));
    for (const name of ['Archive', 'Archive/2026', 'Archive/2026/May']) t.ok(subscribed.includes(name), name);
    t.match(await entriesOf(store, made.id), [{ uid: 1, flags }]);
    t.match(await store.mailboxes.status(made.id), {
      messages: 1,
      unseen: 0,
      deleted: 0,
      octets: MESSAGE.length,
    });
    t.match(await store.mailboxes.status(inbox), { messages: 1, unseen: 1 });
    const events = (await store.trace.find(plan.traceId))?.events ?? [];
    t.same(
      events.slice(1).map(({ fields }) => fields.mailbox),
      ['Archive/2026/May', 'INBOX'],
    );
    const again = plannedDelivery(await draftOf(store, MESSAGE));
    await store.deliveries.deliver({
      ...again,
      copies: [
        {
          accountId,
          recipient: address,
          mailbox,
          flags: { system: FLAG.deleted, keywords: ['invoice', 'new'] },
        },
      ],
    });
    t.match(await store.mailboxes.status(made.id), { messages: 2, unseen: 1, deleted: 1 });
    t.match((await entriesOf(store, made.id))[1], {
      uid: 2,
      flags: { system: FLAG.deleted, keywords: ['Invoice', 'new'] },
    });
  },

  'a copy whose mailbox cannot be made goes into the INBOX, and the trace tells it': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const { accountId, inbox, address } = await addTenant(store);
    const impossible = [[], ['a', ''], Array.from({ length: 40 }, () => 'deep'), ['x'.repeat(2000)]];
    for (const mailbox of impossible) {
      const plan = plannedDelivery(await draftOf(store, MESSAGE));
      const { copies } = await store.deliveries.deliver({
        ...plan,
        copies: [{ accountId, recipient: address, mailbox }],
      });
      t.equal(copies[0]?.mailboxId, inbox);
      t.match((await store.trace.find(plan.traceId))?.events.at(-1)?.fields, { mailbox: 'INBOX' });
    }
    t.equal((await store.mailboxes.list(accountId)).length, 5, 'nothing was made on the way');
  },

  'keywords that a mailbox has no room for are left out, the message is not': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox, address } = await addTenant(store);
    const many = Array.from({ length: 99 }, (_none, index) => `k${index}`);
    await append(store, inbox, 1, { system: 0, keywords: many });
    const flags = { system: 0, keywords: ['', 'x'.repeat(500), 'K5', 'one', 'two'] };
    const plan = plannedDelivery(await draftOf(store, MESSAGE));
    await store.deliveries.deliver({ ...plan, copies: [{ accountId, recipient: address, flags }] });
    t.same((await entriesOf(store, inbox))[1]?.flags.keywords, ['k5', 'one']);
  },
};

async function queue(store: Store, items: readonly PlannedQueueItem[]): Promise<readonly QueueId[]> {
  const plan = plannedDelivery(await draftOf(store, MESSAGE));
  return (await store.deliveries.deliver({ ...plan, queued: items })).queued;
}

/** Listens from now on; the answer ends that. */
function hear(store: Store): () => Promise<readonly Change[]> {
  const heard: Change[] = [];
  const end = store.feed.subscribe((change) => heard.push(change));
  return async () => {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    end();
    return heard;
  };
}
