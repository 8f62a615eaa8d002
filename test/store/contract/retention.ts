/**
 * What POP3 deletes and is retained: where it goes, what it counts, and how it comes back.
 */

import { unixMs } from '../../../src/base/clock.ts';
import type { AccountId, MailboxId } from '../../../src/base/ids.ts';
import { FLAG, type UidRange } from '../../../src/store/contract/mailboxes.ts';
import { FETCHED_MAILBOX } from '../../../src/store/contract/retention.ts';
import type { Store } from '../../../src/store/contract/store.ts';
import { TEST_CLOCK_START } from '../../support/clock.ts';
import {
  ALL,
  AT,
  addTenant,
  append,
  type ContractTests,
  deliver,
  draftOf,
  entriesOf,
  MESSAGE,
  NO_FLAGS,
  uidsOf,
} from './house.ts';

const FIELDS = { protocol: 'pop3' };
const EVER = unixMs(0);

/** The retention suite. */
export const RETENTION_TESTS: ContractTests = {
  'what is retained leaves the INBOX for ever and is in Fetched, with flags and dates': async (t, under) => {
    const store = await under.storeOf();
    const { accountId, inbox } = await addTenant(store);
    for (let count = 0; count < 3; count += 1) await deliver(store, MESSAGE, [accountId]);
    await store.mailboxes.setFlags(inbox, only(3), 'add', { system: FLAG.seen, keywords: ['Work'] });
    t.same(await store.mailboxes.retain(inbox, [...only(1), ...only(3), ...only(9)], FIELDS), [1, 3]);
    t.same(await uidsOf(store, inbox), [2]);
    const fetched = await fetchedOf(store, accountId);
    const entries = await entriesOf(store, fetched);
    t.match(entries, [
      { uid: 1, flags: NO_FLAGS, internalDate: { at: AT }, savedAt: TEST_CLOCK_START },
      { uid: 2, flags: { system: FLAG.seen, keywords: ['Work'] } },
    ]);
    t.same(await store.mailboxes.retain(inbox, ALL.slice(0, 0), FIELDS), []);
    t.same(await store.mailboxes.retain(inbox, only(1), FIELDS), [], 'another one has been quicker');
    t.equal((await store.mailboxes.status(inbox)).uidNext, 4, 'no UID comes again');
    t.same((await store.mailboxes.expungedUids(inbox, 0)).expunged, [1, 3], 'IMAP sessions hear of it');
    const newest = await store.mailboxes.retainedEntries(fetched, EVER, 1);
    t.match(newest, [{ uid: 2, octets: MESSAGE.length, retainedAt: TEST_CLOCK_START }]);
    t.same(await store.mailboxes.retainedUids(fetched, EVER), [1, 2]);
    t.same(await store.mailboxes.retainedUids(fetched, unixMs(TEST_CLOCK_START + 1)), []);
    const subscribed = await store.mailboxes.subscriptions(accountId);
    t.notOk(
      subscribed.some(([name]) => name === 'Fetched'),
      'nobody is led there',
    );
  },

  'a mailbox Fetched that was there is used, and what was in it is not retained': async (t, under) => {
    const store = await under.storeOf();
    const { accountId, inbox } = await addTenant(store);
    const { id } = await store.mailboxes.create(accountId, FETCHED_MAILBOX);
    await append(store, id, 2);
    await append(store, inbox, 2);
    await store.mailboxes.retain(inbox, ALL, FIELDS);
    t.same(await uidsOf(store, id), [1, 2, 3, 4]);
    t.same(await store.mailboxes.retainedUids(id, EVER), [3, 4]);
    t.same(await store.mailboxes.retained(accountId), { octets: 2 * MESSAGE.length, messages: 2 });
    t.same(await store.mailboxes.usage(accountId), { octets: 2 * MESSAGE.length, messages: 2 });
  },

  'what is retained is not counted against the quota, until it is taken back': async (t, under) => {
    const store = await under.storeOf();
    const { accountId, inbox } = await addTenant(store, 2 * MESSAGE.length);
    await append(store, inbox, 2);
    await t.rejects(append(store, inbox, 1), { code: 'overQuota' });
    await store.mailboxes.retain(inbox, ALL, FIELDS);
    t.same(await store.mailboxes.usage(accountId), { octets: 0, messages: 0 });
    await append(store, inbox, 2);
    const fetched = await fetchedOf(store, accountId);
    await t.rejects(store.mailboxes.move(fetched, ALL, inbox), { code: 'overQuota' });
    t.same(await uidsOf(store, fetched), [1, 2], 'and nothing has moved');
    await store.mailboxes.retain(inbox, ALL, FIELDS);
    t.same((await store.mailboxes.move(fetched, only(2), inbox)).to, [5], 'a UID that no client has seen');
    t.same(await store.mailboxes.usage(accountId), { octets: MESSAGE.length, messages: 1 });
    t.same(await store.mailboxes.retained(accountId), { octets: 3 * MESSAGE.length, messages: 3 });
  },

  'the sums of what is retained follow copies, moves, expunges and removed mailboxes': async (t, under) => {
    const store = await under.storeOf();
    const { accountId, inbox } = await addTenant(store);
    await append(store, inbox, 6);
    await store.mailboxes.retain(inbox, ALL, FIELDS);
    const fetched = await fetchedOf(store, accountId);
    const retained = async () => (await store.mailboxes.retained(accountId)).messages;
    await store.mailboxes.copy(fetched, only(1), inbox);
    t.equal(await retained(), 6, 'a copy elsewhere is an entry like any other');
    await store.mailboxes.move(fetched, only(1), inbox);
    await store.mailboxes.expunge(fetched, only(2), false);
    t.equal(await retained(), 4);
    await store.mailboxes.move(fetched, only(3), fetched);
    t.equal(await retained(), 3, 'what somebody has put there by himself');
    t.same(await store.mailboxes.usage(accountId), { octets: 3 * MESSAGE.length, messages: 3 });
    await store.mailboxes.rename(accountId, FETCHED_MAILBOX, ['Kept']);
    t.equal(await retained(), 3, 'a new name changes nothing');
    await store.mailboxes.remove(accountId, ['Kept']);
    t.same(await store.mailboxes.retained(accountId), { octets: 0, messages: 0 });
  },

  'the trace tells of a message that was retained and restored': async (t, under) => {
    const store = await under.storeOf();
    const { accountId, address, inbox } = await addTenant(store);
    await deliver(store, MESSAGE, [accountId]);
    await append(store, inbox, 1);
    await store.mailboxes.copy(inbox, only(1), inbox);
    await store.mailboxes.retain(inbox, ALL, { protocol: 'pop3', account: address });
    const fetched = await fetchedOf(store, accountId);
    await store.mailboxes.move(fetched, ALL, inbox);
    const entries = await entriesOf(store, inbox);
    t.equal(entries.length, 3);
    const traces = await store.trace.findByAddress('in@tenant.example', 1000);
    const trace = traces.find(({ events }) => events.some(({ fields }) => fields.account === address));
    t.same(
      trace?.events.map(({ kind, fields }) => [kind, fields]).slice(-2),
      [
        ['retained', { protocol: 'pop3', account: address, mailbox: 'Fetched', uid: 1 }],
        ['restored', { mailbox: 'INBOX', fetchedUid: 1 }],
      ],
      'once, though it was there twice',
    );
  },

  'retaining keeps other entries and a full list of keywords intact, or does nothing': async (t, under) => {
    const store = await under.storeOf();
    const { accountId, inbox } = await addTenant(store);
    const { id } = await store.mailboxes.create(accountId, FETCHED_MAILBOX);
    const keywords = Array.from({ length: store.mailboxes.keywordLimit }, (_none, index) => `k${index}`);
    await append(store, id, 1, { system: 0, keywords });
    const draft = await draftOf(store, MESSAGE);
    const internalDate = { at: AT, zoneMinutes: 0 };
    await append(store, inbox, 2);
    await store.mailboxes.append(inbox, [{ draft, flags: { system: 0, keywords: ['more'] }, internalDate }]);
    await t.rejects(store.mailboxes.retain(inbox, ALL, FIELDS), { code: 'limit' });
    t.same(await uidsOf(store, inbox), [1, 2, 3], 'all or none');
    t.same(await uidsOf(store, id), [1]);
  },

  'a fetch of what is gone, and of a mailbox that is gone, is no error': async (t, under) => {
    const store = await under.storeOf();
    const { accountId, inbox } = await addTenant(store);
    await store.mailboxes.markFetched(inbox, ALL);
    const { id } = await store.mailboxes.create(accountId, ['x']);
    await store.mailboxes.remove(accountId, ['x']);
    await store.mailboxes.markFetched(id, ALL);
    await t.rejects(store.mailboxes.retain(id, ALL, FIELDS), { code: 'mailboxMissing' });
  },
};

function only(uid: number): readonly UidRange[] {
  return [{ first: uid, last: uid }];
}

async function fetchedOf(store: Store, accountId: AccountId): Promise<MailboxId> {
  const mailbox = await store.mailboxes.find(accountId, FETCHED_MAILBOX);
  if (mailbox === undefined) throw new Error('there is no mailbox Fetched');
  return mailbox.id;
}
