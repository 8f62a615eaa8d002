/** The thread behind the room: it holds nobody up, is bounded, and may die. */

import { join } from 'node:path';
import { Writable } from 'node:stream';
import t from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import type { ContentId } from '../../src/base/ids.ts';
import { createLog, silentLog } from '../../src/base/log.ts';
import {
  ASK_DEADLINE_MS,
  ASKS_RUNNING,
  ASKS_WAITING_LIMIT,
  INDEX_QUIET_MS,
  INDEX_REST_MS,
  WAIT_DEADLINE_MS,
} from '../../src/search/limits.ts';
import { checkQuestions } from '../../src/search/question.ts';
import { openSearch } from '../../src/search/search.ts';
import { Turns } from '../../src/search/turns.ts';
import { createTestClock } from '../support/clock.ts';
import { threadMs } from '../support/threadTime.ts';
import { askAll, bodyHolds, find, headerHolds, openSearchSite, textHolds } from './site.ts';

const MIB = 1024 * 1024;

t.test('a search of a whole mailbox leaves the event loop to the others', async (t) => {
  const site = await openSearchSite(t);
  const contents: ContentId[] = [];
  const line = 'lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod\r\n';
  for (let lot = 0; lot < 8; lot += 1) {
    const lots = Array.from(
      { length: 500 },
      (_none, at) => `Subject: ${lot} ${at}\r\n\r\n${line.repeat(40)}`,
    );
    contents.push(...(await site.put(...lots)));
  }
  const room = site.open({ isIndexed: false });
  let longestMs = Number.POSITIVE_INFINITY;
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
  }, 1);
  // Work is counted, not time, for which others may have the machine; and garbage is collected in some lot, but not in each try.
  for (let tries = 0; tries < 5 && longestMs >= 40; tries += 1) {
    longestMs = 0;
    for (let at = 0; at < contents.length; at += 500) {
      const startedMs = threadMs();
      t.same(await find(room, textHolds('nowhere'), contents.slice(at, at + 500)), []);
      longestMs = Math.max(longestMs, threadMs() - startedMs);
    }
  }
  clearInterval(ticking);
  t.ok(longestMs < 40, `a lot of 500 messages costs this thread ${longestMs.toFixed(1)} ms`);
  t.ok(turns > 2 * 8, `the loop turned ${turns} times`);
});

t.test('a large text is searched to its end, in the memory of a piece', async (t) => {
  const site = await openSearchSite(t);
  const draft = site.store.contents.begin();
  await draft.write(Buffer.from('Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n'));
  const block = Buffer.from(
    `${Buffer.from('lorem ipsum dolor sit amet, sed diam nonumy eirmod tempor').toString('base64')}\r\n`.repeat(
      10_000,
    ),
  );
  for (let octets = 0; octets < 80 * MIB; octets += block.length) await draft.write(block);
  await draft.write(Buffer.from(Buffer.from('the very end').toString('base64')));
  const appendix = {
    draft,
    flags: { system: 0, keywords: [] },
    internalDate: { at: systemClock.now(), zoneMinutes: 0 },
  };
  await site.store.mailboxes.append(site.inbox, [appendix]);
  const [small] = await site.put('Subject: small\r\n\r\nx\r\n');
  const large = ((small as number) - 1) as ContentId;
  const room = site.open({ isIndexed: false });
  await find(room, textHolds('small'), [small as ContentId]);
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 10);
  const searching = find(room, bodyHolds('the very end'), [large]);
  // Another session's search takes turns with it.
  const order: string[] = [];
  await Promise.all([
    searching.then(() => order.push('large')),
    find(room, textHolds('small'), [small as ContentId]).then(() => order.push('small')),
  ]);
  clearInterval(watch);
  t.same(await searching, [0]);
  t.same(order, ['small', 'large']);
  t.ok(peak - before < 64 * MIB, `grew by ${((peak - before) / MIB).toFixed(0)} MiB`);
});

t.test('a thread that dies fails what waits as temporary, and the next request starts another', async (t) => {
  const site = await openSearchSite(t);
  const contents = await site.put('Subject: x\r\n\r\nbody\r\n');
  const clock = createTestClock();
  const room = openSearch({
    reserveOctets: 0,
    directory: site.directory,
    feed: site.store.feed,
    clock,
    log: silentLog,
    isIndexed: false,
  });
  t.teardown(() => room.close());
  const search = room.begin([textHolds('body')]);
  const late = search.ask(contents);
  await new Promise((resolve) => setImmediate(resolve));
  // Long before the thread is there, so that it cannot have answered.
  clock.advance(ASK_DEADLINE_MS);
  await t.rejects(late, { code: 'storeUnavailable' });
  t.equal((await search.ask(contents))[0]?.size, 1, 'the same search goes on with another thread');
  search.end();
});

