/**
 * What is the SQLite store's own: its directory and lock, migrations, damage, and calendars that jump.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import t from 'tap';

import { unixMs } from '../../src/base/clock.ts';
import type { MailboxId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { DAY_MS } from '../../src/base/units.ts';
import type { Content } from '../../src/store/contract/contents.ts';
import { openForWriting } from '../../src/store/sqlite/connection.ts';
import { CHUNK_BYTES } from '../../src/store/sqlite/limits.ts';
import { migrate, readSchemaSteps, type SchemaStep } from '../../src/store/sqlite/migrate.ts';
import { Reader } from '../../src/store/sqlite/reader.ts';
import { Relief } from '../../src/store/sqlite/relief.ts';
import { openContent } from '../../src/store/sqlite/storedContent.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { TEST_CLOCK_START } from '../support/clock.ts';
import {
  ALL,
  addTenant,
  append,
  deliver,
  draftOf,
  entriesOf,
  MESSAGE,
  octetsOf,
  patterned,
  plannedDelivery,
  plannedItem,
} from './contract/house.ts';
import { createDataDirectory, optionsOf } from './dataDirectory.ts';

t.setTimeout(300_000);

const LANDED_STEPS = [
  'e94999009b0a77e6',
  '30f61008549f1a30',
  '8373073c6667ecdc',
  'ab9bacd4192e710e',
  '1f6fe54083766e84',
  '5a3e3814f7161445',
  'd8d093f9327f9078',
  '6d0b74db6747be38',
  '30ee68d135ac7bd5',
  '3d35a0900d37671a',
  '1d4353c2e113113b',
  '5246752cb2e5ed53',
  'ae3d293ebcf0e335',
  '5699c622db189b31',
  'cfbecaa1ff5729ae',
];

t.test('the data directory is made for its owner only, and left in order', async (t) => {
  const data = createDataDirectory(t, 'new/directory');
  const store = await data.open();
  t.ok(readdirSync(data.directory).includes('hauspost.pid'));
  if (process.platform !== 'win32') {
    t.equal(statSync(data.directory).mode & 0o777, 0o700);
    t.equal(statSync(join(data.directory, 'hauspost.db')).mode & 0o777, 0o600);
    t.equal(statSync(join(data.directory, 'hauspost.db-wal')).mode & 0o777, 0o600);
  }
  await store.close();
  t.same(readdirSync(data.directory).sort(), ['hauspost.db', 'hauspost.lock'], 'no log is left behind');
});

t.test(
  'a data directory in use is refused to anybody else, by a message that names it and the holder',
  async (t) => {
    const data = createDataDirectory(t);
    const store = await data.open();
    const refusal = { code: 'cannot', message: new RegExp(`${data.directory}.* ${process.pid}:`) };
    await t.rejects(openStore(optionsOf(data)), refusal, 'the same process');
    const open = fileURLToPath(new URL('../../src/store/sqlite/lock.ts', import.meta.url));
    const script = `import { lockDirectory } from ${JSON.stringify(open)}; lockDirectory(process.argv[1]);`;
    const lockIt = () =>
      spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script, data.directory], {
        encoding: 'utf8',
      });
    t.match(lockIt().stderr, refusal.message, 'another process');
    t.ok(existsSync(join(data.directory, 'hauspost.pid')), 'the refused leave the holder’s files alone');
    await deliver(store, MESSAGE, [(await addTenant(store)).accountId]);
    await store.close();
    t.equal(lockIt().status, 0, 'it is free after the close');
    await (await data.open()).close();
  },
);

t.test(
  'what is committed is there after closing and opening, nothing is swept that has an entry',
  async (t) => {
    const data = createDataDirectory(t);
    const first = await data.open();
    const { accountId, inbox } = await addTenant(first);
    const { contentId } = await deliver(first, patterned(500_000), [accountId]);
    const before = await first.mailboxes.status(inbox);
    await first.close();
    const second = await data.open();
    await second.maintain();
    t.same(await second.mailboxes.status(inbox), before);
    t.ok((await octetsOf(second, contentId)).equals(patterned(500_000)));
    await second.close();
  },
);

t.test('a database of a newer version, or of another program, is refused and left alone', async (t) => {
  const data = createDataDirectory(t);
  await (await data.open()).close();
  data.tamper('PRAGMA user_version = 99');
  const path = join(data.directory, 'hauspost.db');
  const before = readFileSync(path);
  await t.rejects(openStore(optionsOf(data)), { code: 'cannot', message: /schema 99.*newer version/ });
  t.ok(readFileSync(path).equals(before));
  await t.rejects(openStore(optionsOf(data)), { code: 'cannot' }, 'the lock was let go');
  const foreign = createDataDirectory(t, 'foreign');
  await (await foreign.open()).close();
  foreign.tamper('PRAGMA application_id = 7');
  await t.rejects(openStore(optionsOf(foreign)), { code: 'cannot', message: /another program/ });
});

t.test('an older database is copied aside and brought up to date in one transaction', async (t) => {
  const path = join(t.testdir(), 'hauspost.db');
  const one: SchemaStep = { number: 1, sql: 'CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7);' };
  const two: SchemaStep = { number: 2, sql: 'ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;' };
  const broken: SchemaStep = { number: 3, sql: 'DELETE FROM a; CREATE TABLE a (z INTEGER);' };
  const db = openForWriting(path);
  t.teardown(() => db.close());
  t.equal(migrate(db, path, [one]), undefined, 'a new database needs no copy');
  const copy = migrate(db, path, [one, two]);
  t.same(db.get('SELECT x, y FROM a'), { x: 7, y: 8 });
  t.equal(db.value('PRAGMA user_version'), 2);
  const old = new Sqlite(copy ?? '', { readonly: true });
  t.same(old.prepare('SELECT * FROM a').all(), [{ x: 7 }]);
  t.equal(old.pragma('user_version', { simple: true }), 1);
  old.close();
  t.throws(() => migrate(db, path, [one, two, broken]), /already exists/);
  t.same(db.get('SELECT x, y FROM a'), { x: 7, y: 8 }, 'a step that fails leaves everything as it was');
  t.equal(db.value('PRAGMA user_version'), 2);
  t.equal(migrate(db, path, [one, two]), undefined);
});

t.test('a database of the first schema opens with all its accounts, which can be set since', async (t) => {
  const data = createDataDirectory(t);
  mkdirSync(data.directory);
  const path = join(data.directory, 'hauspost.db');
  const db = openForWriting(path);
  migrate(db, path, readSchemaSteps().slice(0, 1));
  db.run('INSERT INTO domain (name, is_enabled) VALUES (?, 1)', 'old.example');
  db.run(
    `INSERT INTO account (domain_id, local_part, is_enabled, password_hash, created_at)
     VALUES (1, ?, 1, ?, 1)`,
    'a',
    '$x$',
  );
  db.close();
  const { directory } = await data.open();
  t.same((await directory.findAccount('a@old.example'))?.settings, {});
  const changed = await directory.setAccount('a@old.example', { settings: { 'imap.delimiter': '.' } });
  t.same(changed.settings, { 'imap.delimiter': '.' });
  t.ok(existsSync(join(data.directory, 'hauspost-before-schema-2.db')));
});

t.test('schema steps are numbered without gaps, and those that have landed are not edited', (t) => {
  const steps = readSchemaSteps();
  t.same(
    steps.map(({ number }) => number),
    steps.map((_step, index) => index + 1),
  );
  const hashes = steps.map(({ sql }) => createHash('sha256').update(sql).digest('hex').slice(0, 16));
  t.same(hashes, LANDED_STEPS, 'a new step adds its hash here; the others never change');
  t.end();
});

t.test(
  'the seventh step lets the machine itself submit without a login, unless it was not trusted',
  async (t) => {
    for (const [isTrusted, submission] of [
      [1, 'trusted'],
      [0, 'login'],
    ] as const) {
      const data = createDataDirectory(t);
      mkdirSync(data.directory);
      const path = join(data.directory, 'hauspost.db');
      const db = openForWriting(path);
      migrate(db, path, readSchemaSteps().slice(0, 6));
      db.script(`UPDATE ip_range SET is_trusted = ${isTrusted} WHERE name = 'My computer';
      INSERT INTO ip_range VALUES ('Office', 20, 1, 1, 1, 0, 1, 0)`);
      db.close();
      const { directory } = await data.open();
      const kept = await directory.ipRanges();
      t.match(
        kept.map((range) => [range.name, range.submission]),
        [
          ['My computer', submission],
          ['Office', 'login'],
          ['Internet', 'login'],
        ],
      );
    }
  },
);

t.test(
  'a filled database of before routing opens with all that it has, and takes routing objects and queue items',
  async (t) => {
    const data = createDataDirectory(t);
    mkdirSync(data.directory);
    const path = join(data.directory, 'hauspost.db');
    const db = openForWriting(path);
    migrate(db, path, readSchemaSteps().slice(0, 6));
    db.script(`INSERT INTO domain (name, is_enabled, catch_all) VALUES ('old.example', 1, 'in@old.example');
    INSERT INTO account (domain_id, local_part, is_enabled, password_hash, created_at) VALUES (1, 'in', 1, '$x$', 0);
    INSERT INTO alias (domain_id, local_part, is_enabled) VALUES (1, 'info', 1);
    INSERT INTO alias_target VALUES (1, 0, 'in@old.example');
    INSERT INTO mailbox (account_id, name, uid_validity, uid_next, messages, unseen, octets, pop3_octets, object_id)
      VALUES (1, '["INBOX"]', 7, 2, 1, 1, 100, 100, randomblob(16));
    INSERT INTO entry (mailbox_id, uid, content_id, modseq, flags, keywords_low, keywords_high, internal_at,
      zone_minutes, octets, pop3_octets) VALUES (1, 1, 1, 1, 0, 0, 0, 1000, 60, 100, 100);
    UPDATE meta SET content_ids_reserved = 1025`);
    db.close();
    const store = await data.open();
    t.ok(existsSync(join(data.directory, 'hauspost-before-schema-7.db')));
    const { directory } = store;
    t.match(await directory.findDomain('old.example'), { catchAll: 'in@old.example', plusSeparator: '+' });
    const account = await directory.findAccount('in@old.example');
    if (account === undefined) throw new Error('the account is gone');
    t.match(await directory.resolve('in+x@old.example'), { kind: 'account', detail: 'x' });
    t.match(await directory.resolve('info@old.example'), { kind: 'alias' });
    t.same(await directory.routes(), []);
    t.same(await directory.rules(account.id), []);
    t.equal(await directory.forwardOf(account.id), undefined);
    await directory.addForward({
      account: 'in@old.example',
      targets: ['x@example.org'],
      keepsCopy: true,
      isEnabled: true,
    });
    const { copies, queued } = await store.deliveries.deliver({
      ...plannedDelivery(await draftOf(store, MESSAGE)),
      copies: [{ accountId: account.id, recipient: 'in@old.example', mailbox: ['New'] }],
      queued: [plannedItem('x@example.org')],
    });
    t.match([copies.length, queued.length], [1, 1]);
    const inbox = await store.mailboxes.find(account.id, ['INBOX']);
    if (inbox === undefined) throw new Error('the INBOX is gone');
    t.match(await store.mailboxes.status(inbox.id), { messages: 1, uidNext: 2, uidValidity: 7 });
  },
);

t.test('the second step keeps what is there, and each mailbox gets an object id', async (t) => {
  const data = createDataDirectory(t);
  mkdirSync(data.directory);
  const path = join(data.directory, 'hauspost.db');
  const [first] = readSchemaSteps();
  const db = openForWriting(path);
  migrate(db, path, first === undefined ? [] : [first]);
  db.script(`INSERT INTO domain (name, is_enabled) VALUES ('old.example', 1);
    INSERT INTO account (domain_id, local_part, is_enabled, password_hash, created_at) VALUES (1, 'in', 1, '$x$', 0);
    INSERT INTO mailbox (account_id, name, uid_validity, uid_next, messages, unseen, octets, pop3_octets)
      VALUES (1, '["INBOX"]', 7, 2, 1, 1, 100, 100), (1, '["Old"]', 8, 1, 0, 0, 0, 0);
    INSERT INTO entry VALUES (1, 1, 1, 1, 0, 0, 0, 1000, 60, 100, 100)`);
  db.close();
  const store = await data.open();
  const account = await store.directory.findAccount('in@old.example');
  if (account === undefined) throw new Error('the account is gone');
  const [inbox, old] = await store.mailboxes.list(account.id);
  if (inbox === undefined || old === undefined) throw new Error('a mailbox is gone');
  t.match([inbox.objectId, old.objectId], [/^[0-9a-f]{32}$/, /^[0-9a-f]{32}$/]);
  t.not(inbox.objectId, old.objectId);
  const [entry] = await entriesOf(store, inbox.id);
  t.match(entry, { uid: 1, octets: 100, internalDate: { at: 1000, zoneMinutes: 60 } });
  t.equal(entry?.savedAt, undefined, 'nobody knows it');
  await store.mailboxes.copy(inbox.id, ALL, old.id);
  t.equal((await entriesOf(store, old.id))[0]?.savedAt, data.clock.now(), 'what comes in now has a date');
});

t.test('an entry has the time at which it came into its mailbox, however it came', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { accountId, inbox } = await addTenant(store);
  const { id: other } = await store.mailboxes.create(accountId, ['other']);
  const savedIn = async (mailboxId: MailboxId) =>
    (await entriesOf(store, mailboxId)).map(({ savedAt }) => savedAt);
  const times = [data.clock.now()];
  await deliver(store, MESSAGE, [accountId]);
  for (const step of [
    () => append(store, inbox, 1),
    () => store.mailboxes.copy(inbox, [{ first: 1, last: 1 }], other),
    () => store.mailboxes.move(inbox, [{ first: 2, last: 2 }], other),
    () => store.mailboxes.setFlags(other, ALL, 'add', { system: 1, keywords: [] }),
  ]) {
    data.clock.advance(DAY_MS);
    times.push(data.clock.now());
    await step();
  }
  t.same(await savedIn(inbox), [times[0]], 'delivered');
  t.same(await savedIn(other), [times[2], times[3]], 'copied, and appended and moved; flags change nothing');
  await store.mailboxes.rename(accountId, ['INBOX'], ['was inbox']);
  const renamed = await store.mailboxes.find(accountId, ['was inbox']);
  t.same(renamed && (await savedIn(renamed.id)), [data.clock.now()], 'RENAME of the INBOX is a move');
});

t.test('a changed octet is never served, and the messages beside it are', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { accountId } = await addTenant(store);
  const large = await deliver(store, patterned(3 * CHUNK_BYTES), [accountId]);
  const small = await deliver(store, MESSAGE, [accountId]);
  const piece = (number: number) => large.contentId * 16_384 + number;
  data.tamper('UPDATE chunk SET octets = zeroblob(262144) WHERE id = ?', piece(1));
  const served: Buffer[] = [];
  const content = await store.contents.open(large.contentId);
  const readAll = async () => {
    for await (const octets of content.read(0, content.octets)) served.push(octets);
  };
  await t.rejects(readAll(), { code: 'contentCorrupt' });
  t.ok(Buffer.concat(served).equals(patterned(CHUNK_BYTES)), 'only what was whole went out');
  t.ok((await octetsOf(store, large.contentId, 2 * CHUNK_BYTES)).length === CHUNK_BYTES);
  data.tamper('UPDATE chunk SET octets = substr(octets, 1, 100) WHERE id = ?', piece(2));
  await t.rejects(octetsOf(store, large.contentId, 2 * CHUNK_BYTES), { code: 'contentCorrupt' }, 'cut short');
  data.tamper('DELETE FROM chunk WHERE id = ?', piece(0));
  await t.rejects(octetsOf(store, large.contentId), { code: 'contentCorrupt' }, 'missing');
  t.ok((await octetsOf(store, small.contentId)).equals(MESSAGE));
  const [whole] = await store.contents.openAll([small.contentId]);
  t.ok(whole?.small?.equals(MESSAGE));
  data.tamper(
    "UPDATE chunk SET octets = CAST('x' || substr(octets, 2) AS BLOB) WHERE id = ?",
    small.contentId * 16_384,
  );
  t.same(await store.contents.openAll([small.contentId]), [undefined], 'one octet of many opened');
  await store.close();
});

t.test('flipped bytes anywhere in the octets of the database file are found', async (t) => {
  const data = createDataDirectory(t);
  const first = await data.open();
  const { accountId } = await addTenant(first);
  const octets = Buffer.alloc(400_000, 'needle in a haystack, ');
  const { contentId } = await deliver(first, octets, [accountId]);
  await first.close();
  const path = join(data.directory, 'hauspost.db');
  const file = readFileSync(path);
  for (let at = file.indexOf('needle'); at >= 0; at = file.indexOf('needle', at + 100_000)) {
    const damaged = Buffer.from(file);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    writeFileSync(path, damaged);
    const reader = new Reader(path);
    const content = openContent(reader, contentId, new Relief(), silentLog);
    await t.rejects(readWhole(content), { code: 'contentCorrupt' }, `octet ${at} of the file`);
    reader.close();
  }
});

t.test('an account has as many mailboxes as the store is opened with, parents counted', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open({ mailboxesPerAccountLimit: 7 });
  const { accountId } = await addTenant(store);
  const other = await addTenant(store);
  await store.mailboxes.create(accountId, ['a']);
  await t.rejects(store.mailboxes.create(accountId, ['b', 'c']), { code: 'limit' });
  await store.mailboxes.create(accountId, ['a', 'c']);
  await t.rejects(store.mailboxes.rename(accountId, ['a'], ['b', 'c']), { code: 'limit' });
  await store.mailboxes.create(other.accountId, ['a']);
  t.equal((await store.mailboxes.list(accountId)).length, 7, 'a refused job leaves nothing behind');
});

t.test(
  'an account has ten thousand subscriptions and not one more, whether their mailboxes exist or not',
  async (t) => {
    const data = createDataDirectory(t);
    const first = await data.open();
    const { accountId } = await addTenant(first);
    await first.close();
    data.tamper(
      `WITH RECURSIVE n (i) AS (SELECT 6 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
     INSERT INTO subscription SELECT ?, json_array('s' || i) FROM n`,
      accountId,
    );
    const { mailboxes } = await data.open();
    await mailboxes.setSubscribed(accountId, ['last'], true);
    await t.rejects(mailboxes.setSubscribed(accountId, ['more'], true), { code: 'limit' });
    await mailboxes.setSubscribed(accountId, ['last'], false);
    await mailboxes.setSubscribed(accountId, ['more'], true);
    t.equal((await mailboxes.subscriptions(accountId)).length, 10_000);
  },
);

t.test('a calendar that jumps changes no UIDVALIDITY and gives none twice', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const { accountId } = await addTenant(store);
  const values: number[] = [];
  for (const days of [400, -400, -20_000, 100_000, 0]) {
    data.clock.setCalendar(unixMs(TEST_CLOCK_START + days * DAY_MS));
    const { uidValidity } = await store.mailboxes.create(accountId, [`m${days}`]);
    t.ok(uidValidity > Math.max(0, ...values) && uidValidity < 2 ** 32, `${days} days: ${uidValidity}`);
    values.push(uidValidity);
  }
  await store.close();
});

async function readWhole(content: Content): Promise<void> {
  for await (const _piece of content.read(0, content.octets));
}
