/**
 * What the SQLite store does by itself: sweeping and holds, the reserve of the disk and its health, derived data that is
 * made anew, and the log.
 */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

import { MailError } from '../../src/base/error.ts';
import type { ContentId } from '../../src/base/ids.ts';
import { DAY_MS, HOUR_MS, MIB } from '../../src/base/units.ts';
import { FLAG } from '../../src/store/contract/mailboxes.ts';
import { FreeSpace } from '../../src/store/sqlite/freeSpace.ts';
import { checkHealth } from '../../src/store/sqlite/health.ts';
import { EXPUNGED_KEPT, EXPUNGED_SLACK, REMOVAL_SLICE_ENTRIES } from '../../src/store/sqlite/limits.ts';
import { createTestClock, TEST_CLOCK_START } from '../support/clock.ts';
import {
  addTenant,
  deliver,
  deliverDraft,
  draftOf,
  MESSAGE,
  octetsOf,
  patterned,
  plain,
} from './contract/house.ts';
import { createDataDirectory } from './dataDirectory.ts';

const WHOLE = [{ first: 1, last: 4_294_967_295 }];
const NO_FLAGS = { system: 0, keywords: [] };
const MULTIPART = Buffer.from(
  'Subject: two\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n',
);

t.test('drafts that a dead process left are swept at the next start', async (t) => {
  const data = createDataDirectory(t);
  const first = await data.open();
  await addTenant(first);
  await draftOf(first, patterned(2_000_000));
  await first.close();
  t.ok(Number(data.ask('SELECT count(*) FROM chunk')) > 0, 'they were on disk');
  const second = await data.open();
  await second.maintain();
  await second.close();
  t.equal(data.ask('SELECT count(*) FROM chunk'), 0);
  t.equal(data.ask('SELECT count(*) FROM draft'), 0);
  t.equal(data.ask('SELECT count(*) FROM orphan'), 0);
});

t.test('a draft is swept when it is discarded, refused, or left alone for an hour', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { accountId, inbox } = await addTenant(store);
  const discarded = await draftOf(store, patterned(1_000_000));
  discarded.discard();
  const refused = await draftOf(store, patterned(1_000_000));
  const flags = { system: 0, keywords: Array.from({ length: 101 }, (_none, index) => `k${index}`) };
  const internalDate = { at: TEST_CLOCK_START, zoneMinutes: 0 };
  await t.rejects(store.mailboxes.append(inbox, [{ draft: refused, flags, internalDate }]), {
    code: 'limit',
  });
  const idle = await draftOf(store, patterned(1_000_000));
  const busy = await draftOf(store, patterned(1_000_000));
  data.clock.advance(HOUR_MS / 2);
  await busy.write(patterned(1_000_000));
  data.clock.advance(HOUR_MS / 2 + 1);
  await store.maintain();
  await t.rejects(idle.write(MESSAGE), { code: 'cannot' });
  const { contentId } = await deliverDraft(store, busy, [accountId]);
  t.equal(data.ask('SELECT count(DISTINCT id / 16384) FROM chunk'), 1);
  t.equal((await octetsOf(store, contentId)).length, 2_000_000);
  t.equal(data.ask('SELECT count(*) FROM draft'), 0);
  await store.close();
});

t.test('a content goes when its last entry has gone and no hold may need it', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { accountId, inbox } = await addTenant(store);
  const { id: other } = await store.mailboxes.create(accountId, ['other']);
  const { contentId } = await deliver(store, patterned(12 * MIB), [accountId]);
  await store.mailboxes.copy(inbox, [{ first: 1, last: 1 }], other);
  await store.mailboxes.expunge(inbox, undefined, false);
  await store.maintain();
  t.equal((await octetsOf(store, contentId)).length, 12 * MIB, 'the copy keeps it');
  const content = await store.contents.open(contentId);
  const hold = store.mailboxes.hold();
  await store.mailboxes.expunge(other, undefined, false);
  const later = store.mailboxes.hold();
  await store.maintain();
  t.equal((await octetsOf(store, contentId)).length, 12 * MIB, 'the hold keeps it');
  hold.renew();
  await store.maintain();
  await t.rejects(store.contents.open(contentId), { code: 'contentGone' });
  await t.rejects(store.contents.derived([contentId]), { code: 'contentGone' });
  await t.rejects(firstOf(content.read(0, 1)), { code: 'contentGone' });
  t.equal(data.ask('SELECT count(*) FROM chunk'), 0, 'in as many slices as it takes');
  t.equal(data.ask('SELECT count(*) FROM derived'), 0);
  later.release();
  hold.release();
  await store.close();
});

