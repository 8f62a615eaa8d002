/** CONDSTORE and QRESYNC: what the client takes for HIGHESTMODSEQ, what is gone, and SELECT with what it remembers. */

import t from 'tap';

import type { Uid } from '../../src/base/ids.ts';
import { ClientModSeq } from '../../src/imapd/clientModSeq.ts';
import { goneSince, matchedUid, rangesAbove } from '../../src/imapd/vanished.ts';
import { MailboxView } from '../../src/imapd/view.ts';
import { openImapSite } from './harness.ts';
import type { ImapSite, RawClient } from './harness.ts';

const uids = (...values: number[]) => values as Uid[];
const range = (first: number, last = first) => ({ first, last });

/** What a command answered, without the tag. */
async function ask(client: RawClient, command: string): Promise<string[]> {
  return (await client.command(command)).map((line) => line.replace(/^t\d+ /, ''));
}

/** A client that has turned QRESYNC on. */
async function qresyncClient(site: ImapSite, mailbox = 'INBOX'): Promise<RawClient> {
  const client = await site.selected('');
  await ask(client, 'ENABLE QRESYNC');
  if (mailbox !== '') await ask(client, `SELECT ${mailbox}`);
  return client;
}

/** What SELECT or EXAMINE with QRESYNC tells behind HIGHESTMODSEQ; `remembered` goes behind UIDVALIDITY. */
async function resync(client: RawClient, uidValidity: number, remembered: string): Promise<string[]> {
  const lines = await ask(client, `SELECT INBOX (QRESYNC (${uidValidity} ${remembered}))`);
  return lines.slice(lines.findIndex((line) => line.includes('HIGHESTMODSEQ')) + 1, -1);
}

async function uidValidityOf(client: RawClient): Promise<number> {
  const [line = ''] = await ask(client, 'STATUS INBOX (UIDVALIDITY)');
  return Number(/UIDVALIDITY (\d+)/.exec(line)?.[1]);
}

const corrections: {
  name: string;
  steps: (client: ClientModSeq) => void;
  toldModSeq: number;
  condstore?: number;
  qresync?: number;
}[] = [
  { name: 'nothing is owed where nothing happened', steps: () => {}, toldModSeq: 100 },
  { name: 'a MODSEQ item says all by itself', steps: (client) => client.noteItem(101), toldModSeq: 101 },
  {
    name: 'a MODSEQ item above what has been told is corrected',
    steps: (client) => client.noteItem(103),
    toldModSeq: 101,
    condstore: 101,
    qresync: 101,
  },
  { name: 'messages that came raise it for QRESYNC', steps: () => {}, toldModSeq: 101, qresync: 101 },
  {
    name: 'messages that went are always followed by it',
    steps: (client) => {
      client.noteItem(102);
      client.noteVanished();
    },
    toldModSeq: 102,
    qresync: 102,
  },
  {
    name: 'a code that was sent counts more than any item',
    steps: (client) => {
      client.noteCode(101);
      client.noteItem(105);
    },
    toldModSeq: 105,
    qresync: 105,
  },
  {
    name: 'a code that is right is not sent again',
    steps: (client) => {
      client.noteVanished();
      client.noteCode(102);
    },
    toldModSeq: 102,
  },
  {
    name: 'an item of an earlier command has been taken over',
    steps: (client) => {
      client.noteItem(104);
      client.settle();
    },
    toldModSeq: 104,
  },
];

for (const { name, steps, toldModSeq, condstore, qresync } of corrections) {
  t.test(`HIGHESTMODSEQ: ${name}`, async (t) => {
    const client = new ClientModSeq();
    client.noteCode(100);
    client.settle();
    steps(client);
    t.equal(client.correction(toldModSeq, false), condstore);
    t.equal(client.correction(toldModSeq, true), qresync);
  });
}

t.test('the example of RFC 7162 section 6: three answers while VANISHED waits', async (t) => {
  const client = new ClientModSeq();
  client.noteCode(98);
  client.settle();
  for (const item of [103, 101]) client.noteItem(item);
  t.equal(client.correction(99, true), 99);
  client.noteCode(99);
  client.settle();
  client.noteItem(104);
  t.equal(client.correction(99, true), 99);
  client.noteCode(99);
  client.settle();
  client.noteVanished();
  t.equal(client.correction(104, true), 104);
});

/** The slices in one. */
function gone(...args: Parameters<typeof goneSince>) {
  return [...goneSince(...args)].flat();
}

