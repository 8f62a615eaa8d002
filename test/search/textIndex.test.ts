/** The index: it only saves reading, survives what happens to its file, and follows the store. */

import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import t from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import type { ContentId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { foldCase } from '../../src/search/foldCase.ts';
import { needleOf, type TextQuestion } from '../../src/search/question.ts';
import type { Search } from '../../src/search/search.ts';
import { Searcher } from '../../src/search/searcher.ts';
import { openContentReader } from '../../src/store/sqlite/contentReader.ts';
import { createTestClock } from '../support/clock.ts';
import { askAll, bodyHolds, find, headerHolds, indexFiles, openSearchSite, textHolds } from './site.ts';

// Each room is a thread of its own, which takes half a second to start on a busy machine.
t.setTimeout(300_000);

t.test('with the index and without it the answers are the same, whatever the texts', async (t) => {
  const site = await openSearchSite(t);
  const letters = fc.constantFrom(
    ...Array.from('abAB ßẞıİiIςσΣéÉöÖ"\'*^-+():'),
    'e\u0301',
    '\u0301',
    '\u0323',
    '한',
    '\u1112\u1161\u11ab',
    '😀',
    '👩‍🚀',
    '\0',
    '\ufeff',
    'ﬁ',
    '\r\n',
  );
  const word = fc.array(letters, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''));
  const messages = fc.sample(fc.tuple(word, word, fc.constantFrom('8bit', 'base64', 'quoted-printable')), {
    seed: 7,
    numRuns: 300,
  });
  const contents = await site.put(
    ...messages.map(([subject, text, encoding]) => messageOf(subject, text, encoding)),
  );
  const scanning = site.open({ isIndexed: false });
  // Needles out of the texts themselves, cut anywhere between characters, and some that are in none.
  const needles = fc.sample(
    fc.oneof(
      fc.tuple(fc.constantFrom(...messages.flat()), fc.nat(8), fc.nat(8)).map(([text, from, length]) =>
        Array.from(text.normalize('NFC'))
          .slice(from, from + length + 1)
          .join(''),
      ),
      word,
    ),
    { seed: 8, numRuns: 160 },
  );
  const questions = needles.flatMap((needle) => [
    bodyHolds(needle),
    textHolds(needle),
    headerHolds('subject', needle),
  ]);
  const expected = await askInLots(scanning, questions, contents);
  await scanning.close();
  const room = site.open();
  await room.bringIndexUpToDate();
  const actual = await askInLots(room, questions, contents);
  for (const [at, question] of questions.entries()) {
    const differ = contents.filter(
      (_id, message) => expected.yes[message]?.[at] !== actual.yes[message]?.[at],
    );
    if (differ.length > 0) t.fail(`${JSON.stringify(question)} differs for ${differ}`);
  }
  const hits = expected.yes.flat().filter((isYes) => isYes).length;
  t.ok(hits > 200, `${hits} hits`);
  let readCount = 0;
  const long = questions.filter((question) => Array.from(needleOf(question) ?? '').length >= 3).slice(0, 30);
  for (const question of long) readCount += (await askAll(room, [question], contents)).readCount;
  t.ok(
    readCount < (long.length * contents.length) / 4,
    `${readCount} were read for ${long.length} questions`,
  );
});

t.test('the index saves reading, and what is not in it yet is read', async (t) => {
  const site = await openSearchSite(t);
  const contents = [...(await site.put(...numbered(200)))];
  // The time stands still: by itself the room would index a second after it was opened, and what comes late as well.
  const room = site.open({ clock: createTestClock() });
  t.equal((await askAll(room, [textHolds('number 17 ')], contents)).readCount, 200, 'no index yet');
  await room.bringIndexUpToDate();
  t.same(await find(room, textHolds('number 17 '), contents), [17]);
  const narrow = await askAll(room, [textHolds('number 17 ')], contents);
  t.ok(narrow.readCount < 20, `${narrow.readCount} were read`);
  t.equal((await askAll(room, [textHolds('nowhere')], contents)).readCount, 0);
  t.equal((await askAll(room, [headerHolds('subject', 'nowhere')], contents)).readCount, 0);
  t.equal((await askAll(room, [textHolds('17')], contents)).readCount, 200, 'too short for trigrams');
  contents.push(...(await site.put('Subject: late\r\n\r\nnowhere else\r\n')));
  const late = await askAll(room, [textHolds('nowhere')], contents);
  t.same(late.yes.at(-1), [true]);
  t.equal(late.readCount, 1);
});