t.test('a removed mailbox, a removed account and a delivery to nobody leave no octets', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { address, accountId } = await addTenant(store);
  const { id } = await store.mailboxes.create(accountId, ['a']);
  await deliver(store, MESSAGE, [accountId]);
  await deliver(store, MESSAGE, []);
  await store.mailboxes.copy((await store.mailboxes.find(accountId, ['INBOX']))?.id ?? id, WHOLE, id);
  await store.mailboxes.remove(accountId, ['a']);
  await store.maintain();
  t.equal(data.ask('SELECT count(*) FROM chunk'), 1);
  await store.directory.removeAccount(address);
  await store.maintain();
  for (const table of ['chunk', 'content', 'derived', 'orphan', 'entry', 'mailbox', 'subscription'])
    t.equal(data.ask(`SELECT count(*) FROM ${table}`), 0, table);
  await store.close();
});

t.test('a forgotten hold keeps contents for a day at most', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { accountId, inbox } = await addTenant(store);
  await deliver(store, MESSAGE, [accountId]);
  store.mailboxes.hold();
  await store.mailboxes.expunge(inbox, undefined, false);
  data.clock.advance(DAY_MS - HOUR_MS);
  await store.maintain();
  t.equal(data.ask('SELECT count(*) FROM chunk'), 1);
  data.clock.advance(HOUR_MS);
  await store.maintain();
  t.equal(data.ask('SELECT count(*) FROM chunk'), 0);
  await store.close();
});

t.test('below the reserve of the disk no mail is taken in, and the health says why', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open({ reserveOctets: Number.MAX_SAFE_INTEGER });
  const { accountId, inbox } = await addTenant(store);
  await t.rejects(deliver(store, MESSAGE, [accountId]), { code: 'diskFull' });
  await t.rejects(draftOf(store, patterned(1_000_000)), { code: 'diskFull' });
  const draft = await draftOf(store, MESSAGE);
  const appendix = { draft, flags: NO_FLAGS, internalDate: { at: TEST_CLOCK_START, zoneMinutes: 0 } };
  await t.rejects(store.mailboxes.append(inbox, [appendix]), { code: 'diskFull' });
  t.match(await store.health(), { kind: 'unhealthy', problem: /nearly full/ });
  t.same(await store.mailboxes.expunge(inbox, undefined, false), [], 'making room is allowed');
  await store.close();
});

t.test(
  'the health is red after a failed commit until a probe is written, and when the writer is dead',
  async (t) => {
    const space = new FreeSpace(t.testdir(), 0, createTestClock());
    const lastFailure = { code: 'diskFull', message: 'SQLITE_FULL: full', stack: undefined } as const;
    let probes = 0;
    const writer = (refusal: MailError | undefined, probe: () => Promise<void>) => ({
      refusal,
      lastFailure,
      run: () => {
        probes += 1;
        return probe();
      },
    });
    const refused = writer(undefined, () => Promise.reject(new MailError('diskFull', 'SQLITE_FULL: full')));
    t.match(await checkHealth('/data', refused, space), { kind: 'unhealthy', problem: /SQLITE_FULL/ });
    const recovered = writer(undefined, () => Promise.resolve());
    t.match(await checkHealth('/data', recovered, space), { kind: 'healthy' });
    t.equal(probes, 2);
    const dead = writer(new MailError('storeUnavailable', 'the writer thread has died'), () =>
      Promise.resolve(),
    );
    t.match(await checkHealth('/data', dead, space), { kind: 'unhealthy', problem: /thread has died/ });
    const lost = new FreeSpace('/no/such/directory', 0, createTestClock());
    t.match(await checkHealth('/data', recovered, lost), { kind: 'unhealthy', freeOctets: undefined });
  },
);

t.test(
  'derived data that is dropped, missing or of another version is made anew, and is the same',
  async (t) => {
    const data = createDataDirectory(t);
    const store = await data.open();
    const { accountId } = await addTenant(store);
    const ids: ContentId[] = [];
    for (const octets of [MESSAGE, MULTIPART, Buffer.alloc(0), patterned(600_000), Buffer.from('\r\r\n\n\0')])
      ids.push((await deliver(store, octets, [accountId])).contentId);
    const before = (await store.contents.derived(ids)).map(plain);
    const rows = data.ask('SELECT json_group_array(hex(envelope) || hex(structure)) FROM derived');
    const sameAgain = async (name: string) => {
      t.same((await store.contents.derived(ids)).map(plain), before, name);
      await store.directory.findDomain('x');
      await store.mailboxes.setSubscribed(accountId, ['barrier'], true);
      t.equal(
        data.ask('SELECT json_group_array(hex(envelope) || hex(structure)) FROM derived'),
        rows,
        `${name}: kept`,
      );
    };
    data.tamper('DELETE FROM derived');
    await sameAgain('dropped');
    data.tamper("UPDATE derived SET envelope = x'ff00', structure = x'ff00'");
    await sameAgain('of another version');
    data.tamper("UPDATE derived SET envelope = x'015b5d', structure = x'015b5d'");
    await sameAgain('of the version before');
    t.equal(await store.rebuildDerived(), ids.length);
    await sameAgain('rebuilt');
    await store.close();
  },
);

