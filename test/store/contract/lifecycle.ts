/**
 * The feed, health, and the end of a store.
 */

import type { AccountId, MailboxId } from '../../../src/base/ids.ts';
import type { Change } from '../../../src/store/contract/feed.ts';
import type { Store } from '../../../src/store/contract/store.ts';
import {
  ALL,
  AT,
  addTenant,
  append,
  deliver,
  entriesOf,
  MESSAGE,
  NO_FLAGS,
  type ContractTests,
} from './house.ts';

/** The suite of the feed, health and closing. */
export const LIFECYCLE_TESTS: ContractTests = {
  'whoever listens to a mailbox hears of it alone; whoever listens to all hears all': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const one = await addTenant(store);
    const other = await addTenant(store);
    const all: Change[] = [];
    const mine: Change[] = [];
    store.feed.subscribe((change) => all.push(change));
    const leave = store.feed.subscribeMailbox(one.inbox, (change) => mine.push(change));
    await deliver(store, MESSAGE, [other.accountId]);
    await nextTurn();
    t.same(mine, []);
    t.match(all, [{ kind: 'mailbox', mailboxId: other.inbox }]);
    await deliver(store, MESSAGE, [one.accountId]);
    await nextTurn();
    const { highestModSeq } = await store.mailboxes.status(one.inbox);
    t.same(mine, [{ kind: 'mailbox', mailboxId: one.inbox, modSeq: highestModSeq }]);
    leave();
    leave();
    await deliver(store, MESSAGE, [one.accountId]);
    await nextTurn();
    t.equal(mine.length, 1);
    t.equal(all.length, 3);
  },

  'every change of a mailbox, of the list and of the directory is on the feed': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const { id: other } = await store.mailboxes.create(accountId, ['other']);
    const { mailboxes } = store;
    const steps: readonly (readonly [string, () => Promise<unknown>, readonly string[]])[] = [
      ['append', () => append(store, inbox, 2), [`mailbox ${inbox}`]],
      [
        'flags',
        () => mailboxes.setFlags(inbox, ALL, 'add', { system: 1, keywords: [] }),
        [`mailbox ${inbox}`],
      ],
      ['no flags', () => mailboxes.setFlags(inbox, ALL, 'add', NO_FLAGS), []],
      ['copy', () => mailboxes.copy(inbox, ALL, other), [`mailbox ${other}`]],
      ['move', () => mailboxes.move(inbox, ALL, other), [`mailbox ${inbox}`, `mailbox ${other}`]],
      ['expunge', () => mailboxes.expunge(other, undefined, false), [`mailbox ${other}`]],
      ['expunge nothing', () => mailboxes.expunge(other, undefined, false), []],
      ['create', () => mailboxes.create(accountId, ['a', 'b']), [`mailboxList ${accountId}`]],
      ['rename', () => mailboxes.rename(accountId, ['a'], ['c']), [`mailboxList ${accountId}`]],
      ['subscribe', () => mailboxes.setSubscribed(accountId, ['x'], true), [`mailboxList ${accountId}`]],
      [
        'remove',
        () => mailboxes.remove(accountId, ['other']),
        [`mailboxList ${accountId}`, `mailboxRemoved ${other}`],
      ],
      ['directory', () => store.directory.addDomain('more.example', {}), ['directory']],
    ];
    for (const [name, run, expected] of steps) {
      const heard: Change[] = [];
      const leave = store.feed.subscribe((change) => heard.push(change));
      await run();
      await nextTurn();
      leave();
      t.same([...new Set(heard.map(describe))].sort(), [...expected].sort(), name);
    }
  },

  'whoever listens to a mailbox hears that it is gone': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const { id } = await store.mailboxes.create(accountId, ['gone']);
    const heard: Change[] = [];
    store.feed.subscribeMailbox(id, (change) => heard.push(change));
    await store.mailboxes.remove(accountId, ['gone']);
    await nextTurn();
    t.same(heard, [{ kind: 'mailboxRemoved', mailboxId: id }]);
  },

  'a listener that throws keeps nobody else from hearing': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    let heard = 0;
    store.feed.subscribeMailbox(inbox, () => {
      throw new Error('a fault of this room');
    });
    store.feed.subscribeMailbox(inbox, () => {
      heard += 1;
    });
    await deliver(store, MESSAGE, [accountId]);
    await nextTurn();
    t.equal(heard, 1);
  },

  'a nudge comes when what it tells of can be read': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const seen = new Promise<number>((resolve) => {
      store.feed.subscribeMailbox(inbox, () => {
        void store.mailboxes.status(inbox).then(({ messages }) => resolve(messages));
      });
    });
    await deliver(store, MESSAGE, [accountId]);
    t.equal(await seen, 1);
  },

  'an open store is healthy and knows how much room there is': async (t, { storeOf }) => {
    const store = await storeOf();
    const health = await store.health();
    t.match(health, { kind: 'healthy' });
    t.ok((health.freeOctets ?? 0) > 0);
  },

  'closing finishes what was asked and refuses the rest': async (t, { newStore }) => {
    const store = await newStore();
    const { accountId, inbox } = await addTenant(store);
    await append(store, inbox, 600);
    const asked = [
      ...Array.from({ length: 20 }, () => deliver(store, MESSAGE, [accountId])),
      store.mailboxes.changes(inbox, 0),
      store.mailboxes.setFlags(inbox, ALL, 'add', { system: 1, keywords: [] }),
    ];
    // A delivery writes its draft first; from then on it is asked for.
    await nextTurn();
    const closed = store.close();
    const results = await Promise.allSettled(asked);
    t.same(
      results.filter(({ status }) => status === 'rejected'),
      [],
    );
    await closed;
    await store.close();
    for (const [name, call] of Object.entries(callsOf(store, accountId, inbox)))
      await t.rejects(call(), { code: 'shuttingDown' }, name);
  },
};

