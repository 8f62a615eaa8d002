/**
 * Mailboxes as such: names, parents, UIDVALIDITY, subscriptions, and what happens to those that are gone.
 */

import type { AccountId, MailboxId } from '../../../src/base/ids.ts';
import type { Change } from '../../../src/store/contract/feed.ts';
import type { MailboxName } from '../../../src/store/contract/mailboxes.ts';
import type { Store } from '../../../src/store/contract/store.ts';
import {
  ALL,
  AT,
  addTenant,
  append,
  draftOf,
  entriesOf,
  flagsOf,
  MESSAGE,
  NO_FLAGS,
  type ContractTests,
  uidsOf,
} from './house.ts';

/** The suite of mailboxes. */
export const MAILBOX_TESTS: ContractTests = {
  'flags come as entries do, without what never changes': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    await append(store, inbox, 1_300);
    const { mailboxes } = store;
    await mailboxes.setFlags(inbox, [{ first: 400, last: 800 }], 'add', { system: 1, keywords: ['Work'] });
    await mailboxes.setFlags(inbox, [{ first: 801, last: 801 }], 'add', {
      system: 0,
      keywords: ['work', 'Other'],
    });
    for (const range of [
      { first: 1, last: 4_294_967_295 },
      { first: 700, last: 1200 },
      { first: 5, last: 4 },
    ]) {
      const read: unknown[] = [];
      for await (const slice of mailboxes.flags(inbox, range)) {
        t.ok(slice.length > 0 && slice.length <= 500);
        read.push(...slice);
      }
      const entries = await entriesOf(store, inbox, range);
      t.strictSame(read, entries.map(flagsOf));
    }
  },

  'a new account has INBOX and the special-use mailboxes, subscribed': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const list = await store.mailboxes.list(accountId);
    t.same(
      list.map(({ name, specialUse }) => [name, specialUse]),
      [
        [['INBOX'], undefined],
        [['Drafts'], 'Drafts'],
        [['Junk'], 'Junk'],
        [['Sent'], 'Sent'],
        [['Trash'], 'Trash'],
      ],
    );
    t.same(
      await store.mailboxes.subscriptions(accountId),
      list.map(({ name }) => name),
    );
    t.equal(new Set(list.map(({ uidValidity }) => uidValidity)).size, 5, 'each has a UIDVALIDITY of its own');
  },

  'creating a mailbox creates its missing parents; names are exact': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const made = await store.mailboxes.create(accountId, ['a', 'b/c', 'ü"\\\u0000,]'], 'Archive');
    t.match(made, { accountId, name: ['a', 'b/c', 'ü"\\\u0000,]'], specialUse: 'Archive' });
    t.same(await store.mailboxes.find(accountId, made.name), made);
    t.match(made.objectId, /^[0-9a-f]{32}$/);
    t.not((await store.mailboxes.find(accountId, ['a']))?.objectId, made.objectId);
    t.same((await store.mailboxes.status(made.id)).mailbox, made);
    t.ok(await store.mailboxes.find(accountId, ['a']));
    t.ok(await store.mailboxes.find(accountId, ['a', 'b/c']));
    t.equal(await store.mailboxes.find(accountId, ['A']), undefined);
    t.equal(await store.mailboxes.find(accountId, ['a', 'b', 'c']), undefined);
    await t.rejects(store.mailboxes.create(accountId, ['a']), { code: 'mailboxExists' });
    await t.rejects(store.mailboxes.create(accountId, ['INBOX']), { code: 'mailboxExists' });
    await t.rejects(store.mailboxes.create(accountId, []), { code: 'invalid' });
    await t.rejects(store.mailboxes.create(accountId, ['x', '']), { code: 'invalid' });
    await t.rejects(store.mailboxes.create(accountId, Array(1000).fill('x')), { code: 'limit' });
    await t.rejects(store.mailboxes.create(accountId, ['x'.repeat(100_000)]), { code: 'limit' });
    await t.rejects(store.mailboxes.create(4711 as AccountId, ['x']), { code: 'notFound' });
    t.equal(await store.mailboxes.find(accountId, ['x']), undefined, 'a refused name leaves no parents');
  },

  'the list has the INBOX first, then names in order, children after their parent': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    for (const name of [['b'], ['a', 'z'], ['a!'], ['a', 'b'], ['INBOX', 'x']])
      await store.mailboxes.create(accountId, name);
    const names = (await store.mailboxes.list(accountId)).map(({ name }) => name.join('/'));
    t.same(names, ['INBOX', 'Drafts', 'INBOX/x', 'Junk', 'Sent', 'Trash', 'a', 'a/b', 'a/z', 'a!', 'b']);
  },

  'a mailbox that is removed and made anew has a higher UIDVALIDITY': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    let last = 0;
    for (let round = 0; round < 5; round += 1) {
      const made = await store.mailboxes.create(accountId, ['again']);
      t.ok(made.uidValidity > last, `${made.uidValidity} after ${last}`);
      t.equal((await store.mailboxes.status(made.id)).uidValidity, made.uidValidity);
      last = made.uidValidity;
      await store.mailboxes.remove(accountId, ['again']);
    }
  },

  'removing takes the entries along, and refuses the INBOX and a parent': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const { id } = await store.mailboxes.create(accountId, ['a', 'b']);
    await append(store, id, 3);
    await t.rejects(store.mailboxes.remove(accountId, ['a']), { code: 'mailboxHasChildren' });
    await t.rejects(store.mailboxes.remove(accountId, ['INBOX']), { code: 'cannot' });
    await t.rejects(store.mailboxes.remove(accountId, ['none']), { code: 'mailboxMissing' });
    t.equal((await store.mailboxes.usage(accountId)).messages, 3);
    await store.mailboxes.remove(accountId, ['a', 'b']);
    t.same(await store.mailboxes.usage(accountId), { octets: 0, messages: 0 });
    await store.mailboxes.remove(accountId, ['a']);
    t.equal(await store.mailboxes.find(accountId, ['a']), undefined);
  },

  'every method that names a mailbox rejects when it is gone': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const { id: gone } = await store.mailboxes.create(accountId, ['gone']);
    await store.mailboxes.remove(accountId, ['gone']);
    const { mailboxes } = store;
    const draft = await draftOf(store, MESSAGE);
    const appendix = { draft, flags: NO_FLAGS, internalDate: { at: AT, zoneMinutes: 0 } };
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      status: () => mailboxes.status(gone),
      claimRecent: () => mailboxes.claimRecent(gone),
      entries: () => entriesOf(store, gone),
      changes: () => mailboxes.changes(gone, 0),
      append: () => mailboxes.append(gone, [appendix]),
      setFlags: () => mailboxes.setFlags(gone, ALL, 'add', NO_FLAGS),
      expunge: () => mailboxes.expunge(gone, undefined, false),
      'copy from': () => mailboxes.copy(gone, ALL, inbox),
      'copy to': () => mailboxes.copy(inbox, ALL, gone),
      'move from': () => mailboxes.move(gone, ALL, inbox),
      'move to': () => mailboxes.move(inbox, ALL, gone),
    };
    for (const [name, call] of Object.entries(calls))
      await t.rejects(call(), { code: 'mailboxMissing' }, name);
  },

  'renaming takes children along, makes parents, and keeps ids, UIDs and UIDVALIDITY': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const parent = await store.mailboxes.create(accountId, ['a']);
    const child = await store.mailboxes.create(accountId, ['a', 'b', '🐌']);
    const neighbour = await store.mailboxes.create(accountId, ['a2', 'b']);
    await append(store, child.id, 2);
    await store.mailboxes.rename(accountId, ['a'], ['new', 'place', 'Ä']);
    t.equal((await store.mailboxes.find(accountId, ['new', 'place', 'Ä']))?.id, parent.id);
    const moved = await store.mailboxes.find(accountId, ['new', 'place', 'Ä', 'b', '🐌']);
    t.match(moved, { id: child.id, uidValidity: child.uidValidity, objectId: child.objectId });
    t.same(await uidsOf(store, child.id), [1, 2]);
    t.ok(await store.mailboxes.find(accountId, ['new', 'place']));
    t.equal(await store.mailboxes.find(accountId, ['a']), undefined);
    t.same(await store.mailboxes.find(accountId, ['a2', 'b']), neighbour);
  },

  'renaming refuses what is missing, taken, or below itself': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    await store.mailboxes.create(accountId, ['a', 'b']);
    const rename = (from: MailboxName, to: MailboxName) => store.mailboxes.rename(accountId, from, to);
    await t.rejects(rename(['none'], ['x']), { code: 'mailboxMissing' });
    await t.rejects(rename(['a'], ['Sent']), { code: 'mailboxExists' });
    await t.rejects(rename(['a'], ['INBOX']), { code: 'mailboxExists' });
    await t.rejects(rename(['a'], ['a', 'b', 'c']), { code: 'cannot' });
    await t.rejects(rename(['a'], ['']), { code: 'invalid' });
    await t.rejects(rename(['a'], Array(1000).fill('x')), { code: 'limit' });
    const deep = Array.from({ length: 30 }, () => 'x');
    await store.mailboxes.create(accountId, ['deep', ...deep]);
    await t.rejects(
      rename(['deep'], ['much', 'too', 'deep']),
      { code: 'limit' },
      'a child would be too deep',
    );
    await rename(['a', 'b'], ['b']);
    t.ok(await store.mailboxes.find(accountId, ['b']), 'up a level');
    await rename(['a'], ['b', 'a']);
    t.ok(await store.mailboxes.find(accountId, ['b', 'a']), 'down below another');
  },

  'renaming the INBOX moves its messages and leaves it empty, with its children': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    await append(store, inbox, 3, { system: 1, keywords: ['$Label'] });
    await store.mailboxes.create(accountId, ['INBOX', 'child']);
    await store.mailboxes.rename(accountId, ['INBOX'], ['old', 'mail']);
    t.equal((await store.mailboxes.find(accountId, ['INBOX']))?.id, inbox);
    t.match(await store.mailboxes.status(inbox), { messages: 0, octets: 0, uidNext: 4 });
    t.ok(await store.mailboxes.find(accountId, ['INBOX', 'child']));
    const target = await store.mailboxes.find(accountId, ['old', 'mail']);
    const entries = await entriesOf(store, target?.id ?? (0 as MailboxId));
    t.equal(entries.length, 3);
    t.same(entries[0]?.flags, { system: 1, keywords: ['$Label'] });
  },

  'subscriptions need no mailbox, may be repeated, and outlive it': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const { mailboxes } = store;
    await mailboxes.setSubscribed(accountId, ['none', 'such'], true);
    await mailboxes.setSubscribed(accountId, ['none', 'such'], true);
    await mailboxes.setSubscribed(accountId, ['Sent'], false);
    await mailboxes.setSubscribed(accountId, ['Sent'], false);
    await mailboxes.remove(accountId, ['Junk']);
    const names = (await mailboxes.subscriptions(accountId)).map((name) => name.join('/'));
    t.same(names, ['INBOX', 'Drafts', 'Junk', 'Trash', 'none/such']);
    await t.rejects(mailboxes.setSubscribed(accountId, [''], true), { code: 'invalid' });
    await t.rejects(mailboxes.setSubscribed(4711 as AccountId, ['x'], true), { code: 'notFound' });
  },

  'an account is removed with all that it had': async (t, { storeOf }) => {
    const store = await storeOf();
    const { address, accountId, inbox } = await addTenant(store);
    await append(store, inbox, 3);
    const changes = heard(store);
    await store.directory.removeAccount(address);
    t.same(await store.mailboxes.list(accountId), []);
    t.same(await store.mailboxes.subscriptions(accountId), []);
    await t.rejects(store.mailboxes.status(inbox), { code: 'mailboxMissing' });
    t.ok(changes.some((change) => change.kind === 'mailboxRemoved' && change.mailboxId === inbox));
  },
};

function heard(store: Store): readonly Change[] {
  const changes: Change[] = [];
  store.feed.subscribe((change) => changes.push(change));
  return changes;
}
