/** SEARCH for texts, by way of the search room: combinations, indexed or not, many sessions, a thread that dies, attacks. */

import t from 'tap';

import { silentLog } from '../../src/base/log.ts';
import { ASK_DEADLINE_MS } from '../../src/search/limits.ts';
import { openSearch, type Search } from '../../src/search/search.ts';
import { createTestClock } from '../support/clock.ts';
import { threadMs } from '../support/threadTime.ts';
import { LOGIN, openImapSite, type RawClient } from './harness.ts';

/** How much work of this thread a NOOP may wait for while others search; the clients of the test are in it. */
const WAIT_LIMIT_MS = 150;
const TRIES = 4;

async function found(client: RawClient, keys: string): Promise<string> {
  const lines = await client.command(`SEARCH ${keys}`);
  return lines.length > 1 ? (lines[0] ?? '') : (lines[0] ?? '').replace(/^t\d+ /, '');
}

t.test('keys on entries, headers and bodies combine, with the index and before it', async (t) => {
  const site = await openImapSite(t);
  const messages = Array.from(
    { length: 40 },
    (_none, at) =>
      `Date: ${(at % 28) + 1} Feb 2024 10:00:00 +0000\r\nFrom: ${at % 2 === 0 ? 'Anna' : 'Bert'} <x@example.org>\r\n` +
      `Subject: subject ${at}\r\n\r\nbody ${at % 4 === 0 ? 'Größe' : 'other'} ${at}.\r\n`,
  );
  await site.put(['INBOX'], ...messages);
  const client = await site.selected();
  await client.command('STORE 1:20 +FLAGS.SILENT (\\Seen)');
  const cases: readonly (readonly [string, string])[] = [
    ['FROM anna BODY {7+}\r\nGR\xc3\x96\xc3\x9fE', '* SEARCH 1 5 9 13 17 21 25 29 33 37'],
    ['UNSEEN FROM bert TEXT "subject 3"', '* SEARCH 32 34 36 38 40'],
    ['OR SUBJECT "subject 7" (SEEN BODY "other 1.")', '* SEARCH 2 8'],
    ['NOT FROM anna NOT BODY other', '* SEARCH'],
    ['SENTSINCE 27-Feb-2024 SENTBEFORE 28-Feb-2024', '* SEARCH 27'],
    ['OR SENTON 3-Feb-2024 BODY "other 5."', '* SEARCH 3 6 31'],
    ['NOT (OR FROM anna TEXT other)', '* SEARCH'],
    ['1:4 BODY ""', '* SEARCH 1 2 3 4'],
  ];
  for (const [keys, expected] of cases) t.equal(await found(client, `CHARSET UTF-8 ${keys}`), expected, keys);
  await site.search.bringIndexUpToDate();
  for (const [keys, expected] of cases)
    t.equal(await found(client, `CHARSET UTF-8 ${keys}`), expected, `indexed: ${keys}`);
});

t.test('a thread that does not answer is NO [UNAVAILABLE], and the next SEARCH has another', async (t) => {
  const clock = createTestClock();
  const rooms: Search[] = [];
  t.teardown(() => rooms[0]?.close());
  const site = await openImapSite(t, {
    search: ({ directory, store: { feed } }) => {
      const room = openSearch({ reserveOctets: 0, directory, feed, clock, log: silentLog, isIndexed: false });
      rooms.push(room);
      return room;
    },
  });
  await site.put(['INBOX'], 'Subject: here\r\n\r\nx\r\n');
  const client = await site.selected();
  client.send('late SEARCH TEXT here\r\n');
  // The deadline is set once the request is with the thread, which takes longer than that to start.
  while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(ASK_DEADLINE_MS);
  t.match((await client.answer('late')).at(-1), /^late NO \[UNAVAILABLE\]/);
  t.equal(await found(client, 'TEXT here'), '* SEARCH 1');
});

t.test('sessions that search and a thousand keys keep nobody else waiting', async (t) => {
  const site = await openImapSite(t);
  const text = 'lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod\r\n'.repeat(
    40,
  );
  for (let lot = 0; lot < 2; lot += 1) {
    await site.put(
      ['INBOX'],
      ...Array.from({ length: 500 }, (_none, at) => `Subject: ${lot} ${at}\r\n\r\n${text}`),
    );
  }
  const canary = await site.client();
  await canary.command(LOGIN);
  const searchers = await Promise.all(Array.from({ length: 6 }, () => site.selected()));
  const keys = [
    'TEXT nowhere',
    'BODY "nonumy eirmoe"',
    Array.from({ length: 900 }, (_none, at) => `NOT SUBJECT "word ${at}"`).join(' '),
    `${'OR BODY ab1 '.repeat(40)}BODY zz`,
    Array.from({ length: 1_100 }, (_none, at) => `SUBJECT ${at}`).join(' '),
    `HEADER x-none "${'a'.repeat(20_000)}b"`,
  ];
  let longestMs = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && longestMs > WAIT_LIMIT_MS; tries += 1) {
    let open = searchers.length;
    const answers = searchers.map(async (client, at) => {
      client.send(`s SEARCH ${keys[at]}\r\n`);
      const lines = await client.answer('s');
      open -= 1;
      return lines.at(-1) ?? '';
    });
    longestMs = 0;
    while (open > 0) {
      const started = threadMs();
      await canary.command('NOOP');
      longestMs = Math.max(longestMs, threadMs() - started);
    }
    const ends = await Promise.all(answers);
    t.match(ends, [/^s OK/, /^s OK/, /^s OK/, /^s OK/, /^s NO \[LIMIT\]/, /^s OK/]);
  }
  t.ok(longestMs <= WAIT_LIMIT_MS, `a NOOP waited for ${longestMs.toFixed(1)} ms of work`);
});