t.test('a thread that cannot open the store fails what is asked, not the process', async (t) => {
  const site = await openSearchSite(t);
  const contents = await site.put('Subject: x\r\n\r\nbody\r\n');
  const room = openSearch({
    reserveOctets: 0,
    directory: join(site.directory, 'nowhere'),
    feed: site.store.feed,
    clock: systemClock,
    log: silentLog,
    isIndexed: false,
  });
  t.teardown(() => room.close());
  await t.rejects(room.begin([textHolds('body')]).ask(contents), { code: 'storeUnavailable' });
});

t.test('a thread that cannot be started is asked for again after a rest, and nobody is hurt', async (t) => {
  const site = await openSearchSite(t);
  const clock = createTestClock();
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  // What cannot be sent to a thread keeps it from being made, as a system does that has no more threads to give.
  const reserveOctets = (() => 0) as unknown as number;
  const room = site.open({ clock, log: createLog(sink, 'error'), reserveOctets, isIndexed: true });
  clock.advance(INDEX_QUIET_MS);
  clock.advance(INDEX_REST_MS);
  t.equal(lines.filter((line) => line.includes('search.thread.unstarted')).length, 2);
  await t.rejects(room.bringIndexUpToDate());
});

t.test('closing ends a search that is under way', async (t) => {
  const site = await openSearchSite(t);
  // So much to read, and no index that would spare it, that no search is answered before the room is closed.
  const body = 'body\r\n'.repeat(5_000);
  const contents = await site.put(
    ...Array.from({ length: 300 }, (_none, at) => `Subject: ${at}\r\n\r\n${body}`),
  );
  const room = site.open({ isIndexed: false });
  await find(room, textHolds('body'), contents.slice(0, 1));
  const searches = Array.from({ length: 10 }, () => room.begin([bodyHolds('nowhere')]).ask(contents));
  const ends = Promise.allSettled(searches);
  await new Promise((resolve) => setImmediate(resolve));
  await room.close();
  for (const end of await ends) t.match(end, { status: 'rejected', reason: { code: 'shuttingDown' } });
  await t.rejects(room.begin([bodyHolds('x')]).ask(contents), { code: 'shuttingDown' });
});

t.test('many searches at a time are all answered', async (t) => {
  const site = await openSearchSite(t);
  const contents = await site.put(
    ...Array.from({ length: 100 }, (_none, at) => `Subject: ${at}.\r\n\r\nbody\r\n`),
  );
  const room = site.open();
  const found = await Promise.all(
    contents.map((_content, at) => find(room, headerHolds('subject', `${at}.`), contents.slice(at, at + 1))),
  );
  t.same(
    found,
    contents.map(() => [0]),
  );
});

t.test(
  'a damaged message fails the search that has to read it, and is not taken for one without the text',
  async (t) => {
    const site = await openSearchSite(t);
    const contents = await site.put('Subject: x\r\n\r\nbody\r\n', 'Subject: y\r\n\r\nbody\r\n');
    site.tamper('UPDATE chunk SET crc32 = crc32 + 1 WHERE id = ?', (contents[0] as number) * 16_384);
    const room = site.open();
    await room.bringIndexUpToDate();
    await t.rejects(room.begin([textHolds('nowhere')]).ask(contents), { code: 'contentCorrupt' });
    t.same((await askAll(room, [textHolds('nowhere')], contents.slice(1))).yes, [[false]]);
  },
);

t.test('a search that asks too much is refused before anything is read', async (t) => {
  const many = (count: number) =>
    Array.from({ length: count }, (_none, at) => headerHolds('subject', `${at}`));
  t.doesNotThrow(() => checkQuestions(many(1_000)));
  t.throws(() => checkQuestions(many(1_001)), { code: 'limit' });
  const bodies = (count: number) => Array.from({ length: count }, (_none, at) => bodyHolds(`${at}`));
  t.doesNotThrow(() => checkQuestions([...bodies(50), ...bodies(50)]), 'the same texts count once');
  t.throws(() => checkQuestions(bodies(51)), { code: 'limit' });
  t.throws(() => checkQuestions([bodyHolds('x'.repeat(131_073))]), { code: 'limit' });
});

t.test('requests take turns, in order, and do not wait for ever', async (t) => {
  const clock = createTestClock();
  const turns = new Turns(clock);
  const running: (() => void)[] = [];
  const started: number[] = [];
  const all = Array.from({ length: ASKS_RUNNING + 3 }, (_none, at) =>
    turns.run(() => {
      started.push(at);
      return new Promise<void>((resolve) => running.push(resolve));
    }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(started.length, ASKS_RUNNING);
  running[0]?.();
  await all[0];
  await new Promise((resolve) => setImmediate(resolve));
  t.same(started, [0, 1, 2, 3, 4]);
  clock.advance(WAIT_DEADLINE_MS);
  await t.rejects(all[5] as Promise<void>, { code: 'deadlineExceeded' });
  await t.rejects(all[6] as Promise<void>, { code: 'deadlineExceeded' });
  const waiting = Array.from({ length: ASKS_WAITING_LIMIT }, () => turns.run(async () => {}));
  await t.rejects(
    turns.run(async () => {}),
    { code: 'tooBusy' },
  );
  for (const end of running) end();
  await Promise.all(waiting);
  t.equal(clock.pendingTimers, 0);
});