t.test('what is indexed during a search is still found by it', async (t) => {
  const site = await openSearchSite(t);
  const first = await site.put(...numbered(50));
  const room = site.open();
  await room.bringIndexUpToDate();
  const search = room.begin([textHolds('needle')]);
  await search.ask(first);
  const later = await site.put('Subject: a needle\r\n\r\nx\r\n');
  await room.bringIndexUpToDate();
  t.equal(site.askIndex('SELECT count(*) FROM document'), 51);
  t.equal((await search.ask(later))[0]?.size, 1, 'its candidates are from before');
  search.end();
});

t.test('a change is indexed by itself, a moment after', async (t) => {
  const site = await openSearchSite(t);
  site.open();
  await site.put(...numbered(3));
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const isThere = indexFiles(site.directory).length > 0;
    if (isThere && Number(askOrZero(site.askIndex)) === 3) break;
    await systemClock.sleep(50);
  }
  t.equal(site.askIndex('SELECT count(*) FROM document WHERE is_whole = 1'), 3);
});

t.test('deleted contents leave the index', async (t) => {
  const site = await openSearchSite(t);
  const contents = await site.put(...numbered(30));
  const room = site.open();
  await room.bringIndexUpToDate();
  await site.deleteFirst(20);
  await room.bringIndexUpToDate();
  t.equal(site.askIndex('SELECT count(*) FROM document'), 10);
  t.equal(site.askIndex(`SELECT count(*) FROM trigram WHERE trigram MATCH '"num"'`), 10);
  t.same(await find(room, textHolds('number 25 '), contents.slice(20)), [5]);
  await t.rejects(room.begin([textHolds('number')]).ask(contents.slice(0, 1)), { code: 'contentGone' });
});

t.test('a content that was still being written when higher ids were indexed is indexed too', async (t) => {
  const site = await openSearchSite(t);
  const appendices = [];
  for (let count = 0; count < 2; count += 1) {
    const draft = site.store.contents.begin();
    // More than a piece, so that it has its id already.
    await draft.write(Buffer.from(`Subject: slow\r\n\r\n${'slow words '.repeat(60_000)}`));
    const internalDate = { at: systemClock.now(), zoneMinutes: 0 };
    appendices.push({ draft, flags: { system: 0, keywords: [] }, internalDate });
  }
  // More than the round reads at a time, so that it goes on after the first draft has ended.
  await site.put(...numbered(700));
  const room = site.open();
  const round = room.bringIndexUpToDate();
  while (Number(askOrZero(site.askIndex)) < 50) await systemClock.sleep(1);
  await site.store.mailboxes.append(site.inbox, appendices.slice(0, 1));
  await round;
  await site.store.mailboxes.append(site.inbox, appendices.slice(1));
  await room.bringIndexUpToDate();
  t.equal(site.askIndex('SELECT count(*) FROM document'), 702);
});

t.test('the index leaves free what the disk keeps for mail', async (t) => {
  const site = await openSearchSite(t);
  const contents = await site.put(...numbered(10));
  const room = site.open({ reserveOctets: Number.MAX_SAFE_INTEGER });
  await t.rejects(room.bringIndexUpToDate(), { code: 'diskFull' });
  t.equal(site.askIndex('SELECT count(*) FROM document'), 0);
  t.same(await find(room, textHolds('number 7 '), contents), [7]);
});

