/**
 * The queue's rows in the SQLite store: what they keep from being swept, that they survive, and what ten thousand of them cost.
 */

import t from 'tap';

import { threadMs } from '../support/threadTime.ts';
import {
  ALL,
  addTenant,
  draftOf,
  octetsOf,
  patterned,
  plannedDelivery,
  plannedItem,
} from './contract/house.ts';
import { createDataDirectory } from './dataDirectory.ts';

const OCTETS = patterned(700_000);

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
  const begun = threadMs();
  t.match(await store.queue.count(), [{ items: 10_000 }]);
  const counted = threadMs() - begun;
  t.ok(counted < 10, `${counted} ms to count`);
  t.same((await store.queue.list({ nextHop: { kind: 'drop', name: 'x' } }, 10)).length, 0);
  await store.close();
});
