/**
 * What is the SQLite store's own: its directory and lock, migrations, damage, sweeping, the reserve of the disk, and derived
 * data that is made anew.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import t, { type Test } from 'tap';

import { unixMs } from '../../src/base/clock.ts';
import { MailError } from '../../src/base/error.ts';
import type { ContentId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { DAY_MS, HOUR_MS, MIB } from '../../src/base/units.ts';
import { openForWriting } from '../../src/store/sqlite/connection.ts';
import { FreeSpace } from '../../src/store/sqlite/freeSpace.ts';
import { checkHealth } from '../../src/store/sqlite/health.ts';
import { CHUNK_BYTES } from '../../src/store/sqlite/limits.ts';
import { migrate, readSchemaSteps, type SchemaStep } from '../../src/store/sqlite/migrate.ts';
import { openStore, type SqliteStore, type StoreOptions } from '../../src/store/sqlite/open.ts';
import { createTestClock, TEST_CLOCK_START, type TestClock } from '../support/clock.ts';
import { addTenant, deliver, deliverDraft, draftOf, MESSAGE, octetsOf, patterned } from './contract/house.ts';

/** A store in a directory of its own, which may be closed and opened again. */
interface House {
  readonly directory: string;
  readonly clock: TestClock;
  open(options?: Partial<StoreOptions>): Promise<SqliteStore>;
  /** Asks the database, the store being open or not. */
  ask(sql: string): unknown;
  /** Changes the database behind the store's back. */
  tamper(sql: string, ...values: readonly unknown[]): void;
}

t.test('the data directory is made for its owner only, and left in order', async (t) => {
  const house = createHouse(t, 'new/directory');
  const store = await house.open();
  t.ok(readdirSync(house.directory).includes('hauspost.pid'));
  if (process.platform !== 'win32') {
    t.equal(statSync(house.directory).mode & 0o777, 0o700);
    t.equal(statSync(join(house.directory, 'hauspost.db')).mode & 0o777, 0o600);
    t.equal(statSync(join(house.directory, 'hauspost.db-wal')).mode & 0o777, 0o600);
  }
  await store.close();
  t.same(readdirSync(house.directory).sort(), ['hauspost.db', 'hauspost.lock'], 'no log is left behind');
});

t.test(
  'a data directory in use is refused to anybody else, by a message that names it and the holder',
  async (t) => {
    const house = createHouse(t);
    const store = await house.open();
    const refusal = { code: 'cannot', message: new RegExp(`${house.directory}.* ${process.pid}:`) };
    await t.rejects(openStore(optionsOf(house)), refusal, 'the same process');
    const open = fileURLToPath(new URL('../../src/store/sqlite/lock.ts', import.meta.url));
    const script = `import { lockDirectory } from ${JSON.stringify(open)}; lockDirectory(process.argv[1]);`;
    const lockIt = () =>
      spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script, house.directory], {
        encoding: 'utf8',
      });
    t.match(lockIt().stderr, refusal.message, 'another process');
    t.ok(existsSync(join(house.directory, 'hauspost.pid')), 'the refused leave the holder’s files alone');
    await deliver(store, MESSAGE, [(await addTenant(store)).accountId]);
    await store.close();
    t.equal(lockIt().status, 0, 'it is free after the close');
    await (await house.open()).close();
  },
);

t.test(
  'what is committed is there after closing and opening, nothing is swept that has an entry',
  async (t) => {
    const house = createHouse(t);
    const first = await house.open();
    const { accountId, inbox } = await addTenant(first);
    const { contentId } = await deliver(first, patterned(500_000), [accountId]);
    const before = await first.mailboxes.status(inbox);
    await first.close();
    const second = await house.open();
    await second.maintain();
    t.same(await second.mailboxes.status(inbox), before);
    t.ok((await octetsOf(second, contentId)).equals(patterned(500_000)));
    await second.close();
  },
);