t.test('a round that fails is tried again once in a while, however often the store changes', async (t) => {
  const site = await openSearchSite(t);
  await site.put(...numbered(10));
  const events: string[] = [];
  const data = {
    directory: site.directory,
    indexPath: join(site.directory, 'hauspost-search.db'),
    textLimitChars: 1_000,
    reserveOctets: Number.MAX_SAFE_INTEGER,
  };
  const searcher = new Searcher(data, (reply) => {
    if (reply.kind === 'log') events.push(reply.event);
  });
  t.teardown(() => searcher.close());
  for (let round = 0; round < 5; round += 1) {
    await searcher.index({ kind: 'index', request: round, isUrgent: false });
  }
  t.same(events, ['search.index.failed']);
});

t.test('a text above the limit is not indexed but read at each search', async (t) => {
  const site = await openSearchSite(t);
  const contents = await site.put(
    `Subject: long\r\n\r\n${'word '.repeat(20_000)}the end\r\n`,
    'Subject: short\r\n\r\nx\r\n',
  );
  const room = site.open({ indexedTextLimitChars: 65_536 });
  await room.bringIndexUpToDate();
  t.equal(site.askIndex('SELECT count(*) FROM document WHERE is_whole = 1'), 1);
  const answer = await askAll(room, [textHolds('the end')], contents);
  t.same(answer, { yes: [[true], [false]], readCount: 1 });
});

const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  'is garbage': (path) => writeFileSync(path, 'garbage, '.repeat(10_000)),
  'is cut off': (path) => truncateSync(path, 20_000),
  'is empty': (path) => truncateSync(path, 0),
  'is of another version': (path) => tamper(path, 'PRAGMA user_version = 999'),
  'lacks a table': (path) => tamper(path, 'DROP TABLE document'),
  'has pages of nothing': (path) => {
    const file = openSync(path, 'r+');
    const { length } = readFileSync(path);
    for (let at = 8_192; at + 8_192 <= length; at += 8_192)
      writeSync(file, Buffer.alloc(8_192, 0x5a), 0, 8_192, at);
    closeSync(file);
  },
};

t.test('an index that is not what it should be is begun anew, and no search suffers', async (t) => {
  const site = await openSearchSite(t);
  const contents = await site.put(...numbered(60));
  const path = join(site.directory, 'hauspost-search.db');
  const first = site.open();
  await first.bringIndexUpToDate();
  await first.close();
  for (const [name, damage] of Object.entries(DAMAGES)) {
    damage(path);
    const room = site.open();
    t.same(await find(room, textHolds('number 7 '), contents), [7], `one that ${name}`);
    await room.bringIndexUpToDate();
    t.same(await find(room, textHolds('number 7 '), contents), [7], `one that ${name}, anew`);
    t.equal((await askAll(room, [textHolds('nowhere')], contents)).readCount, 0, 'it is of use again');
    t.equal(site.askIndex('SELECT count(*) FROM document'), 60);
    await room.close();
  }
});

t.test('an index that is damaged while it is in use is begun anew', async (t) => {
  const site = await openSearchSite(t);
  const contents = await site.put(...numbered(60));
  const room = site.open();
  await room.bringIndexUpToDate();
  tamper(join(site.directory, 'hauspost-search.db'), 'DELETE FROM trigram_data');
  t.same(await find(room, textHolds('number 7 '), contents), [7]);
  await room.bringIndexUpToDate();
  t.same(await find(room, textHolds('number 7 '), contents), [7]);
});

t.test('an index of another state of the store answers nothing', async (t) => {
  const old = await openSearchSite(t, 'old');
  const room = old.open();
  await old.put(...numbered(20));
  await room.bringIndexUpToDate();
  await room.close();
  const index = readFileSync(join(old.directory, 'hauspost-search.db'));
  const restored = await openSearchSite(t, 'restored');
  const contents = await restored.put(...numbered(10).map((message) => message.replace('number', 'nummer')));
  writeFileSync(join(restored.directory, 'hauspost-search.db'), index);
  const other = restored.open();
  t.same(await find(other, textHolds('nummer 7 '), contents), [7]);
  await other.bringIndexUpToDate();
  t.same(await find(other, textHolds('nummer 7 '), contents), [7]);
  t.equal(restored.askIndex('SELECT count(*) FROM document'), 10);
});