t.test('what is gone: by what the store remembers, or all that the view has no more', async (t) => {
  const view = new MailboxView(uids(3, 4, 9), [], 50, 13);
  const remembered = { expunged: uids(1, 2, 6, 7, 8, 9), isComplete: true };
  t.same(gone(view, remembered, [range(2, 7), range(9, 99)]), [range(2), range(6, 7)]);
  const forgotten = { expunged: uids(8), isComplete: false };
  t.same(gone(view, forgotten, [range(1, 99)]), [range(1, 2), range(5, 8), range(10, 12)]);
  t.same(gone(view, forgotten, [range(3, 5), range(8, 9), range(12, 4e9)]), [range(5), range(8), range(12)]);
  t.same(gone(new MailboxView([], [], 1), forgotten, [range(1, 4e9)]), []);
});

t.test('messages that came and were not told yet are not gone', async (t) => {
  const view = new MailboxView(uids(3), [], 50, 5);
  const entry = {
    uid: 7 as Uid,
    modSeq: 51,
  } as Parameters<MailboxView['noteTold']>[0];
  view.apply({ changed: [entry], expunged: [], highestModSeq: entry.modSeq, isComplete: true });
  t.same([...view.goneWithin([range(1, 99)])].flat(), [range(1, 2), range(4, 6)]);
});

t.test('numbers that the client has right spare it what went before', async (t) => {
  const view = new MailboxView(uids(2, 5, 8, 9, 20), [], 50);
  const match = (numbers: string, of: string) =>
    matchedUid(view, { numbers: parse(numbers), uids: parse(of) });
  t.equal(match('1', '2'), 2);
  t.equal(match('1,4', '2,9'), 9);
  t.equal(match('1:4', '2,5,8:9'), 9);
  t.equal(match('2,4', '5,10'), 5, 'the example of RFC 7162 section 3.2.5.2');
  t.equal(match('1,4', '3,9'), 9, 'a later pair that is right says more than an earlier one that is not');
  t.equal(match('1,6', '3,20'), 0);
  t.equal(match('1:4000000000', '2:4000000001'), 2, 'numbers beyond the mailbox cost nothing');
  t.same(rangesAbove([range(1, 3), range(5, 9), range(11)], 5), [range(6, 9), range(11)]);
});

function parse(set: string) {
  return set.split(',').map((part) => {
    const [first = 0, last = first] = part.split(':').map(Number);
    return { first, last };
  });
}

t.test(
  'a client that comes back is told what is gone and what has other flags, of what it knows',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], ...['1', '2', '3', '4', '5', '6'].map((text) => `${text}\r\n`));
    const a = await site.selected();
    const uidValidity = await uidValidityOf(a);
    await ask(a, 'STORE 1 +FLAGS (\\Seen)'); // 3
    await ask(a, 'STORE 2,4 +FLAGS (\\Deleted)'); // 4
    await ask(a, 'EXPUNGE'); // 5
    await ask(a, 'UID STORE 5:6 +FLAGS (\\Flagged mine)'); // 6
    await ask(a, 'CLOSE');
    const b = await qresyncClient(site, '');
    const one = '* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (3))';
    const five = '* 3 FETCH (UID 5 FLAGS (\\Flagged mine) MODSEQ (6))';
    const six = '* 4 FETCH (UID 6 FLAGS (\\Flagged mine) MODSEQ (6))';
    t.same(await resync(b, uidValidity, '2'), ['* VANISHED (EARLIER) 2,4', one, five, six]);
    t.same(await resync(b, uidValidity, '3'), ['* VANISHED (EARLIER) 2,4', five, six]);
    t.same(await resync(b, uidValidity, '5'), [five, six]);
    t.same(await resync(b, uidValidity, '6'), []);
    t.same(await resync(b, uidValidity, '9223372036854775807'), [], 'a mod-sequence of 63 bits');
    t.same(await resync(b, uidValidity, '2 1,4:5'), ['* VANISHED (EARLIER) 4', one, five]);
    t.same(await resync(b, uidValidity, '2 3,99:4000000000'), []);
    t.same(await resync(b, uidValidity, '2 1:6 (1,3 1,4)'), ['* VANISHED (EARLIER) 2,4', one, five, six]);
    t.same(await resync(b, uidValidity, '2 1:6 (1:2 1,3)'), ['* VANISHED (EARLIER) 4', one, five, six]);
    t.same(await resync(b, uidValidity, '2 (1,4 1,6)'), [one, five, six]);
    t.same(await resync(b, uidValidity + 1, '2'), [], 'another UIDVALIDITY');
    t.match(await ask(b, `EXAMINE INBOX (QRESYNC (${uidValidity} 3) CONDSTORE)`), [
      '* OK [CLOSED] The previous mailbox is closed',
      /FLAGS/,
      /PERMANENTFLAGS/,
      '* 4 EXISTS',
      /RECENT/,
      /UNSEEN 2/,
      /UIDVALIDITY/,
      /UIDNEXT 7/,
      /MAILBOXID/,
      '* OK [HIGHESTMODSEQ 6] Highest mod-sequence',
      '* VANISHED (EARLIER) 2,4',
      five,
      six,
      'OK [READ-ONLY] EXAMINE completed',
    ]);
    t.same(await ask(b, 'NOOP'), ['OK NOOP completed'], 'nothing is told twice');
    t.match(await ask(b, `SELECT INBOX (QRESYNC (${uidValidity} 3 *))`), [/^BAD/]);
    t.same((await ask(b, 'FETCH 1 (UID)'))[0], '* 1 FETCH (UID 1)', 'BAD leaves the mailbox selected');
  },
);

