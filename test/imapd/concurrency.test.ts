/** Several sessions on one mailbox: who is told what and when, numbers that stand still, IDLE, \Recent, mailboxes that go. */

import t from 'tap';

import { openImapSite } from './harness.ts';
import type { RawClient } from './harness.ts';

const MESSAGES = ['Subject: one\r\n\r\n1\r\n', 'Subject: two\r\n\r\n2\r\n', 'Subject: three\r\n\r\n3\r\n'];

/** What a command answered, without the tag. */
async function ask(client: RawClient, command: string): Promise<string[]> {
  return (await client.command(command)).map((line) => line.replace(/^t\d+ /, ''));
}

t.test('what another session expunges keeps its number until the client may be told', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const [a, b] = [await site.selected(), await site.selected()];
  await ask(b, 'STORE 2 +FLAGS.SILENT (\\Deleted)');
  t.same(await ask(b, 'EXPUNGE'), ['* 2 EXPUNGE', 'OK EXPUNGE completed']);
  t.same(await ask(a, 'FETCH 1:3 (UID)'), [
    '* 1 FETCH (UID 1)',
    '* 3 FETCH (UID 3)',
    'OK [EXPUNGEISSUED] Some of these messages have been expunged',
  ]);
  t.same(await ask(a, 'FETCH 2 (UID)'), ['NO [EXPUNGEISSUED] These messages have been expunged']);
  t.same(await ask(a, 'SEARCH ALL'), ['* SEARCH 1 3', 'OK SEARCH completed']);
  t.same(await ask(a, 'STORE 3 +FLAGS (\\Flagged)'), [
    '* 3 FETCH (FLAGS (\\Flagged \\Recent))',
    'OK STORE completed',
  ]);
  t.same(await ask(a, 'COPY 2 Trash'), [
    '* 2 EXPUNGE',
    '* 2 RECENT',
    'NO [EXPUNGEISSUED] These messages have been expunged',
  ]);
  t.same(await ask(a, 'FETCH 2 (UID FLAGS)'), [
    '* 2 FETCH (UID 3 FLAGS (\\Flagged \\Recent))',
    'OK FETCH completed',
  ]);
});

t.test('a UID command may tell expunges, and asks for what is gone without an error', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const [a, b] = [await site.selected(), await site.selected()];
  await ask(b, 'STORE 1 +FLAGS.SILENT (\\Deleted)');
  await ask(b, 'EXPUNGE');
  t.same(await ask(a, 'UID FETCH 1:* (FLAGS)'), [
    '* 2 FETCH (UID 2 FLAGS (\\Recent))',
    '* 3 FETCH (UID 3 FLAGS (\\Recent))',
    '* 1 EXPUNGE',
    '* 2 RECENT',
    'OK FETCH completed',
  ]);
});

t.test(
  'flags that others change are told, and .SILENT silences only what the client did itself',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], ...MESSAGES);
    const [a, b] = [await site.selected(), await site.selected()];
    await ask(b, 'STORE 1 +FLAGS (\\Seen)');
    t.same(await ask(a, 'NOOP'), ['* 1 FETCH (FLAGS (\\Seen \\Recent))', 'OK NOOP completed']);
    t.same(await ask(a, 'NOOP'), ['OK NOOP completed']);
    await ask(b, 'STORE 2 +FLAGS (theirs)');
    t.same(await ask(a, 'STORE 1:2 +FLAGS.SILENT (\\Flagged)'), [
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft theirs)',
      '* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft theirs \\*)] Flags permitted',
      '* 2 FETCH (FLAGS (\\Flagged \\Recent theirs))',
      'OK STORE completed',
    ]);
    await Promise.all([ask(a, 'STORE 3 +FLAGS (left)'), ask(b, 'STORE 3 +FLAGS (right)')]);
    await ask(a, 'NOOP');
    t.match(await ask(a, 'FETCH 3 (FLAGS)'), [/^\* 3 FETCH \(FLAGS \(\\Recent (left right|right left)\)\)$/]);
    t.match(await ask(b, 'UID FETCH 3 (FLAGS)'), [
      /^\* 3 FETCH \(UID 3 FLAGS \((left right|right left)\)\)$/,
    ]);
  },
);

t.test('a session changes only what it has been told of', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], 'one\r\n');
  const a = await site.selected();
  await site.put(['INBOX'], 'two\r\n');
  t.same(await ask(a, 'STORE 1:* +FLAGS (\\Deleted)'), [
    '* 1 FETCH (FLAGS (\\Deleted \\Recent))',
    '* 2 EXISTS',
    '* 2 RECENT',
    'OK STORE completed',
  ]);
  await site.put(['INBOX'], 'three\r\n');
  t.match(await ask(a, 'UID COPY 1:* Trash'), ['* 3 EXISTS', '* 3 RECENT', /COPYUID \d+ 1:2 1:2\]/]);
  await site.put(['INBOX'], 'four\r\n');
  t.same(await ask(a, 'FETCH 4:* (UID)'), [
    '* 4 EXISTS',
    '* 4 RECENT',
    '* 4 FETCH (UID 4)',
    'OK FETCH completed',
  ]);
});