t.test(
  'a thread that ends in the middle of indexing leaves an index that the next one goes on with',
  async (t) => {
    const site = await openSearchSite(t);
    const contents = await site.put(...numbered(400));
    for (let kill = 0; kill < 2; kill += 1) {
      const room = site.open();
      const round = room.bringIndexUpToDate().catch((error: unknown) => error);
      await systemClock.sleep(250 + 40 * kill);
      await room.close();
      await round;
    }
    const room = site.open();
    await room.bringIndexUpToDate();
    t.equal(site.askIndex('SELECT count(*) FROM document'), 400);
    t.equal(site.askIndex(`SELECT count(*) FROM trigram WHERE trigram MATCH '"num"'`), 400);
    t.same(await find(room, textHolds('number 399 '), contents), [399]);
  },
);

t.test('an index that is not wanted is deleted', async (t) => {
  const site = await openSearchSite(t);
  await site.put(...numbered(3));
  const room = site.open();
  await room.bringIndexUpToDate();
  await room.close();
  t.ok(existsSync(join(site.directory, 'hauspost-search.db')));
  site.open({ isIndexed: false });
  t.same(indexFiles(site.directory), []);
});

t.test('an index with a text missing loses it: the tests above would notice', async (t) => {
  const site = await openSearchSite(t);
  const contents = await site.put(...numbered(10));
  const room = site.open();
  await room.bringIndexUpToDate();
  tamper(join(site.directory, 'hauspost-search.db'), 'DELETE FROM trigram WHERE rowid = ?', contents[7]);
  t.same(await find(room, textHolds('number 7 '), contents), []);
});

t.test('derived data that is missing is made anew by the reader, and nothing is written', async (t) => {
  const site = await openSearchSite(t);
  const [id] = await site.put('Subject: x\r\n\r\nbody\r\n');
  const reader = openContentReader(site.directory, silentLog);
  const before = await reader.derived(id as ContentId);
  tamper(join(site.directory, 'hauspost.db'), 'DELETE FROM derived');
  t.same(await reader.derived(id as ContentId), before);
  reader.close();
});

/** All questions, fifty needles at a time. */
async function askInLots(room: Search, questions: readonly TextQuestion[], contents: readonly ContentId[]) {
  const yes: boolean[][] = contents.map(() => []);
  let readCount = 0;
  for (let at = 0; at < questions.length; at += 60) {
    const answer = await askAll(room, questions.slice(at, at + 60), contents);
    readCount += answer.readCount;
    for (const [index, row] of answer.yes.entries()) yes[index]?.push(...row);
  }
  return { yes, readCount };
}

function messageOf(subject: string, text: string, encoding: string): string {
  const word = `=?utf-8?b?${Buffer.from(subject).toString('base64')}?=`;
  const body =
    encoding === '8bit'
      ? text
      : encoding === 'base64'
        ? Buffer.from(text).toString('base64')
        : Array.from(Buffer.from(text), (octet) => `=${octet.toString(16).padStart(2, '0')}`).join('');
  return (
    `Subject: ${word}\r\nFrom: ${word} <a@example.org>\r\nMIME-Version: 1.0\r\n` +
    `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`
  );
}

function numbered(count: number): readonly string[] {
  return Array.from(
    { length: count },
    (_none, at) => `Subject: message ${foldCase('X')}\r\n\r\nThis is number ${at} of many.\r\n`,
  );
}

function tamper(path: string, sql: string, ...values: readonly unknown[]): void {
  const db = new Sqlite(path);
  // Else the tables of FTS5 are protected.
  db.unsafeMode();
  if (sql.startsWith('PRAGMA')) db.exec(sql);
  else db.prepare(sql).run(...values);
  db.close();
}

function askOrZero(ask: (sql: string) => unknown): unknown {
  try {
    return ask('SELECT count(*) FROM document');
  } catch {
    return 0;
  }
}