t.test('what a large mailbox leaves behind goes in slices, after a restart as well', async (t) => {
  const data = createDataDirectory(t);
  const first = await data.open();
  const { accountId, inbox, address } = await addTenant(first);
  const large = await first.mailboxes.create(accountId, ['Large']);
  await deliver(first, MESSAGE, [accountId]);
  await first.mailboxes.copy(inbox, WHOLE, large.id);
  const count = 2 ** Math.ceil(Math.log2(REMOVAL_SLICE_ENTRIES * 2));
  for (let copies = 1; copies < count; copies *= 2) await first.mailboxes.copy(large.id, WHOLE, large.id);
  const other = await first.mailboxes.create(accountId, ['Other']);
  await first.mailboxes.copy(large.id, WHOLE, other.id);
  await first.mailboxes.remove(accountId, ['Large']);
  t.equal(await first.mailboxes.find(accountId, ['Large']), undefined, 'nobody sees it any more');
  await t.rejects(first.mailboxes.status(large.id), { code: 'mailboxMissing' });
  t.same(await first.mailboxes.usage(accountId), {
    octets: MESSAGE.length * (count + 1),
    messages: count + 1,
  });
  await first.directory.removeAccount(address);
  await first.close();
  t.ok(Number(data.ask('SELECT count(*) FROM entry')) > count, 'most of it is still there');
  const second = await data.open();
  await second.maintain();
  await second.close();
  for (const table of ['entry', 'removed_mailbox', 'mailbox', 'expunged', 'orphan', 'content', 'chunk'])
    t.equal(data.ask(`SELECT count(*) FROM ${table}`), 0, table);
});

t.test('very many entries are expunged in slices: all of them, and none beside', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { accountId, inbox } = await addTenant(store);
  await deliver(store, MESSAGE, [accountId]);
  const count = 2 ** Math.ceil(Math.log2(REMOVAL_SLICE_ENTRIES * 2));
  for (let copies = 1; copies < count; copies *= 2) await store.mailboxes.copy(inbox, WHOLE, inbox);
  const kept = [1, REMOVAL_SLICE_ENTRIES, REMOVAL_SLICE_ENTRIES + 2, count];
  await store.mailboxes.setFlags(inbox, WHOLE, 'add', { system: FLAG.deleted, keywords: [] });
  const keptRanges = kept.map((uid) => ({ first: uid, last: uid }));
  await store.mailboxes.setFlags(inbox, keptRanges, 'remove', { system: FLAG.deleted, keywords: [] });
  const before = await store.mailboxes.status(inbox);
  const expunged = await store.mailboxes.expunge(inbox, undefined, true);
  t.equal(expunged.length, count - kept.length);
  t.ok(
    expunged.every((uid, index) => index === 0 || uid > (expunged[index - 1] ?? 0)),
    'in order',
  );
  t.match(await store.mailboxes.status(inbox), { messages: kept.length, deleted: 0, unseen: kept.length });
  const changes = await store.mailboxes.changes(inbox, before.highestModSeq);
  t.same(changes.expunged, expunged);
  const single = keptRanges.slice(0, 2);
  t.same(await store.mailboxes.expunge(inbox, single, false), kept.slice(0, 2));
  await store.close();
});

t.test(
  'who asks what was expunged while the oldest of it is forgotten learns all, or that it is not all',
  async (t) => {
    const data = createDataDirectory(t);
    const store = await data.open();
    const { accountId, inbox } = await addTenant(store);
    await deliver(store, MESSAGE, [accountId]);
    const count = EXPUNGED_KEPT + EXPUNGED_SLACK;
    data.tamper(
      `WITH RECURSIVE number (uid) AS (SELECT 1000 UNION ALL SELECT uid + 1 FROM number WHERE uid < 999 + ${count})
     INSERT INTO expunged SELECT ?, 2, uid FROM number`,
      inbox,
    );
    data.tamper(
      `UPDATE mailbox SET highest_modseq = 10, uid_next = 100000, expunged_kept = ${count} WHERE id = ?`,
      inbox,
    );
    let isForgotten = false;
    const forgetting = store.mailboxes.expunge(inbox, WHOLE, false).then(() => {
      isForgotten = true;
    });
    const answers = [];
    while (!isForgotten) {
      answers.push(store.mailboxes.expungedUids(inbox, 1), store.mailboxes.changes(inbox, 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await forgetting;
    const partial = (await Promise.all(answers)).filter(
      ({ expunged, isComplete }) => isComplete && expunged.length < count,
    );
    t.equal(partial.length, 0, 'answers that only look whole');
    t.match(await store.mailboxes.expungedUids(inbox, 1), { isComplete: false });
  },
);

t.test('the log is emptied when nothing was written for a while', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { accountId } = await addTenant(store);
  await deliver(store, patterned(1_000_000), [accountId]);
  const log = join(data.directory, 'hauspost.db-wal');
  await store.maintain();
  t.ok(statSync(log).size > 1_000_000, 'not while it is busy');
  await store.maintain();
  t.equal(statSync(log).size, 0);
  await store.close();
});

async function firstOf(pieces: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  for await (const piece of pieces) return piece;
  return undefined;
}
