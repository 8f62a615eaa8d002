/**
 * The end of messages that POP3 has fetched or deleted: what the SQLite store does by itself, by a clock in the test's hands.
 */

import t from 'tap';

import type { AccountId, MailboxId } from '../../src/base/ids.ts';
import { DAY_MS, HOUR_MS } from '../../src/base/units.ts';
import { FETCHED_MAILBOX, type RetentionDays } from '../../src/store/contract/retention.ts';
import type { SqliteStore } from '../../src/store/sqlite/open.ts';
import { EXPIRY_PERIOD_MS, EXPIRY_SLICE_ENTRIES } from '../../src/store/sqlite/limits.ts';
import { createRetentionPolicy } from '../../src/accounts/retention.ts';
import { addTenant, ALL, append, deliver, MESSAGE, uidsOf } from './contract/house.ts';
import { createDataDirectory } from './dataDirectory.ts';

const FIELDS = { protocol: 'pop3' };

function policyOf(retentionDays: number, deleteAfterFetchDays: number) {
  return { retentionPolicy: createRetentionPolicy({ retentionDays, deleteAfterFetchDays }) };
}

t.test(
  'what was retained goes after its days, not before, across a restart, and the trace says so',
  async (t) => {
    const data = createDataDirectory(t);
    const first = await data.open(policyOf(7, 0));
    const { accountId, address, inbox } = await addTenant(first);
    const { contentId } = await deliver(first, MESSAGE, [accountId]);
    await deliver(first, MESSAGE, [accountId]);
    await first.mailboxes.retain(inbox, [{ first: 1, last: 1 }], FIELDS);
    data.clock.advance(4 * DAY_MS);
    await first.mailboxes.retain(inbox, [{ first: 2, last: 2 }], FIELDS);
    const fetched = await fetchedOf(first, accountId);
    await first.close();
    const second = await data.open(policyOf(7, 0));
    data.clock.advance(3 * DAY_MS - 1);
    await second.maintain();
    t.same(await uidsOf(second, fetched), [1, 2], 'a moment too early');
    data.clock.advance(1);
    await second.maintain();
    t.same(await uidsOf(second, fetched), [2]);
    await t.rejects(second.contents.open(contentId), { code: 'contentGone' });
    data.clock.advance(4 * DAY_MS);
    await second.maintain();
    t.same(await uidsOf(second, fetched), []);
    t.same(await second.mailboxes.retained(), { octets: 0, messages: 0 });
    const traces = await second.trace.findByAddress('in@tenant.example', 10);
    for (const { events } of traces) {
      t.same(
        events.map(({ kind }) => kind),
        ['accepted', 'stored', 'retained', 'expired'],
      );
      t.match(events.at(-1)?.fields, { account: address, mailbox: 'Fetched', daysRetained: 7 });
    }
  },
);

t.test('what is set for an account wins over the server, and counts at the next look', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open(policyOf(7, 0));
  const cases = [
    { settings: {}, left: 0 },
    { settings: { 'pop3.retentionDays': '30' }, left: 1 },
    { settings: { 'pop3.retentionDays': '0' }, left: 1 },
    { settings: { 'pop3.retentionDays': '2' }, left: 0 },
    { settings: { 'pop3.retentionDays': 'many' }, left: 0 },
  ];
  const tenants = [];
  for (const { settings } of cases) {
    const tenant = await addTenant(store);
    await store.directory.setAccount(tenant.address, { settings });
    await append(store, tenant.inbox, 1);
    await store.mailboxes.retain(tenant.inbox, ALL, FIELDS);
    tenants.push(tenant);
  }
  data.clock.advance(8 * DAY_MS);
  await store.maintain();
  for (const [index, { settings, left }] of cases.entries()) {
    t.equal(
      (await store.mailboxes.retained(tenants[index]?.accountId)).messages,
      left,
      JSON.stringify(settings),
    );
  }
  const kept = tenants[1];
  await store.directory.setAccount(kept?.address ?? '', { settings: { 'pop3.retentionDays': null } });
  await store.maintain();
  t.equal((await store.mailboxes.retained(kept?.accountId)).messages, 0);
});

t.test('only what was retained expires, under whatever name its mailbox has', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open(policyOf(1, 0));
  const { accountId, inbox } = await addTenant(store);
  const { id } = await store.mailboxes.create(accountId, FETCHED_MAILBOX);
  await append(store, id, 1);
  await append(store, inbox, 4);
  await store.mailboxes.retain(inbox, ALL, FIELDS);
  await store.mailboxes.move(id, [{ first: 2, last: 2 }], inbox);
  await store.mailboxes.move(id, [{ first: 3, last: 3 }], id);
  await store.mailboxes.rename(accountId, FETCHED_MAILBOX, ['Trash', 'Fetched']);
  data.clock.advance(2 * DAY_MS);
  await store.maintain();
  t.same(await uidsOf(store, id), [1, 6], 'what was there before, and what somebody has put there');
  t.same(await uidsOf(store, inbox), [5], 'what was restored');
});