t.test(
  'expunges too old to be remembered: all that is gone of the UIDs asked for is told, in lines of bounded length',
  async (t) => {
    const site = await openImapSite(t);
    const { mailboxes } = site.store;
    await site.put(['INBOX'], 'x\r\n');
    const inbox = await mailboxes.find(site.account.id, ['INBOX']);
    if (inbox === undefined) throw new Error('no INBOX');
    for (let count = 1; count < 65_536; count *= 2) {
      await mailboxes.copy(inbox.id, [{ first: 1, last: count }], inbox.id);
    }
    const a = await qresyncClient(site, '');
    const uidValidity = await uidValidityOf(a);
    // Every hundredth stays, in two steps: the first is forgotten by the second.
    const gone = Array.from({ length: 650 }, (_none, index) => range(index * 100 + 1, index * 100 + 99));
    await mailboxes.expunge(inbox.id, gone.slice(0, 100), false);
    const between = (await mailboxes.status(inbox.id)).highestModSeq;
    await mailboxes.expunge(inbox.id, gone.slice(100), false);
    t.equal((await mailboxes.expungedUids(inbox.id, between - 1)).isComplete, false);
    const vanished = await resync(a, uidValidity, `${between - 1}`);
    const lines = vanished.filter((line) => line.startsWith('* VANISHED (EARLIER) '));
    t.same(lines.length, vanished.length, 'no flags have changed');
    t.ok(lines.every((line) => line.length <= 8192) && lines.length > 1);
    const told = lines.map((line) => line.slice('* VANISHED (EARLIER) '.length)).join();
    t.equal(told, gone.map(({ first, last }) => `${first}:${last}`).join());
    const some = await ask(
      a,
      `UID FETCH 90:210,65000:4000000000 (FLAGS) (CHANGEDSINCE ${between - 1} VANISHED)`,
    );
    t.same(some, ['* VANISHED (EARLIER) 90:99,101:199,201:210', 'OK FETCH completed']);
    t.same(await resync(a, uidValidity, `${between - 1} 1:300 (1 100)`), [
      '* VANISHED (EARLIER) 101:199,201:299',
    ]);
  },
);

t.test('a client behind in time is never sent a HIGHESTMODSEQ that hides an expunge from it', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], '1\r\n', '2\r\n', '3\r\n');
  const [a, b] = [await qresyncClient(site), await site.selected()];
  await ask(b, 'STORE 2 +FLAGS.SILENT (\\Deleted)'); // 3
  await ask(a, 'NOOP');
  await ask(b, 'EXPUNGE'); // 4
  await ask(b, 'STORE 1 +FLAGS.SILENT (\\Seen)'); // 5
  t.same(await ask(a, 'FETCH 3 (MODSEQ)'), [
    '* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) MODSEQ (5))',
    '* 3 FETCH (MODSEQ (2))',
    'OK [HIGHESTMODSEQ 3] FETCH completed',
  ]);
  a.socket.destroy();
  const uidValidity = await uidValidityOf(b);
  const c = await qresyncClient(site, '');
  t.same(await resync(c, uidValidity, '3'), [
    '* VANISHED (EARLIER) 2',
    '* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (5))',
  ]);
});

t.test(
  'a listener that hides CONDSTORE and QRESYNC says nothing of mod-sequences unless asked to',
  async (t) => {
    const site = await openImapSite(t, { hiddenCapabilities: ['CONDSTORE', 'QRESYNC'] });
    const a = await site.selected('');
    t.notMatch((await ask(a, 'SELECT INBOX')).join('\n'), /HIGHESTMODSEQ|CLOSED/);
    t.notMatch((await ask(a, 'SELECT Sent')).join('\n'), /HIGHESTMODSEQ|CLOSED/);
    t.match((await ask(a, 'SELECT Sent (CONDSTORE)')).join('\n'), /HIGHESTMODSEQ 1/);
    t.match((await ask(a, 'SELECT INBOX')).join('\n'), /CLOSED.*HIGHESTMODSEQ 1/s);
  },
);