t.test('IDLE tells as it happens, and takes nothing but DONE', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], 'one\r\n');
  const [a, b] = [await site.selected(), await site.selected()];
  await site.put(['INBOX'], 'two\r\n');
  a.send('i1 IDLE\r\n');
  t.equal(await a.line(), '+ idling');
  t.equal(await a.line(), '* 2 EXISTS', 'what was waiting comes at once');
  t.equal(await a.line(), '* 2 RECENT');
  await site.put(['INBOX'], 'three\r\n');
  t.equal(await a.line(), '* 3 EXISTS');
  t.equal(await a.line(), '* 3 RECENT');
  await ask(b, 'STORE 1 +FLAGS (\\Deleted)');
  t.equal(await a.line(), '* 1 FETCH (FLAGS (\\Deleted \\Recent))');
  await ask(b, 'EXPUNGE');
  t.equal(await a.line(), '* 1 EXPUNGE');
  t.equal(await a.line(), '* 2 RECENT');
  a.send('done\r\n');
  t.equal(await a.line(), 'i1 OK IDLE completed');
  a.send('i2 IDLE\r\nNOOP\r\ni3 IDLE\r\nDONE\r\ni4 NOOP\r\n');
  for (const line of [
    '+ idling',
    'i2 BAD Expected DONE',
    '+ idling',
    'i3 OK IDLE completed',
    'i4 OK NOOP completed',
  ])
    t.equal(await a.line(), line);
  await ask(a, 'UNSELECT');
  a.send('i5 IDLE\r\n');
  t.equal(await a.line(), '+ idling', 'without a mailbox too');
  a.send('DONE\r\n');
  t.equal(await a.line(), 'i5 OK IDLE completed');
});

t.test('a new message reaches sessions in IDLE within milliseconds of its commit', async (t) => {
  const site = await openImapSite(t);
  const clients: RawClient[] = [];
  for (let index = 0; index < 20; index += 1) clients.push(await site.selected());
  for (const client of clients) client.send('i IDLE\r\n');
  for (const client of clients) await client.line();
  let round = 0;
  const measure = async () => {
    const delays: number[] = [];
    for (let count = 0; count < 10; count += 1) {
      round += 1;
      await site.deliver(`Subject: ${round}\r\n\r\n`, site.account);
      const committed = site.clock.monotonic();
      for (const client of clients) {
        let line = await client.line();
        while (line.endsWith('RECENT')) line = await client.line();
        t.equal(line, `* ${round} EXISTS`);
        delays.push(site.clock.monotonic() - committed);
      }
    }
    delays.sort((one, other) => one - other);
    t.comment(`median ${delays[delays.length / 2]?.toFixed(1)} ms, longest ${delays.at(-1)?.toFixed(1)} ms`);
    return delays[delays.length / 2] ?? Number.NaN;
  };
  let median = Number.POSITIVE_INFINITY;
  // Others may have the machine for a while: a server that looks by time would be late at every try.
  for (let tries = 0; tries < 5 && median >= 50; tries += 1) median = await measure();
  t.ok(median < 50, `median ${median} ms`);
});

t.test('exactly one session sees a message as recent', async (t) => {
  const site = await openImapSite(t);
  const [a, b] = [await site.selected(), await site.selected()];
  await site.put(['INBOX'], 'one\r\n');
  const [fromA, fromB] = await Promise.all([ask(a, 'NOOP'), ask(b, 'NOOP')]);
  const claims = [...fromA, ...fromB].filter((line) => line === '* 1 RECENT');
  t.equal(claims.length, 1);
  const c = await site.selected('');
  t.match(await ask(c, 'STATUS INBOX (RECENT)'), [/RECENT 0/]);
  t.ok((await ask(c, 'SELECT INBOX')).includes('* 0 RECENT'));
  const d = await site.selected('');
  await site.put(['Sent'], 'two\r\n');
  t.ok((await ask(c, 'EXAMINE Sent')).includes('* 1 RECENT'), 'EXAMINE shows it');
  t.match(await ask(d, 'STATUS Sent (RECENT)'), [/RECENT 1/], 'and does not claim it');
  t.ok((await ask(d, 'SELECT Sent')).includes('* 1 RECENT'));
  t.ok((await ask(c, 'EXAMINE Sent')).includes('* 0 RECENT'));
});

t.test('a mailbox that is deleted ends the other sessions that have it, a renamed one stays', async (t) => {
  const site = await openImapSite(t);
  const owner = await site.selected('');
  await ask(owner, 'CREATE Doomed');
  await ask(owner, 'CREATE Moved');
  const [a, idle, b] = [
    await site.selected('Doomed'),
    await site.selected('Doomed'),
    await site.selected('Moved'),
  ];
  idle.send('i IDLE\r\n');
  t.equal(await idle.line(), '+ idling');
  await ask(owner, 'DELETE Doomed');
  await ask(owner, 'CREATE Doomed');
  t.match(await idle.closed(), /^\* BYE The selected mailbox has been deleted\r\n$/);
  a.send('x NOOP\r\n');
  t.match(await a.closed(), /^\* BYE The selected mailbox has been deleted\r\n$/);
  await ask(owner, 'RENAME Moved Elsewhere');
  await site.put(['Elsewhere'], 'one\r\n');
  t.same(await ask(b, 'NOOP'), ['* 1 EXISTS', '* 1 RECENT', 'OK NOOP completed']);
});

t.test('moves between two sessions tell each its own part', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const [a, b] = [await site.selected(), await site.selected('Trash')];
  t.match(await ask(a, 'MOVE 1:2 Trash'), [
    /^\* OK \[COPYUID \d+ 1:2 1:2\] Moved$/,
    '* 1 EXPUNGE',
    '* 1 EXPUNGE',
    '* 1 RECENT',
    'OK MOVE completed',
  ]);
  t.same((await ask(b, 'NOOP'))[0], '* 2 EXISTS');
});