function callsOf(
  store: Store,
  accountId: AccountId,
  inbox: MailboxId,
): Readonly<Record<string, () => Promise<unknown>>> {
  const { mailboxes } = store;
  return {
    deliver: () => deliver(store, MESSAGE, [accountId]),
    list: () => mailboxes.list(accountId),
    find: () => mailboxes.find(accountId, ['INBOX']),
    create: () => mailboxes.create(accountId, ['x']),
    remove: () => mailboxes.remove(accountId, ['x']),
    rename: () => mailboxes.rename(accountId, ['x'], ['y']),
    subscriptions: () => mailboxes.subscriptions(accountId),
    setSubscribed: () => mailboxes.setSubscribed(accountId, ['x'], true),
    status: () => mailboxes.status(inbox),
    claimRecent: () => mailboxes.claimRecent(inbox),
    entries: () => entriesOf(store, inbox),
    changes: () => mailboxes.changes(inbox, 0),
    usage: () => mailboxes.usage(accountId),
    append: () => append(store, inbox, 1),
    setFlags: () => mailboxes.setFlags(inbox, ALL, 'add', NO_FLAGS),
    expunge: () => mailboxes.expunge(inbox, undefined, false),
    copy: () => mailboxes.copy(inbox, ALL, inbox),
    move: () => mailboxes.move(inbox, ALL, inbox),
    retain: () => mailboxes.retain(inbox, ALL, {}),
    markFetched: () => mailboxes.markFetched(inbox, ALL),
    retainedEntries: () => mailboxes.retainedEntries(inbox, AT, 1),
    retainedUids: () => mailboxes.retainedUids(inbox, AT),
    retained: () => mailboxes.retained(accountId),
    'directory read': () => store.directory.domains(),
    'directory write': () => store.directory.addDomain('x.example', {}),
    'directory routes': () => store.directory.routes(),
    'queue list': () => store.queue.list({}, 1),
    'queue count': () => store.queue.count(),
    open: () => store.contents.open(1 as never),
    openAll: () => store.contents.openAll([1 as never]),
    derived: () => store.contents.derived([1 as never]),
  };
}

function describe(change: Change): string {
  switch (change.kind) {
    case 'mailbox':
    case 'mailboxRemoved':
      return `${change.kind} ${change.mailboxId}`;
    case 'mailboxList':
      return `${change.kind} ${change.accountId}`;
    case 'queue':
    case 'directory':
      return change.kind;
  }
}

/** Listeners may be called after the promise of the change is settled. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
