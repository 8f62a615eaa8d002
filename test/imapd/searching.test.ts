/** SEARCH where a transcript does not reach: the clock, the cost, failures of the store, attacks. */

import t from 'tap';

import { unixMs } from '../../src/base/clock.ts';
import { MailError } from '../../src/base/error.ts';
import { SECOND_MS } from '../../src/base/units.ts';
import { createTestClock, TEST_CLOCK_START } from '../support/clock.ts';
import { LOGIN, openImapSite } from './harness.ts';
import type { ImapSite, RawClient, SiteOptions } from './harness.ts';

/** What a SEARCH answers before its completion. */
async function found(client: RawClient, keys: string, command = 'SEARCH'): Promise<string> {
  const lines = await client.command(`${command} ${keys}`);
  const completion = lines.at(-1) ?? '';
  return /^t\d+ OK/.test(completion) ? lines.slice(0, -1).join('|') : completion.replace(/^t\d+ /, '');
}

/** Puts `count` small messages into INBOX. */
async function fill(site: ImapSite, count: number): Promise<void> {
  await site.put(['INBOX'], ...Array.from({ length: count }, () => 'Subject: text\r\n\r\n'));
}

interface Counts {
  entries: number;
  /** How often entries were asked for. */
  questions?: number;
  isBroken: boolean;
}

/** How many entries a server reads, by way of its store. */
function countingEntries(counts: Counts): NonNullable<SiteOptions['wrap']> {
  return (store) => ({
    mailboxes: new Proxy(store.mailboxes, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name === 'entries' || name === 'flags') {
          return async function* (...args: Parameters<typeof target.entries>) {
            counts.questions = (counts.questions ?? 0) + 1;
            if (counts.isBroken) throw new MailError('storeUnavailable', 'broken by the test');
            for await (const entries of target[name](...args)) {
              counts.entries += entries.length;
              yield entries;
            }
          };
        }
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
    contents: store.contents,
    feed: store.feed,
    trace: store.trace,
  });
}

t.test('OLDER and YOUNGER count seconds back from now, the target second in both', async (t) => {
  const clock = createTestClock();
  const site = await openImapSite(t, { clock });
  const client = await site.selected('');
  const dateOf = (seconds: number) =>
    new Date(TEST_CLOCK_START - seconds * SECOND_MS)
      .toISOString()
      .replace(/^(\d+)-01-(\d+)T([\d:]+)\..*$/, '$2-Jan-$1 $3 +0000');
  for (const seconds of [7200, 3601, 3600, 3599, 0]) {
    await client.command(`APPEND INBOX "${dateOf(seconds)}" {17+}\r\nSubject: text\r\n\r\n`);
  }
  await client.command('SELECT INBOX');
  clock.advance(999);
  t.equal(await found(client, 'OLDER 3600'), '* SEARCH 1 2 3');
  t.equal(await found(client, 'YOUNGER 3600'), '* SEARCH 3 4 5');
  t.equal(await found(client, 'NOT YOUNGER 3600'), '* SEARCH 1 2');
  t.equal(await found(client, 'OLDER 3600 YOUNGER 3600'), '* SEARCH 3');
  t.equal(await found(client, 'YOUNGER 4294967295'), '* SEARCH 1 2 3 4 5');
  clock.advance(1);
  t.equal(await found(client, 'OLDER 3600'), '* SEARCH 1 2 3 4', 'a second later');
  t.equal(await found(client, 'YOUNGER 3600'), '* SEARCH 4 5');
  // What came in has milliseconds, which INTERNALDATE does not tell.
  const [inbox] = await site.store.mailboxes.list(site.account.id);
  const draft = site.store.contents.begin();
  await draft.write(Buffer.from('Subject: text\r\n\r\n'));
  const internalDate = { at: unixMs(clock.now() - 60 * SECOND_MS + 400), zoneMinutes: 0 };
  const appendix = { draft, flags: { system: 0, keywords: [] }, internalDate };
  if (inbox !== undefined) await site.store.mailboxes.append(inbox.id, [appendix]);
  await client.command('NOOP');
  t.equal(await found(client, 'OLDER 60 YOUNGER 60'), '* SEARCH 6');
  t.match(await found(client, 'OLDER 0'), /^BAD /);
  t.match(await found(client, 'YOUNGER 4294967296'), /^BAD /);
});