t.test('a database of a newer version, or of another program, is refused and left alone', async (t) => {
  const house = createHouse(t);
  await (await house.open()).close();
  house.tamper('PRAGMA user_version = 99');
  const path = join(house.directory, 'hauspost.db');
  const before = readFileSync(path);
  await t.rejects(openStore(optionsOf(house)), { code: 'cannot', message: /schema 99.*newer version/ });
  t.ok(readFileSync(path).equals(before));
  await t.rejects(openStore(optionsOf(house)), { code: 'cannot' }, 'the lock was let go');
  const foreign = createHouse(t, 'foreign');
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

t.test('a changed octet is never served, and the messages beside it are', async (t) => {
  const house = createHouse(t);
  const store = await house.open();
  const { accountId } = await addTenant(store);
  const large = await deliver(store, patterned(3 * CHUNK_BYTES), [accountId]);
  const small = await deliver(store, MESSAGE, [accountId]);
  const piece = (number: number) => large.contentId * 16_384 + number;
  house.tamper('UPDATE chunk SET octets = zeroblob(262144) WHERE id = ?', piece(1));
  const served: Buffer[] = [];
  const content = await store.contents.open(large.contentId);
  const readAll = async () => {
    for await (const octets of content.read(0, content.octets)) served.push(octets);
  };
  await t.rejects(readAll(), { code: 'contentCorrupt' });
  t.ok(Buffer.concat(served).equals(patterned(CHUNK_BYTES)), 'only what was whole went out');
  t.ok((await octetsOf(store, large.contentId, 2 * CHUNK_BYTES)).length === CHUNK_BYTES);
  house.tamper('UPDATE chunk SET octets = substr(octets, 1, 100) WHERE id = ?', piece(2));
  await t.rejects(octetsOf(store, large.contentId, 2 * CHUNK_BYTES), { code: 'contentCorrupt' }, 'cut short');
  house.tamper('DELETE FROM chunk WHERE id = ?', piece(0));
  await t.rejects(octetsOf(store, large.contentId), { code: 'contentCorrupt' }, 'missing');
  t.ok((await octetsOf(store, small.contentId)).equals(MESSAGE));
  await store.close();
});

t.test('flipped bytes anywhere in the octets of the database file are found', async (t) => {
  const house = createHouse(t);
  const first = await house.open();
  const { accountId } = await addTenant(first);
  const octets = Buffer.alloc(400_000, 'needle in a haystack, ');
  const { contentId } = await deliver(first, octets, [accountId]);
  await first.close();
  const path = join(house.directory, 'hauspost.db');
  const file = readFileSync(path);
  for (let at = file.indexOf('needle'); at >= 0; at = file.indexOf('needle', at + 100_000)) {
    const damaged = Buffer.from(file);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    writeFileSync(path, damaged);
    const store = await house.open();
    await t.rejects(octetsOf(store, contentId), { code: 'contentCorrupt' }, `octet ${at} of the file`);
    await store.close();
  }
});

t.test('drafts that a dead process left are swept at the next start', async (t) => {
  const house = createHouse(t);
  const first = await house.open();
  await addTenant(first);
  await draftOf(first, patterned(2_000_000));
  await first.close();
  t.ok(Number(house.ask('SELECT count(*) FROM chunk')) > 0, 'they were on disk');
  const second = await house.open();
  await second.maintain();
  await second.close();
  t.equal(house.ask('SELECT count(*) FROM chunk'), 0);
  t.equal(house.ask('SELECT count(*) FROM draft'), 0);
  t.equal(house.ask('SELECT count(*) FROM orphan'), 0);
});

t.test('a draft is swept when it is discarded, refused, or left alone for an hour', async (t) => {
  const house = createHouse(t);
  const store = await house.open();
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
  house.clock.advance(HOUR_MS / 2);
  await busy.write(patterned(1_000_000));
  house.clock.advance(HOUR_MS / 2 + 1);
  await store.maintain();
  await t.rejects(idle.write(MESSAGE), { code: 'cannot' });
  const { contentId } = await deliverDraft(store, busy, [accountId]);
  t.equal(house.ask('SELECT count(DISTINCT id / 16384) FROM chunk'), 1);
  t.equal((await octetsOf(store, contentId)).length, 2_000_000);
  t.equal(house.ask('SELECT count(*) FROM draft'), 0);
  await store.close();
});

t.test('a content goes when its last entry has gone and no hold may need it', async (t) => {
  const house = createHouse(t);
  const store = await house.open();
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
  t.equal(house.ask('SELECT count(*) FROM chunk'), 0, 'in as many slices as it takes');
  t.equal(house.ask('SELECT count(*) FROM derived'), 0);
  later.release();
  hold.release();
  await store.close();
});

t.test('a removed mailbox, a removed account and a delivery to nobody leave no octets', async (t) => {
  const house = createHouse(t);
  const store = await house.open();
  const { address, accountId } = await addTenant(store);
  const { id } = await store.mailboxes.create(accountId, ['a']);
  await deliver(store, MESSAGE, [accountId]);
  await deliver(store, MESSAGE, []);
  await store.mailboxes.copy((await store.mailboxes.find(accountId, ['INBOX']))?.id ?? id, WHOLE, id);
  await store.mailboxes.remove(accountId, ['a']);
  await store.maintain();
  t.equal(house.ask('SELECT count(*) FROM chunk'), 1);
  await store.directory.removeAccount(address);
  await store.maintain();
  for (const table of ['chunk', 'content', 'derived', 'orphan', 'entry', 'mailbox', 'subscription'])
    t.equal(house.ask(`SELECT count(*) FROM ${table}`), 0, table);
  await store.close();
});

t.test('a forgotten hold keeps contents for a day at most', async (t) => {
  const house = createHouse(t);
  const store = await house.open();
  const { accountId, inbox } = await addTenant(store);
  await deliver(store, MESSAGE, [accountId]);
  store.mailboxes.hold();
  await store.mailboxes.expunge(inbox, undefined, false);
  house.clock.advance(DAY_MS - HOUR_MS);
  await store.maintain();
  t.equal(house.ask('SELECT count(*) FROM chunk'), 1);
  house.clock.advance(HOUR_MS);
  await store.maintain();
  t.equal(house.ask('SELECT count(*) FROM chunk'), 0);
  await store.close();
});

t.test('below the reserve of the disk no mail is taken in, and the health says why', async (t) => {
  const house = createHouse(t);
  const store = await house.open({ reserveOctets: Number.MAX_SAFE_INTEGER });
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
    const house = createHouse(t);
    const store = await house.open();
    const { accountId } = await addTenant(store);
    const ids: ContentId[] = [];
    for (const octets of [MESSAGE, MULTIPART, Buffer.alloc(0), patterned(600_000), Buffer.from('\r\r\n\n\0')])
      ids.push((await deliver(store, octets, [accountId])).contentId);
    const before = await store.contents.derived(ids);
    const rows = house.ask('SELECT json_group_array(hex(envelope) || hex(structure)) FROM derived');
    const sameAgain = async (name: string) => {
      t.same(await store.contents.derived(ids), before, name);
      await store.directory.findDomain('x');
      await store.mailboxes.setSubscribed(accountId, ['barrier'], true);
      t.equal(
        house.ask('SELECT json_group_array(hex(envelope) || hex(structure)) FROM derived'),
        rows,
        `${name}: kept`,
      );
    };
    house.tamper('DELETE FROM derived');
    await sameAgain('dropped');
    house.tamper("UPDATE derived SET envelope = x'ff00', structure = x'ff00'");
    await sameAgain('of another version');
    t.equal(await store.rebuildDerived(), ids.length);
    await sameAgain('rebuilt');
    await store.close();
  },
);

t.test('a calendar that jumps changes no UIDVALIDITY and gives none twice', async (t) => {
  const house = createHouse(t);
  const store = await house.open();
  const { accountId } = await addTenant(store);
  const values: number[] = [];
  for (const days of [400, -400, -20_000, 100_000, 0]) {
    house.clock.setCalendar(unixMs(TEST_CLOCK_START + days * DAY_MS));
    const { uidValidity } = await store.mailboxes.create(accountId, [`m${days}`]);
    t.ok(uidValidity > Math.max(0, ...values) && uidValidity < 2 ** 32, `${days} days: ${uidValidity}`);
    values.push(uidValidity);
  }
  await store.close();
});

t.test('the log is emptied when nothing was written for a while', async (t) => {
  const house = createHouse(t);
  const store = await house.open();
  const { accountId } = await addTenant(store);
  await deliver(store, patterned(1_000_000), [accountId]);
  const log = join(house.directory, 'hauspost.db-wal');
  await store.maintain();
  t.ok(statSync(log).size > 1_000_000, 'not while it is busy');
  await store.maintain();
  t.equal(statSync(log).size, 0);
  await store.close();
});

const LANDED_STEPS = ['e94999009b0a77e6'];
const WHOLE = [{ first: 1, last: 4_294_967_295 }];
const NO_FLAGS = { system: 0, keywords: [] };
const MULTIPART = Buffer.from(
  'Subject: two\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n',
);

function createHouse(t: Test, name = 'data'): House {
  const directory = join(t.testdir(), name);
  const clock = createTestClock();
  const path = join(directory, 'hauspost.db');
  const house: House = {
    directory,
    clock,
    open: async (options = {}) => {
      const store = await openStore({ ...optionsOf(house), ...options });
      t.teardown(() => store.close());
      return store;
    },
    ask: (sql) => {
      const db = new Sqlite(path, { readonly: true });
      const value = db.prepare(sql).pluck().get();
      db.close();
      return value;
    },
    tamper: (sql, ...values) => {
      const db = new Sqlite(path);
      db.prepare(sql).run(...values);
      db.close();
    },
  };
  return house;
}

function optionsOf({ directory, clock }: House): StoreOptions {
  return { directory, clock, log: silentLog };
}

async function firstOf(pieces: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  for await (const piece of pieces) return piece;
  return undefined;
}
