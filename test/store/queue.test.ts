/**
 * The queue's rows in the SQLite store: what they keep from being swept, that they survive, what ten thousand of them cost, and that
 * every question to them is a range of an index.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import t from 'tap';

import type { ContentId, QueueId } from '../../src/base/ids.ts';
import { Connection, openForWriting } from '../../src/store/sqlite/connection.ts';
import { selectDueHops, selectHolds, selectUse } from '../../src/store/sqlite/hopQueries.ts';
import type { JobContext } from '../../src/store/sqlite/jobs/context.ts';
import { JOBS } from '../../src/store/sqlite/jobs/table.ts';
import { migrate, readSchemaSteps } from '../../src/store/sqlite/migrate.ts';
import {
  hasQueueItem,
  selectAged,
  selectDelayed,
  selectExpired,
  selectItem,
  selectOldestCreatedAt,
} from '../../src/store/sqlite/queueQueries.ts';
import { threadMs } from '../support/threadTime.ts';
import {
  ALL,
  AT,
  addTenant,
  draftOf,
  octetsOf,
  patterned,
  plannedDelivery,
  plannedItem,
} from './contract/house.ts';
import { createDataDirectory } from './dataDirectory.ts';

const OCTETS = patterned(700_000);

t.setTimeout(300_000);

t.test('a content stays while an item of the queue needs it, and goes with the last one', async (t) => {
  const data = createDataDirectory(t);
  let store = await data.open();
  const { accountId, address, inbox } = await addTenant(store);
  const plan = plannedDelivery(await draftOf(store, OCTETS));
  const { contentId } = await store.deliveries.deliver({
    ...plan,
    copies: [{ accountId, recipient: address }],
    queued: [plannedItem('x@example.org'), plannedItem('y@example.org')],
  });
  const onlyQueued = await store.deliveries.deliver({
    ...plannedDelivery(await draftOf(store, OCTETS)),
    queued: [plannedItem('z@example.org')],
  });
  await store.mailboxes.expunge(inbox, ALL, false);
  await store.directory.removeAccount(address);
  await store.maintain();
  await store.close();
  t.equal(data.ask('SELECT count(*) FROM entry'), 0, 'no entry keeps them');

  store = await data.open();
  await store.maintain();
  t.equal((await store.queue.list({}, 10)).length, 3, 'the items outlive the process');
  for (const id of [contentId, onlyQueued.contentId]) t.ok((await octetsOf(store, id)).equals(OCTETS));
  await store.close();

  store = await data.open();
  const [x, y] = await store.queue.list({}, 10);
  if (x === undefined || y === undefined) throw new Error('the items are gone');
  await store.queue.settle([{ kind: 'done', id: x.id }]);
  await store.maintain();
  t.ok((await octetsOf(store, contentId)).equals(OCTETS), 'the other item keeps it');
  await store.queue.settle([{ kind: 'done', id: y.id }]);
  await store.maintain();
  await t.rejects(store.contents.open(contentId), { code: 'contentGone' });
  t.ok((await octetsOf(store, onlyQueued.contentId)).equals(OCTETS));
  t.equal((await store.queue.list({}, 10)).length, 1);
  await store.close();
  t.equal(data.ask('SELECT count(*) FROM queue_state'), 1, 'what changes of an item goes with it');
});

t.test('a list of 10,000 is queued in one delivery, and listed without holding up anybody', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const items = Array.from({ length: 10_000 }, (_none, index) => plannedItem(`member${index}@example.org`));
  const plan = plannedDelivery(await draftOf(store, OCTETS));
  const { queued } = await store.deliveries.deliver({ ...plan, queued: items });
  t.equal(queued.length, 10_000);
  let counted = Number.POSITIVE_INFINITY;
  // The collector of garbage may come by once.
  for (let attempt = 0; attempt < 3 && counted >= 10; attempt += 1) {
    const begun = threadMs();
    t.match(await store.queue.count(), [{ items: 10_000 }]);
    counted = threadMs() - begun;
  }
  t.ok(counted < 10, `${counted} ms to count`);
  t.same((await store.queue.list({ nextHop: { kind: 'drop', name: 'x' } }, 10)).length, 0);
  await store.close();
});

t.test('whoever reads a content reads it to its end when its item goes meanwhile', async (t) => {
  const store = await createDataDirectory(t).open();
  const plan = plannedDelivery(await draftOf(store, OCTETS));
  const { contentId, queued } = await store.deliveries.deliver({
    ...plan,
    queued: [plannedItem('x@example.org')],
  });
  const content = await store.contents.open(contentId);
  const pieces: Buffer[] = [];
  for await (const piece of content.read(0, OCTETS.length)) {
    pieces.push(piece);
    await store.queue.change({ ids: queued }, { kind: 'delete' }, AT);
    await store.maintain();
  }
  t.ok(Buffer.concat(pieces).equals(OCTETS));
  await store.maintain();
  await t.rejects(store.contents.open(contentId), { code: 'contentGone' }, 'and then it is swept');
});

t.test(
  'attempts, replies, holds and use outlive the process, and leases too until they are put back',
  async (t) => {
    const data = createDataDirectory(t);
    let store = await data.open();
    const plan = plannedDelivery(await draftOf(store, OCTETS));
    const nextHop = { kind: 'relay', name: 'exchange' } as const;
    const { queued } = await store.deliveries.deliver({
      ...plan,
      queued: [plannedItem('x@example.org'), plannedItem('y@example.org')],
    });
    const [id = 0 as QueueId] = queued;
    const leasedUntil = (AT + 1000) as typeof AT;
    await store.queue.lease({ nextHop, now: AT, leasedUntil, messageLimit: 1, recipientLimit: 2 });
    await store.queue.settle(
      [{ kind: 'deferred', id, nextAttemptAt: AT, isAttempt: true, reply: '450 later' }],
      { nextHop, day: 7, messages: 1, recipients: 2 },
    );
    await store.queue.holdHop(nextHop, { by: 'trouble', reason: 'Nothing goes.', since: AT });
    const before = await store.queue.list({}, 10);
    await store.close();

    store = await data.open();
    t.same(await store.queue.list({}, 10), before);
    t.match(before, [
      { state: 'waiting', attempts: 1, lastReply: '450 later' },
      { state: 'leased', leasedUntil },
    ]);
    t.same(await store.queue.heldHops(), [{ nextHop, by: 'trouble', reason: 'Nothing goes.', since: AT }]);
    t.match(await store.queue.use(nextHop, 7), { messages: 1, recipients: 2 });
    t.equal(await store.queue.releaseLeases(), 1);
  },
);

t.test(
  'items that were queued before there was sending are there after the upgrade, and can be sent',
  async (t) => {
    const data = createDataDirectory(t);
    mkdirSync(data.directory);
    const path = join(data.directory, 'hauspost.db');
    const db = openForWriting(path);
    migrate(db, path, readSchemaSteps().slice(0, 13));
    db.script(`INSERT INTO content (id, octets, pop3_octets, return_path_octets, sha256, trace_id)
      VALUES (1, 100, 100, 0, zeroblob(32), '01M8G9F5JSGC9PR52XTQ');
    INSERT INTO orphan VALUES (1, 0);
    UPDATE meta SET content_ids_reserved = 1025;
    INSERT INTO next_hop (kind, name) VALUES ('relay', 'exchange');
    INSERT INTO queue_item (content_id, trace_id, reverse_path, recipient, is_smtp_utf8, created_at, expires_at)
      VALUES (1, '01M8G9F5JSGC9PR52XTQ', '', 'x@example.org', 0, 5000, NULL),
             (1, '01M8G9F5JSGC9PR52XTQ', 'a@example.org', 'y@example.org', 1, 5001, 9000),
             (1, '01M8G9F5JSGC9PR52XTQ', 'a@example.org', 'z@example.org', 0, 5002, NULL);
    INSERT INTO queue_state VALUES (1, 1, 0, 0, 0, 5000, NULL), (2, 1, 0, 3, 2, 6000, NULL), (3, 1, 2, 0, 0, 5002, NULL);
    INSERT INTO queue_reply VALUES (2, 5500, '450 later')`);
    db.close();
    const store = await data.open();
    await store.maintain();
    const common = { traceId: '01M8G9F5JSGC9PR52XTQ', contentId: 1, octets: 100, isSubmitted: false };
    t.match(await store.queue.list({}, 10), [
      {
        ...common,
        id: 1,
        recipient: 'x@example.org',
        state: 'waiting',
        createdAt: 5000,
        nextAttemptAt: 5000,
      },
      {
        ...common,
        id: 2,
        attempts: 2,
        priority: 3,
        createdAt: 5001,
        expiresAt: 9000,
        lastReply: '450 later',
      },
      { ...common, id: 3, state: 'held', createdAt: 5002 },
    ]);
    const { queue } = store;
    t.match(await queue.delayed(AT, 10), [{ id: 1 }, { id: 2 }, { id: 3 }]);
    t.match(await queue.expired(AT, AT, 10), [{ id: 2 }, { id: 1 }]);
    const nextHop = { kind: 'relay', name: 'exchange' } as const;
    const limits = { messageLimit: 1, recipientLimit: 10 };
    t.match(await queue.lease({ nextHop, now: AT, leasedUntil: AT, ...limits }), [[{ id: 2 }, { id: 1 }]]);
    const { queued } = await store.deliveries.deliver({
      ...plannedDelivery(await draftOf(store, OCTETS)),
      queued: [plannedItem('new@example.org')],
    });
    t.same(queued, [4], 'no id is given twice');
  },
);

t.test(
  'no question of a scheduler looks at rows that it does not want, however many wait or are held',
  async (t) => {
    const data = createDataDirectory(t);
    const store = await data.open();
    await store.deliveries.deliver({
      ...plannedDelivery(await draftOf(store, OCTETS)),
      queued: Array.from({ length: 10_000 }, (_none, index) => plannedItem(`m${index}@example.org`)),
    });
    await store.close();
    const path = join(data.directory, 'hauspost.db');
    const database = new Sqlite(path);
    const asked = new Set<string>();
    const prepare = database.prepare.bind(database);
    database.prepare = ((sql: string) => {
      asked.add(sql);
      return prepare(sql);
    }) as typeof database.prepare;
    const db = new Connection(database);
    const context = { now: AT, batch: 1, publish: () => undefined } as unknown as JobContext;
    const nextHop = { kind: 'relay', name: 'exchange' } as const;
    const lease = (now: number) =>
      JOBS.lease(db, {
        nextHop,
        now: now as typeof AT,
        leasedUntil: (now + 1) as typeof AT,
        messageLimit: 100,
        recipientLimit: 1000,
      });
    const all = { kind: 'deferred', nextAttemptAt: (AT + 10) as typeof AT, isAttempt: true } as const;
    const ids = lease(AT).flat();
    t.equal(ids.length, 1000, 'one lease is bounded');
    JOBS.settle(
      db,
      {
        settlements: ids.map((id) => ({ ...all, id })),
        use: { nextHop, day: 1, messages: 1, recipients: 1 },
      },
      context,
    );
    JOBS.releaseLeases(db, undefined, context);
    for (const ask of [
      () => selectDueHops(db),
      () => selectHolds(db),
      () => selectUse(db, nextHop, 1),
      () => selectDelayed(db, AT, 10),
      () => selectExpired(db, AT, 10, []),
      () => selectAged(db, AT, 10, []),
      () => selectOldestCreatedAt(db),
      () => selectItem(db, 1 as QueueId),
      () => hasQueueItem(db, 1 as ContentId),
    ])
      ask();
    for (const sql of asked) {
      if (!/^\s*(SELECT|UPDATE|DELETE)/.test(sql)) continue;
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`);
      const details = plan.all(...Array.from(sql.matchAll(/\?/g), () => 1)) as { detail: string }[];
      const bad = details.filter(({ detail }) => /SCAN queue_\w+$|TEMP B-TREE/.test(detail));
      t.same(bad, [], sql);
      if (sql.includes('next_attempt_at <= ?'))
        t.match(details[0]?.detail, /INDEX .*next_attempt_at<\?/, sql);
    }
    database.close();
  },
);
