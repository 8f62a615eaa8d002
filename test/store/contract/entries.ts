/**
 * Entries: append, flags, expunge, copy, move, what changed since, and the counters that must always be right.
 */

import { ALL_FLAGS, FLAG, type Flags } from '../../../src/store/contract/mailboxes.ts';
import {
  ALL,
  AT,
  addTenant,
  append,
  deliver,
  draftOf,
  entriesOf,
  flagsOf,
  MESSAGE,
  NO_FLAGS,
  type ContractTests,
  octetsOf,
  patterned,
  uidsOf,
} from './house.ts';

const MANY = 1_300;

/** The suite of entries. */
export const ENTRY_TESTS: ContractTests = {
  'append gives UIDs in order and keeps flags, keywords, date and octets': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    const large = patterned(600_000);
    const { uidValidity, from, to } = await store.mailboxes.append(inbox, [
      {
        draft: await draftOf(store, MESSAGE),
        flags: { system: FLAG.seen | FLAG.flagged, keywords: ['$Forwarded', 'Work'] },
        internalDate: { at: AT, zoneMinutes: -1439 },
      },
      {
        draft: await draftOf(store, large),
        flags: { system: FLAG.deleted, keywords: ['$FORWARDED'] },
        internalDate: { at: AT, zoneMinutes: 1439 },
      },
    ]);
    t.same([from, to], [[], [1, 2]]);
    const status = await store.mailboxes.status(inbox);
    t.equal(uidValidity, status.uidValidity);
    t.match(status, { messages: 2, unseen: 1, deleted: 1, keywords: ['$Forwarded', 'Work'] });
    t.equal(status.octets, MESSAGE.length + large.length);
    const [one, two] = await entriesOf(store, inbox);
    t.same(one?.flags, { system: FLAG.seen | FLAG.flagged, keywords: ['$Forwarded', 'Work'] });
    t.same(two?.flags, { system: FLAG.deleted, keywords: ['$Forwarded'] }, 'the case of the first use');
    t.same(
      [one?.internalDate.zoneMinutes, two?.internalDate.zoneMinutes, one?.internalDate.at],
      [-1439, 1439, AT],
    );
    t.ok(two !== undefined && (await octetsOf(store, two.contentId)).equals(large));
  },

  'append appends all or none': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    const internalDate = { at: AT, zoneMinutes: 0 };
    const tooMany = Array.from({ length: 101 }, (_none, index) => `k${index}`);
    const good = { draft: await draftOf(store, patterned(700_000)), flags: NO_FLAGS, internalDate };
    const bad = {
      draft: await draftOf(store, MESSAGE),
      flags: { system: 0, keywords: tooMany },
      internalDate,
    };
    await t.rejects(store.mailboxes.append(inbox, [good, bad]), { code: 'limit' });
    await t.rejects(store.mailboxes.append(inbox, []), { code: 'invalid' });
    t.match(await store.mailboxes.status(inbox), { messages: 0, uidNext: 1, keywords: [] });
    await t.rejects(store.mailboxes.append(inbox, [good]), { code: 'cannot' }, 'the draft went with it');
  },

  'the quota of the account is asked by append and copy': async (t, { storeOf }) => {
    const store = await storeOf();
    const { address, accountId, inbox } = await addTenant(store, 3 * MESSAGE.length);
    const { id: other } = await store.mailboxes.create(accountId, ['other']);
    await append(store, inbox, 2);
    await t.rejects(append(store, other, 2), { code: 'overQuota' });
    await store.mailboxes.copy(inbox, [{ first: 1, last: 1 }], other);
    await t.rejects(store.mailboxes.copy(inbox, ALL, other), { code: 'overQuota' });
    t.same(await uidsOf(store, other), [1]);
    await store.mailboxes.move(inbox, ALL, other);
    t.same(await store.mailboxes.usage(accountId), { octets: 3 * MESSAGE.length, messages: 3 });
    await store.directory.setAccount(address, { quotaOctets: null });
    await append(store, other, 2);
  },

  'entries come in slices, in UID order, within the range': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    await append(store, inbox, MANY);
    let slices = 0;
    for await (const slice of store.mailboxes.entries(inbox, { first: 1, last: 4_294_967_295 })) {
      slices += 1;
      t.ok(slice.length > 0 && slice.length <= 500);
    }
    t.ok(slices >= 3);
    t.same(
      await uidsOf(store, inbox),
      Array.from({ length: MANY }, (_none, index) => index + 1),
    );
    const some = await entriesOf(store, inbox, { first: 700, last: 1200 });
    t.same([some.length, some[0]?.uid, some.at(-1)?.uid], [501, 700, 1200]);
    t.same(await entriesOf(store, inbox, { first: MANY + 1, last: 4_294_967_295 }), []);
    t.same(await entriesOf(store, inbox, { first: 5, last: 4 }), []);
  },

  'flags are added, removed and replaced; only entries that differ change': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    await append(store, inbox, 4);
    const { mailboxes } = store;
    const before = await mailboxes.status(inbox);
    const added = await mailboxes.setFlags(inbox, [{ first: 2, last: 3 }], 'add', flags(FLAG.seen, 'Work'));
    t.same(
      added.changed.map(({ uid, flags }) => [uid, flags]),
      [
        [2, flags(FLAG.seen, 'Work')],
        [3, flags(FLAG.seen, 'Work')],
      ],
    );
    t.ok(added.changed.every(({ modSeq }) => modSeq > before.highestModSeq));
    t.match(await mailboxes.status(inbox), { unseen: 2, deleted: 0, keywords: ['Work'] });
    const again = await mailboxes.setFlags(inbox, ALL, 'add', flags(FLAG.seen, 'WORK'));
    t.same(
      again.changed.map(({ uid }) => uid),
      [1, 4],
      'the case of a keyword makes no difference',
    );
    const replaced = await mailboxes.setFlags(inbox, ALL, 'replace', flags(FLAG.deleted | FLAG.draft, 'New'));
    t.equal(replaced.changed.length, 4);
    t.match(await mailboxes.status(inbox), { unseen: 4, deleted: 4, keywords: ['Work', 'New'] });
    const removed = await mailboxes.setFlags(inbox, ALL, 'remove', flags(FLAG.deleted, 'new', 'unknown'));
    t.same(
      removed.changed.map(({ flags }) => flags),
      Array(4).fill(flags(FLAG.draft)),
    );
    t.match(await mailboxes.status(inbox), { unseen: 4, deleted: 0 });
    t.same((await mailboxes.status(inbox)).keywords, ['Work', 'New'], 'an unknown keyword is not made');
    const nothing = await mailboxes.setFlags(inbox, ALL, 'replace', flags(FLAG.draft));
    t.same(nothing, { changed: [], modified: [] });
    const status = await mailboxes.status(inbox);
    await mailboxes.setFlags(inbox, [{ first: 9, last: 99 }], 'add', flags(ALL_FLAGS));
    t.equal((await mailboxes.status(inbox)).highestModSeq, status.highestModSeq, 'nobody was touched');
  },

  'ranges may overlap, come in any order, and be many': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    await append(store, inbox, MANY);
    const odd = Array.from({ length: MANY / 2 }, (_none, index) => ({
      first: MANY - 2 * index - 1,
      last: MANY - 2 * index - 1,
    }));
    const ranges = [...odd, { first: 5, last: 9 }, { first: 7, last: 12 }, { first: 4, last: 2 }];
    const { changed } = await store.mailboxes.setFlags(inbox, ranges, 'add', flags(FLAG.seen));
    const expected = Array.from({ length: MANY }, (_none, index) => index + 1).filter(
      (uid) => uid % 2 === 1 || (uid >= 5 && uid <= 12),
    );
    t.same(
      changed.map(({ uid }) => uid),
      expected,
    );
    t.equal((await store.mailboxes.status(inbox)).unseen, MANY - expected.length);
    const copied = await store.mailboxes.copy(inbox, ranges, inbox);
    t.same(copied.from, expected);
    t.same(
      copied.to,
      expected.map((_uid, index) => MANY + 1 + index),
    );
  },

  'a conditional flag change leaves alone what changed since, and names it': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    await append(store, inbox, 3);
    const { highestModSeq } = await store.mailboxes.status(inbox);
    await store.mailboxes.setFlags(inbox, [{ first: 2, last: 2 }], 'add', flags(FLAG.flagged));
    const set = (since: number) => store.mailboxes.setFlags(inbox, ALL, 'add', flags(FLAG.seen), since);
    const outcome = await set(highestModSeq);
    t.same(outcome.modified, [2]);
    t.same(
      outcome.changed.map(({ uid }) => uid),
      [1, 3],
    );
    t.match(await store.mailboxes.status(inbox), { unseen: 1 });
    t.same((await set(0)).modified, [1, 2, 3]);
  },

  'a conditional flag change with 0 passes where a keyword is not there, and never for a system flag': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    await append(store, inbox, 2);
    await store.mailboxes.setFlags(inbox, [{ first: 2, last: 2 }], 'add', flags(0, 'mine'));
    const set = async (operation: 'add' | 'remove' | 'replace', wanted: Flags) => {
      const { changed, modified } = await store.mailboxes.setFlags(inbox, ALL, operation, wanted, 0);
      return [changed.map(({ uid }) => uid), modified];
    };
    t.same(await set('add', flags(0, 'MINE')), [[1], [2]]);
    t.same(await set('add', flags(0, 'mine', 'other')), [[], [1, 2]]);
    t.same(await set('add', flags(FLAG.seen, 'third')), [[], [1, 2]]);
    t.same(await set('replace', flags(0, 'third')), [[], [1, 2]]);
    t.same(await set('remove', flags(0, 'unheard')), [[], []]);
    t.match(await store.mailboxes.status(inbox), { unseen: 2 });
  },

  'a mailbox knows 100 keywords and no more': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    await append(store, inbox, 1);
    const names = Array.from({ length: 100 }, (_none, index) => `keyword${index}`);
    await store.mailboxes.setFlags(inbox, ALL, 'add', { system: 0, keywords: names });
    const [entry] = await entriesOf(store, inbox);
    t.same(entry?.flags.keywords, names);
    await t.rejects(store.mailboxes.setFlags(inbox, ALL, 'add', flags(0, 'one more')), { code: 'limit' });
    await t.rejects(store.mailboxes.setFlags(inbox, ALL, 'add', flags(0, 'x'.repeat(1000))), {
      code: 'limit',
    });
    await store.mailboxes.setFlags(inbox, ALL, 'remove', flags(0, 'keyword0', 'keyword49', 'keyword50'));
    const [fewer] = await entriesOf(store, inbox);
    t.equal(fewer?.flags.keywords.length, 97);
    const { id: other } = await store.mailboxes.create(accountId, ['other']);
    await append(store, other, 1, flags(0, 'first'));
    await t.rejects(store.mailboxes.setFlags(other, ALL, 'add', { system: 0, keywords: names }), {
      code: 'limit',
    });
    await store.mailboxes.setFlags(inbox, ALL, 'add', flags(0, 'keyword0', 'keyword49', 'keyword50'));
    await t.rejects(store.mailboxes.copy(inbox, ALL, other), { code: 'limit' });
    t.same((await store.mailboxes.status(other)).keywords, ['first'], 'a refused copy leaves no keywords');
  },

  'expunge removes what it is told, remembers it, and answers the UIDs in order': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    await append(store, inbox, 6);
    const { mailboxes } = store;
    await mailboxes.setFlags(inbox, [{ first: 2, last: 4 }], 'add', flags(FLAG.deleted));
    const { highestModSeq } = await mailboxes.status(inbox);
    t.same(
      await mailboxes.expunge(
        inbox,
        [
          { first: 4, last: 6 },
          { first: 2, last: 2 },
        ],
        true,
      ),
      [2, 4],
    );
    t.match(await mailboxes.status(inbox), { messages: 4, unseen: 4, deleted: 1 });
    t.same(await mailboxes.expunge(inbox, undefined, true), [3]);
    t.same(await mailboxes.expunge(inbox, undefined, true), []);
    t.same(await mailboxes.expunge(inbox, [{ first: 5, last: 5 }], false), [5]);
    t.same(await uidsOf(store, inbox), [1, 6]);
    const changes = await mailboxes.changes(inbox, highestModSeq);
    t.same([changes.changed, changes.expunged, changes.isComplete], [[], [2, 3, 4, 5], true]);
    await append(store, inbox, 1);
    t.same(await uidsOf(store, inbox), [1, 6, 7], 'a UID is never given twice');
  },

  'copy keeps flags, keywords and dates, and gives UIDs in the old order': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const { id: other } = await store.mailboxes.create(accountId, ['other']);
    await append(store, other, 1, flags(0, 'Theirs', 'Shared'));
    await append(store, inbox, 1, flags(FLAG.seen, 'Mine', 'SHARED'));
    await append(store, inbox, 1, flags(FLAG.deleted));
    await append(store, inbox, 1, flags(0, 'shared'));
    const outcome = await store.mailboxes.copy(inbox, [{ first: 1, last: 9 }], other);
    t.same(
      [outcome.from, outcome.to],
      [
        [1, 2, 3],
        [2, 3, 4],
      ],
    );
    const copies = (await entriesOf(store, other)).slice(1);
    t.same(
      copies.map(({ flags }) => flags),
      [flags(FLAG.seen, 'Shared', 'Mine'), flags(FLAG.deleted), flags(0, 'Shared')],
    );
    const originals = await entriesOf(store, inbox);
    const rest = ({ contentId, internalDate, octets, pop3Octets }: (typeof originals)[number]) => ({
      contentId,
      internalDate,
      octets,
      pop3Octets,
    });
    t.same(copies.map(rest), originals.map(rest));
    t.match(await store.mailboxes.status(other), { messages: 4, unseen: 3, deleted: 1, uidNext: 5 });
    t.same((await store.mailboxes.copy(inbox, [{ first: 50, last: 60 }], other)).to, []);
  },

  'whatever way an entry came, it has the time at which it came': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const { id: other } = await store.mailboxes.create(accountId, ['other']);
    await append(store, inbox, 2);
    await deliver(store, MESSAGE, [accountId]);
    await store.mailboxes.copy(inbox, [{ first: 1, last: 1 }], other);
    await store.mailboxes.move(inbox, [{ first: 2, last: 2 }], other);
    const entries = [...(await entriesOf(store, inbox)), ...(await entriesOf(store, other))];
    t.equal(entries.length, 4);
    for (const { savedAt } of entries) t.type(savedAt, 'number');
    const [before] = await entriesOf(store, other);
    await store.mailboxes.setFlags(other, ALL, 'add', { system: FLAG.seen, keywords: [] });
    t.equal((await entriesOf(store, other))[0]?.savedAt, before?.savedAt, 'it stays');
  },

  'move takes entries out of the one and into the other, also into itself': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const { id: other } = await store.mailboxes.create(accountId, ['other']);
    await append(store, inbox, 4, flags(FLAG.flagged, 'Mine'));
    const before = await store.mailboxes.status(inbox);
    const outcome = await store.mailboxes.move(inbox, [{ first: 2, last: 3 }], other);
    t.same(
      [outcome.from, outcome.to],
      [
        [2, 3],
        [1, 2],
      ],
    );
    t.same(await uidsOf(store, inbox), [1, 4]);
    t.same((await store.mailboxes.changes(inbox, before.highestModSeq)).expunged, [2, 3]);
    const [moved] = await entriesOf(store, other);
    t.same(moved?.flags, flags(FLAG.flagged, 'Mine'));
    t.ok(moved !== undefined && (await octetsOf(store, moved.contentId)).equals(MESSAGE));
    const itself = await store.mailboxes.move(inbox, ALL, inbox);
    t.same(
      [itself.from, itself.to],
      [
        [1, 4],
        [5, 6],
      ],
    );
    t.match(await store.mailboxes.status(inbox), { messages: 2, octets: 2 * MESSAGE.length, uidNext: 7 });
    t.same(await uidsOf(store, inbox), [5, 6]);
  },

  '\\Recent goes to whoever asks first': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    await append(store, inbox, 2);
    t.equal((await store.mailboxes.status(inbox)).firstRecentUid, 1, 'looking takes nothing');
    t.match(await store.mailboxes.claimRecent(inbox), { firstRecentUid: 1, uidNext: 3, messages: 2 });
    t.match(await store.mailboxes.claimRecent(inbox), { firstRecentUid: 3, uidNext: 3 });
    await append(store, inbox, 1);
    const both = await Promise.all([store.mailboxes.claimRecent(inbox), store.mailboxes.claimRecent(inbox)]);
    t.same(both.map(({ firstRecentUid }) => firstRecentUid).sort(), [3, 4], 'one of two gets it');
  },

  'what changed since is told once each, with what is gone, up to a named point': async (t, { storeOf }) => {
    const store = await storeOf();
    const { inbox } = await addTenant(store);
    const { mailboxes } = store;
    t.same(await mailboxes.changes(inbox, 0), {
      changed: [],
      expunged: [],
      highestModSeq: (await mailboxes.status(inbox)).highestModSeq,
      isComplete: true,
    });
    await append(store, inbox, MANY);
    const all = await mailboxes.changes(inbox, 0);
    t.same(all.changed, (await entriesOf(store, inbox)).map(flagsOf));
    await mailboxes.setFlags(inbox, [{ first: 10, last: 20 }], 'add', flags(FLAG.seen));
    await mailboxes.setFlags(inbox, [{ first: 15, last: 25 }], 'add', flags(FLAG.answered));
    await mailboxes.expunge(inbox, [{ first: 12, last: 13 }], false);
    const some = await mailboxes.changes(inbox, all.highestModSeq);
    t.same(
      some.changed.map(({ uid }) => uid),
      [10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
    );
    t.same(some.expunged, [12, 13]);
    const since = all.highestModSeq;
    t.same(
      await mailboxes.changedUids(inbox, since),
      some.changed.map(({ uid }) => uid),
    );
    t.same(await mailboxes.expungedUids(inbox, since), { expunged: [12, 13], isComplete: true });
    t.equal((await mailboxes.changedUids(inbox, 0)).length, MANY - 2);
    const beyond = Number.MAX_SAFE_INTEGER;
    t.same(await mailboxes.changedUids(inbox, beyond), []);
    t.same(await mailboxes.expungedUids(inbox, beyond), { expunged: [], isComplete: true });
    const status = await mailboxes.status(inbox);
    t.equal(some.highestModSeq, status.highestModSeq);
    const none = await mailboxes.changes(inbox, status.highestModSeq);
    t.same([none.changed, none.expunged], [[], []]);
  },
};

function flags(system: number, ...keywords: readonly string[]): Flags {
  return { system, keywords };
}
