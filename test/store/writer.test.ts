/**
 * The writer: pragmas, batches, what fails alone and what fails together, and the death of its thread.
 */

import { Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import t from 'tap';

import { createLog, silentLog } from '../../src/base/log.ts';
import { assertDurable, Connection, openForReading } from '../../src/store/sqlite/connection.ts';
import { EXPUNGED_KEPT, EXPUNGED_SLACK } from '../../src/store/sqlite/limits.ts';
import { Writer } from '../../src/store/sqlite/writer/client.ts';
import { OpenDrafts } from '../../src/store/sqlite/writer/openDrafts.ts';
import { createTestClock } from '../support/clock.ts';
import { ALL, MESSAGE } from './contract/house.ts';
import { openDatabase, plantAccount, plantEntries, request } from './database.ts';

let deliveries = 0;

t.test('every connection has the pragmas that keep mail, and says so after its first write', async (t) => {
  const { db, path } = openDatabase(t);
  const reader = openForReading(path);
  t.teardown(() => reader.close());
  for (const [name, connection] of Object.entries({ writer: db, reader })) {
    t.equal(connection.value('PRAGMA journal_mode'), 'wal', name);
    t.equal(connection.value('PRAGMA synchronous'), 2, `${name}: FULL`);
    t.equal(connection.value('PRAGMA foreign_keys'), 1, name);
    t.equal(connection.value('PRAGMA trusted_schema'), 0, name);
    t.equal(connection.value('PRAGMA cell_size_check'), 1, name);
    t.equal(connection.value('PRAGMA page_size'), 8192, name);
    assertDurable(connection);
  }
  t.throws(() => reader.run('DELETE FROM meta'), /readonly/);
  db.script('PRAGMA synchronous = NORMAL');
  t.throws(() => assertDurable(db), { code: 'storeUnavailable' });
});

t.test('a poisoned job fails alone; those before and behind it in the batch are kept', async (t) => {
  const database = openDatabase(t);
  const { accountId, inbox } = plantAccount(database);
  const outcome = database.runAll([
    request('deliver', delivery(accountId)),
    request('deliver', { ...delivery(accountId), zoneMinutes: Number.NaN }),
    request('deliver', delivery(accountId)),
  ]);
  t.same(
    outcome.results.map((result) => (result.isDone ? 'done' : result.failure.code)),
    ['done', 'internal', 'done'],
  );
  t.equal(outcome.failure, undefined);
  t.equal(outcome.changes.length, 1, 'merged, and nothing of the failed job');
  t.same(database.db.column('SELECT uid FROM entry WHERE mailbox_id = ?', inbox), [1, 2]);
  t.equal(database.db.value('SELECT count(*) FROM chunk'), 2, 'no octets of the failed job stay');
  t.equal(database.db.value('SELECT count(*) FROM trace_message'), 2);
});

t.test('a batch whose COMMIT fails is rejected as a whole, and the next one works', async (t) => {
  let fails = false;
  const database = openDatabase(t, (connection) => failingAt(connection, 'COMMIT', () => fails));
  const { accountId } = plantAccount(database);
  fails = true;
  const jobs = [request('deliver', delivery(accountId)), request('deliver', delivery(accountId))];
  const outcome = database.runAll(jobs);
  t.same(
    outcome.results.map((result) => result.isDone || result.failure.code),
    ['diskFull', 'diskFull'],
  );
  t.equal(outcome.failure?.code, 'diskFull');
  t.same(outcome.changes, []);
  t.equal(database.db.isInTransaction, false);
  t.equal(database.db.value('SELECT count(*) FROM entry'), 0);
  fails = false;
  t.equal(database.runAll([request('deliver', delivery(accountId))]).failure, undefined);
});

t.test(
  'a full disk fails what it meets, whichever statement that is, and keeps whole messages only',
  async (t) => {
    for (let spare = 0; spare < 40; spare += 3) {
      const database = openDatabase(t);
      const { accountId } = plantAccount(database);
      const pages = database.db.value<number>('PRAGMA page_count') ?? 0;
      database.db.value(`PRAGMA max_page_count = ${pages + spare}`);
      const large = Buffer.alloc(60_000, 'x');
      const jobs = [1, 2, 3, 4].map(() => request('deliver', delivery(accountId, large)));
      const { results } = database.runAll(jobs);
      const codes = results.map((result) => (result.isDone ? 'done' : result.failure.code));
      t.ok(
        codes.every((code) => code === 'done' || code === 'diskFull'),
        `${spare} pages: ${codes}`,
      );
      const done = codes.filter((code) => code === 'done').length;
      for (const table of ['entry', 'content', 'chunk', 'derived', 'trace_message'])
        t.equal(database.db.value(`SELECT count(*) FROM ${table}`), done, `${spare} pages: ${table}`);
      t.equal(database.db.value('PRAGMA integrity_check'), 'ok');
      database.db.value('PRAGMA max_page_count = 1000000');
      t.equal(database.runAll(jobs.slice(0, 1)).failure, undefined, 'it goes on when there is room');
    }
  },
);

t.test('content ids are given once, whatever is rolled back', async (t) => {
  let fails = false;
  const database = openDatabase(t, (connection) => failingAt(connection, 'COMMIT', () => fails));
  const { accountId } = plantAccount(database);
  const ids = new Set<number>();
  for (let round = 0; round < 1500; round += 1) {
    fails = round % 5 === 0;
    const [result] = database.runAll([request('deliver', delivery(accountId))]).results;
    if (result?.isDone !== true) continue;
    const { contentId } = result.output as { readonly contentId: number };
    ids.add(contentId);
    const reserved = database.db.value<number>('SELECT content_ids_reserved FROM meta') ?? 0;
    if (contentId >= reserved) t.fail(`content ${contentId} is above what is reserved, ${reserved}`);
  }
  t.equal(ids.size, 1200);
});

t.test('drafts that a failed job or batch touched are failed for good, the others are not', async (t) => {
  const drafts = new OpenDrafts();
  drafts.begin(1, 1 as never);
  drafts.jobDone();
  drafts.batchDone();
  drafts.find(1);
  drafts.jobFailed(new Error('a job'));
  t.throws(() => drafts.find(1), { code: 'internal' });
  drafts.begin(2, 2 as never);
  drafts.jobDone();
  drafts.batchFailed(new Error('a batch'));
  t.throws(() => drafts.find(2), { code: 'internal' });
  drafts.begin(3, 3 as never);
  drafts.seal(3);
  drafts.jobDone();
  t.throws(() => drafts.find(3), { code: 'cannot' });
  t.equal(drafts.size, 3);
  drafts.batchDone();
  t.equal(drafts.size, 2, 'a sealed draft is forgotten with the commit');
  t.equal(drafts.find(3), undefined);
  t.equal(drafts.discard(1), 1);
  t.equal(drafts.discard(2), 2);
  t.equal(drafts.discard(2), undefined);
  t.equal(drafts.size, 0);
  drafts.begin(4, 4 as never);
  drafts.jobDone();
  drafts.find(4);
  drafts.seal(4);
  drafts.jobFailed(new Error('the job that sealed it'));
  drafts.batchDone();
  t.equal(drafts.discard(4), 4, 'written and refused in one batch, it is still there to be discarded');
});

t.test('expunges beyond the newest 50,000 are forgotten, and changes says so', async (t) => {
  const database = openDatabase(t);
  const { accountId, inbox } = plantAccount(database);
  plantEntries(database, inbox, EXPUNGED_KEPT + EXPUNGED_SLACK + 2);
  const { id: other } = database.run('createMailbox', { accountId, name: ['other'], specialUse: undefined });
  const first = EXPUNGED_SLACK / 2;
  // By MOVE, which goes in one piece whatever its size.
  const expunge = (from: number, to: number) =>
    database.run('move', { from: inbox, ranges: [{ first: from, last: to }], to: other });
  expunge(1, first);
  expunge(first + 1, EXPUNGED_KEPT + EXPUNGED_SLACK);
  const kept = () => database.db.value('SELECT count(*) FROM expunged');
  const row = () =>
    database.db.get<{ readonly floor: number; readonly kept: number }>(
      'SELECT expunged_floor AS floor, expunged_kept AS kept FROM mailbox WHERE id = ?',
      inbox,
    );
  t.same(row(), { floor: 0, kept: EXPUNGED_KEPT + EXPUNGED_SLACK });
  expunge(EXPUNGED_KEPT + EXPUNGED_SLACK + 1, EXPUNGED_KEPT + EXPUNGED_SLACK + 1);
  // The second expunge has one mod-sequence for more UIDs than may be kept: all of it goes, or a part would look whole.
  t.same(row(), { floor: 4, kept: 1 });
  t.equal(kept(), 1);
});

t.test('bulk changes of 20,000 entries take a fraction of a second', async (t) => {
  const database = openDatabase(t);
  const { accountId, inbox } = plantAccount(database);
  plantEntries(database, inbox, 20_000);
  const { id: other } = database.run('createMailbox', { accountId, name: ['other'], specialUse: undefined });
  const flags = { system: 1, keywords: ['$Label'] };
  const others = Array.from({ length: 10_000 }, (_none, at) => ({ first: 2 * at + 1, last: 2 * at + 1 }));
  const last = () => database.db.value('SELECT max(uid) FROM entry WHERE mailbox_id = ?', other);
  const steps: Readonly<Record<string, () => unknown>> = {
    store: () =>
      database.run('setFlags', {
        mailboxId: inbox,
        ranges: ALL,
        operation: 'add',
        flags,
        unchangedSince: undefined,
      }),
    copy: () => database.run('copy', { from: inbox, ranges: ALL, to: other }),
    'copy of every other one': () => {
      const { from, to } = database.run('copy', { from: inbox, ranges: others, to: other });
      t.same([from.length, from.at(-1), to[0], to.at(-1)], [10_000, 19_999, 20_001, last()]);
    },
    'move of every other one': () => {
      const { from, to } = database.run('move', { from: inbox, ranges: others, to: other });
      t.same([from.length, from.at(-1), to[0], to.at(-1)], [10_000, 19_999, 30_001, last()]);
    },
    move: () => database.run('move', { from: inbox, ranges: ALL, to: other }),
    expunge: () => {
      let { next } = database.run('expunge', { mailboxId: other, ranges: ALL, isOnlyDeleted: false });
      let slices = 1;
      for (; next !== undefined; slices += 1) {
        const ranges = [{ first: next, last: 4_294_967_295 }];
        ({ next } = database.run('expunge', { mailboxId: other, ranges, isOnlyDeleted: false }));
      }
      t.ok(slices > 1, 'slice by slice');
    },
  };
  for (const [name, step] of Object.entries(steps)) {
    const before = process.cpuUsage();
    step();
    const { user, system } = process.cpuUsage(before);
    // Some 30 ms on an idle machine; a row-by-row or wide-row shape takes seconds.
    t.ok(user + system < 1_000_000, `${name}: ${Math.round((user + system) / 1000)} ms of CPU`);
  }
});

t.test('a job that cannot be handed over is rejected alone, in its turn', async (t) => {
  const script = `const { parentPort } = require('node:worker_threads');
    parentPort.on('message', (jobs) => {
      if (jobs === 'close') return parentPort.close();
      const results = jobs.map(({ input }) => ({ isDone: true, output: input }));
      parentPort.postMessage({ kind: 'batch', batch: 1, results, changes: [], buffers: [], failure: undefined });
    })`;
  const clock = createTestClock();
  const options = { path: '', clock, log: silentLog, onChanges: () => {}, onBuffers: () => {} };
  const writer = new Writer(new Worker(script, { eval: true }), options, 0);
  const inputs = ['one', () => 'no clone', 'two'] as never[];
  const outcomes = await Promise.allSettled(inputs.map((input) => writer.run('probe', input)));
  t.match(outcomes, [{ value: 'one' }, { reason: { code: 'internal' } }, { value: 'two' }]);
  t.equal(writer.waiting, 0);
  await writer.close();
});

t.test(
  'when the writer thread dies, what waits is rejected, nothing more is taken, and the log says so',
  async (t) => {
    const lines: string[] = [];
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    const script = `require('node:worker_threads').parentPort.on('message', () => { throw new Error('a fault') })`;
    for (const source of [script, script.replace(/throw.*'\)/, 'process.exit(3)')]) {
      lines.length = 0;
      let deaths = 0;
      const writer = new Writer(
        new Worker(source, { eval: true }),
        {
          path: '',
          clock: createTestClock(),
          log: createLog(sink, 'debug'),
          onChanges: () => {},
          onBuffers: () => {},
          onDeath: () => {
            deaths += 1;
          },
        },
        0,
      );
      const both = await Promise.allSettled([writer.run('probe', undefined), writer.run('probe', undefined)]);
      t.match(both, [{ reason: { code: 'storeUnavailable' } }, { reason: { code: 'storeUnavailable' } }]);
      await t.rejects(writer.run('probe', undefined), { code: 'storeUnavailable' });
      t.match(writer.refusal, { code: 'storeUnavailable' });
      t.match(lines, [/"level":"error".*store\.writer\.died/]);
      await writer.close();
      t.equal(deaths, 1, 'main hears of it once');
    }
  },
);

function delivery(accountId: number, octets: Buffer = MESSAGE) {
  const buffer = new ArrayBuffer(octets.length);
  new Uint8Array(buffer).set(octets);
  deliveries += 1;
  return {
    traceId: `0000000000${String(deliveries).padStart(10, '0')}` as never,
    draft: { key: undefined, tail: { buffer, length: octets.length }, octets: octets.length },
    returnPathOctets: 0,
    acceptedAt: 0 as never,
    zoneMinutes: 0,
    reversePath: '',
    recipients: [],
    copies: [{ accountId: accountId as never, recipient: '' }],
    events: [],
  };
}

/** The same connection, but that `sql` throws as on a full disk while `fails` answers true. */
function failingAt(connection: Connection, sql: string, fails: () => boolean): Connection {
  const failing = new Connection({
    prepare: (text: string) => ({
      run: (...values: never[]) => {
        if (text === sql && fails()) throw new Sqlite.SqliteError('database or disk is full', 'SQLITE_FULL');
        return { changes: connection.run(text, ...values) };
      },
      get: (...values: never[]) => connection.get(text, ...values),
      all: (...values: never[]) => connection.all(text, ...values),
      pluck: () => ({
        get: (...values: never[]) => connection.value(text, ...values),
        all: (...values: never[]) => connection.column(text, ...values),
      }),
      raw: () => ({ all: (...values: never[]) => connection.tuples(text, ...values) }),
    }),
    get inTransaction() {
      return connection.isInTransaction;
    },
  } as never);
  return failing;
}