t.test('MIN reads no further than its message, MAX only the end of the mailbox', async (t) => {
  const counts = { entries: 0, isBroken: false };
  const site = await openImapSite(t, { wrap: countingEntries(counts) });
  const client = await site.selected('');
  await fill(site, 1000);
  await client.command('SELECT INBOX');
  const cost = async (keys: string) => {
    counts.entries = 0;
    const answer = await found(client, keys);
    return { answer: answer.replace(/ \(TAG "t\d+"\)/, ''), entries: counts.entries };
  };
  const whole = await cost('RETURN (MIN MAX COUNT) UNSEEN');
  t.same(whole, { answer: '* ESEARCH MIN 1 MAX 1000 COUNT 1000', entries: 1000 });
  const max = await cost('RETURN (MAX) UNSEEN');
  t.equal(max.answer, '* ESEARCH MAX 1000');
  t.ok(max.entries <= 64, `MAX read ${max.entries}`);
  const min = await cost('RETURN (MIN) UNSEEN');
  t.equal(min.answer, '* ESEARCH MIN 1');
  t.ok(min.entries < 1000, `MIN read ${min.entries}`);
  t.equal((await cost('RETURN (MIN MAX) UNSEEN')).answer, '* ESEARCH MIN 1 MAX 1000');
  await client.command('STORE 5 +FLAGS (\\Flagged)');
  const far = await cost('RETURN (MAX) FLAGGED');
  t.equal(far.answer, '* ESEARCH MAX 5');
  t.ok(far.entries <= 1000, 'no message is read twice');
  t.same(await cost('RETURN (MAX) DRAFT'), { answer: '* ESEARCH', entries: 1000 });
});

t.test(
  'every other message is read in a few questions to the store, whether it is gone or not',
  async (t) => {
    const counts = { entries: 0, questions: 0, isBroken: false };
    const site = await openImapSite(t, { wrap: countingEntries(counts) });
    await fill(site, 1000);
    const [client, other] = [await site.selected(), await site.selected()];
    const odd = Array.from({ length: 500 }, (_, index) => 2 * index + 1).join(',');
    const cost = async (command: string) => {
      counts.questions = 0;
      const lines = await client.command(command);
      t.ok(counts.questions <= 3, `${command.slice(0, 20)}: ${counts.questions} questions`);
      return lines;
    };
    const odds = odd.replaceAll(',', ' ');
    t.equal((await cost(`SEARCH ${odd}`))[0], `* SEARCH ${odds}`);
    t.equal((await cost(`FETCH ${odd} (UID)`)).length, 501);
    t.equal((await cost(`FETCH ${odd},999 (UID)`))[499], '* 999 FETCH (UID 999)');
    await cost(`STORE ${odd} +FLAGS (\\Flagged)`);
    t.equal((await cost(`STORE 2,${odd} +FLAGS (\\Flagged)`)).length, 502, 'one of them changes');
    t.equal((await found(client, 'RETURN (COUNT) FLAGGED')).replace(/^.*COUNT /, ''), '501');
    await other.command('STORE 1:999 +FLAGS.SILENT (\\Deleted)');
    await other.command('EXPUNGE');
    t.equal((await cost(`SEARCH ${odd}`))[0], '* SEARCH');
    t.match(await cost(`FETCH ${odd} (UID)`), [/NO \[EXPUNGEISSUED\]/]);
    t.match(await cost(`STORE ${odd} +FLAGS (\\Seen)`), [/NO \[EXPUNGEISSUED\]/]);
  },
);