t.test('more than a slice of messages goes, and mail is delivered between the slices', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open(policyOf(1, 0));
  const { accountId, inbox } = await addTenant(store);
  const count = 4 * EXPIRY_SLICE_ENTRIES + 1;
  for (let left = count; left > 0; left -= 100) await append(store, inbox, Math.min(left, 100));
  await store.mailboxes.retain(inbox, ALL, FIELDS);
  data.clock.advance(2 * DAY_MS);
  const fetched = await fetchedOf(store, accountId);
  const expiry = store.maintain();
  let isOver = false;
  void expiry.then(() => {
    isOver = true;
  });
  await deliver(store, MESSAGE, [accountId]);
  t.notOk(isOver, 'the delivery did not wait for all of it');
  await expiry;
  t.same(await uidsOf(store, fetched), []);
  t.equal((await store.mailboxes.status(fetched)).messages, 0);
  t.equal((await uidsOf(store, inbox)).length, 1);
});

t.test('days count from the first fetch that is known, while the setting is on', async (t) => {
  const data = createDataDirectory(t);
  const off = await data.open();
  const { accountId, inbox } = await addTenant(off);
  await append(off, inbox, 3);
  await off.mailboxes.markFetched(inbox, [{ first: 1, last: 2 }]);
  data.clock.advance(5 * DAY_MS);
  await off.mailboxes.markFetched(inbox, [{ first: 1, last: 1 }]);
  await off.maintain();
  t.same(await uidsOf(off, inbox), [1, 2, 3], 'it is off');
  const { id } = await off.mailboxes.create(accountId, ['copy']);
  await off.mailboxes.move(inbox, [{ first: 2, last: 2 }], id);
  await off.mailboxes.move(id, ALL, inbox);
  await off.close();
  const on = await data.open(policyOf(0, 5));
  await on.maintain();
  t.same(await uidsOf(on, inbox), [3, 4], 'never fetched, and fetched as another message');
  t.equal(await on.mailboxes.find(accountId, FETCHED_MAILBOX), undefined, 'nothing is retained');
  await on.mailboxes.markFetched(inbox, ALL);
  data.clock.advance(5 * DAY_MS - 1);
  await on.maintain();
  t.same(await uidsOf(on, inbox), [3, 4]);
  data.clock.advance(1);
  await on.maintain();
  t.same(await uidsOf(on, inbox), []);
});

t.test('with both settings a fetched message is retained first, and goes some days later', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { accountId, address, inbox } = await addTenant(store);
  await deliver(store, MESSAGE, [accountId]);
  await store.mailboxes.markFetched(inbox, ALL);
  await store.close();
  const both: RetentionDays = { retentionDays: 3, deleteAfterFetchDays: 2 };
  const next = await data.open({ retentionPolicy: () => both });
  data.clock.advance(2 * DAY_MS);
  await next.maintain();
  t.same(await uidsOf(next, inbox), []);
  const fetched = await fetchedOf(next, accountId);
  t.same(await uidsOf(next, fetched), [1]);
  data.clock.advance(3 * DAY_MS);
  await next.maintain();
  t.same(await uidsOf(next, fetched), []);
  const [trace] = await next.trace.findByAddress('in@tenant.example', 1);
  t.match(trace?.events.slice(-2), [
    { kind: 'retained', fields: { account: address, mailbox: 'Fetched', uid: 1, daysAfterFetch: 2 } },
    { kind: 'expired', fields: { account: address, mailbox: 'Fetched', uid: 1, daysRetained: 3 } },
  ]);
});

t.test('the store looks by itself, at its start and then every ten minutes', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open(policyOf(1, 0));
  const { accountId, inbox } = await addTenant(store);
  await append(store, inbox, 1);
  await store.mailboxes.retain(inbox, ALL, FIELDS);
  await store.maintain();
  data.clock.advance(DAY_MS - EXPIRY_PERIOD_MS);
  // A job that comes behind whatever has begun.
  await append(store, inbox, 1);
  t.equal((await store.mailboxes.retained(accountId)).messages, 1);
  data.clock.advance(HOUR_MS);
  // The test's own time-out is the limit.
  while ((await store.mailboxes.retained(accountId)).messages > 0)
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
});

async function fetchedOf(store: SqliteStore, accountId: AccountId): Promise<MailboxId> {
  const mailbox = await store.mailboxes.find(accountId, FETCHED_MAILBOX);
  if (mailbox === undefined) throw new Error('there is no mailbox Fetched');
  return mailbox.id;
}