t.test('MODSEQ in SEARCH and SORT tells the highest mod-sequence of what is returned', async (t) => {
  const site = await openImapSite(t);
  await fill(site, 4);
  const client = await site.selected();
  t.equal(await found(client, 'MODSEQ 3'), '* OK [HIGHESTMODSEQ 2] CONDSTORE is on|* SEARCH');
  const modSeqs: number[] = [];
  for (const number of [3, 1, 4, 2]) {
    const [line] = await client
      .command(`STORE ${number} +FLAGS (n${number})`)
      .then((lines) => lines.slice(-2));
    modSeqs[number] = Number(/MODSEQ \((\d+)\)/.exec(line ?? '')?.[1]);
  }
  const [of1, of2, of3, of4] = modSeqs.slice(1) as [number, number, number, number];
  t.ok(of3 < of1 && of1 < of4 && of4 < of2, `${modSeqs}`);
  const expected: Readonly<Record<string, readonly [answer: string, modSeq: number | undefined]>> = {
    // RFC 4731 section 3.2: of MIN and MAX that of the two messages, with anything more that of all that were found.
    [`SEARCH RETURN (MIN) MODSEQ ${of3}`]: ['MIN 1', of1],
    [`SEARCH RETURN (MAX) MODSEQ ${of3}`]: ['MAX 4', of4],
    [`SEARCH RETURN (MIN MAX) MODSEQ ${of3}`]: ['MIN 1 MAX 4', of4],
    [`SEARCH RETURN (MIN MAX SAVE) MODSEQ ${of3}`]: ['MIN 1 MAX 4', of4],
    'SEARCH RETURN (ALL) $': ['ALL 1,4', undefined],
    [`SEARCH RETURN (COUNT) MODSEQ ${of1}`]: ['COUNT 3', of2],
    [`SEARCH RETURN (MIN COUNT) 3:4 MODSEQ ${of3}`]: ['MIN 3 COUNT 2', of4],
    [`SEARCH RETURN () MODSEQ ${of4}`]: ['ALL 2,4', of2],
    [`UID SEARCH RETURN (MIN MAX ALL COUNT SAVE) MODSEQ ${of1}`]: ['MIN 1 MAX 4 COUNT 3 ALL 1:2,4', of2],
    'UID SEARCH RETURN (ALL) UID $': ['ALL 1:2,4', undefined],
    [`SEARCH RETURN (ALL COUNT) MODSEQ ${of2 + 1}`]: ['COUNT 0', undefined],
    [`SEARCH RETURN (SAVE) MODSEQ ${of2 + 1}`]: ['', undefined],
    'SEARCH RETURN (COUNT) $': ['COUNT 0', undefined],
    // RFC 5267 section 3: MIN and MAX are the ends of the sorted result.
    [`SORT RETURN (MIN) (REVERSE ARRIVAL) UTF-8 1:3 MODSEQ ${of3}`]: ['MIN 1', of1],
    [`SORT RETURN (MIN MAX) (REVERSE SUBJECT) UTF-8 3:4 MODSEQ ${of3}`]: ['MIN 3 MAX 4', of4],
    [`UID SORT RETURN (ALL COUNT) (SIZE) UTF-8 MODSEQ ${of4}`]: ['COUNT 2 ALL 2,4', of2],
  };
  for (const [command, [answer, modSeq]] of Object.entries(expected)) {
    const [line = ''] = await client.command(command);
    const told = line.replace(/^\* ESEARCH \(TAG "t\d+"\)( UID)? ?|^t\d+ OK .*$/g, '');
    t.equal(told, modSeq === undefined ? answer : `${answer} MODSEQ ${modSeq}`, command);
  }
  t.equal(await found(client, `MODSEQ ${of4}`), `* SEARCH 2 4 (MODSEQ ${of2})`);
  t.equal(await found(client, `MODSEQ ${of2 + 1}`), '* SEARCH');
  t.equal(await found(client, `(ARRIVAL) UTF-8 MODSEQ ${of1}`, 'SORT'), `* SORT 1 2 4 (MODSEQ ${of2})`);
  t.equal(await found(client, `REFERENCES UTF-8 MODSEQ ${of4}`, 'THREAD'), '* THREAD ((2)(4))');
});

t.test(
  'a SEARCH that would save its result and fails saves nothing; without SAVE the result stays',
  async (t) => {
    const counts = { entries: 0, isBroken: false };
    const site = await openImapSite(t, { wrap: countingEntries(counts) });
    const client = await site.selected('');
    await fill(site, 3);
    await client.command('SELECT INBOX');
    t.equal(await found(client, 'RETURN (SAVE) 2:3'), '');
    counts.isBroken = true;
    t.match(await found(client, 'RETURN (COUNT) ALL'), /^NO \[UNAVAILABLE\]/);
    counts.isBroken = false;
    t.equal(await found(client, '$'), '* SEARCH 2 3');
    counts.isBroken = true;
    t.match(await found(client, 'RETURN (SAVE COUNT) ALL'), /^NO \[UNAVAILABLE\]/);
    counts.isBroken = false;
    t.equal(await found(client, '$'), '* SEARCH');
  },
);

t.test('CLOSE and UNSELECT end a saved result', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected('');
  await fill(site, 2);
  for (const leave of ['CLOSE', 'UNSELECT', 'SELECT Nowhere']) {
    await client.command('SELECT INBOX');
    t.equal(await found(client, 'RETURN (SAVE) ALL'), '');
    t.equal(await found(client, '$'), '* SEARCH 1 2');
    await client.command(leave);
    await client.command('SELECT INBOX');
    t.equal(await found(client, '$'), '* SEARCH', leave);
  }
});

t.test('deep nesting, long texts and thousands of keys do not keep another session waiting', async (t) => {
  const site = await openImapSite(t);
  const [attacker, other] = [await site.selected(''), await site.client()];
  await fill(site, 300);
  await attacker.command('SELECT INBOX');
  await other.command(LOGIN);
  const attacks = [
    `${'OR ALL '.repeat(400)}ALL`,
    `${'NOT '.repeat(501)}ALL`,
    Array.from({ length: 4000 }, (_, index) => `UNKEYWORD k${index}`).join(' '),
    `TEXT {1000000+}\r\n${'x'.repeat(1_000_000)}`,
    Array.from({ length: 60 }, (_, index) => `BODY text${index}`).join(' '),
  ];
  for (const attack of attacks) {
    attacker.send(`x SEARCH ${attack}\r\n`);
    t.match((await other.command('NOOP')).at(-1), /OK/);
    t.match((await attacker.answer('x')).at(-1), /^x (OK|NO \[LIMIT\]|BAD)/, attack.slice(0, 30));
  }
});
