/**
 * The rules of sessions, one test for each: SELECT and EXAMINE, what is told when, sets, STORE, COPY and MOVE, EXPUNGE
 * (RFC 3501 sections 5.2, 6.3.1, 6.3.2 and 6.4, RFC 4315, 6851 and 7162). Several sessions at once: concurrency.test.ts.
 */

import t from 'tap';

import { LOGIN, openImapSite } from './harness.ts';
import type { RawClient } from './harness.ts';

const MESSAGES = ['Subject: one\r\n\r\n1\r\n', 'Subject: two\r\n\r\n2\r\n', 'Subject: three\r\n\r\n3\r\n'];

/** What a command answered, without the tag. */
async function ask(client: RawClient, command: string): Promise<string[]> {
  return (await client.command(command)).map((line) => line.replace(/^t\d+ /, ''));
}

/** The same without the untagged conditions of SELECT. */
function data(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => /^\* \d+ |^\* VANISHED/.test(line));
}

t.test('SELECT tells the whole set of responses, UNSEEN only where a message is', async (t) => {
  const site = await openImapSite(t);
  const a = await site.selected('');
  t.notMatch((await ask(a, 'SELECT INBOX')).join('\n'), /UNSEEN/);
  await site.put(['INBOX'], ...MESSAGES);
  await ask(a, 'NOOP');
  await ask(a, 'STORE 1 +FLAGS (\\Seen Label)');
  await ask(a, 'UNSELECT');
  const system = '\\Answered \\Flagged \\Deleted \\Seen \\Draft Label';
  const same = [
    '* 3 EXISTS',
    '* 0 RECENT',
    '* OK [UNSEEN 2] Message 2 is the first unseen',
    /^\* OK \[UIDVALIDITY [1-9]\d*\] UIDs valid$/,
    '* OK [UIDNEXT 4] Predicted next UID',
    /^\* OK \[MAILBOXID \(F\S+\)\]/,
    '* OK [HIGHESTMODSEQ 3] Highest mod-sequence',
  ];
  const selected = await ask(a, 'SELECT INBOX');
  t.match(selected, [
    `* FLAGS (${system})`,
    `* OK [PERMANENTFLAGS (${system} \\*)] Flags permitted`,
    ...same,
    'OK [READ-WRITE] SELECT completed',
  ]);
  await ask(a, 'UNSELECT');
  t.match(await ask(a, 'EXAMINE INBOX'), [
    `* FLAGS (${system})`,
    '* OK [PERMANENTFLAGS ()] No permanent flags permitted',
    ...same,
    'OK [READ-ONLY] EXAMINE completed',
  ]);
  await ask(a, 'SELECT INBOX');
  await ask(a, 'STORE 1:* +FLAGS.SILENT (\\Seen)');
  t.notMatch((await ask(a, 'SELECT INBOX')).join('\n'), /UNSEEN/);
});

t.test('CLOSED parts what is told of the old mailbox from what is told of the new one', async (t) => {
  const site = await openImapSite(t);
  const a = await site.selected('');
  t.notMatch((await ask(a, 'SELECT INBOX')).join('\n'), /CLOSED/, 'none was selected');
  for (const command of ['SELECT INBOX', 'EXAMINE Sent', 'SELECT nowhere']) {
    t.match((await ask(a, command))[0], /^\* OK \[CLOSED\] /, command);
  }
  t.notMatch((await ask(a, 'SELECT Sent')).join('\n'), /CLOSED/, 'the one that failed left none');
  await ask(a, 'UNSELECT');
  t.notMatch((await ask(a, 'SELECT Sent')).join('\n'), /CLOSED/);
});

t.test(
  'EXAMINE changes nothing: no STORE, EXPUNGE or MOVE, no \\Seen by BODY[], no expunge by CLOSE',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], ...MESSAGES);
    const [a, b] = [await site.selected(), await site.selected('')];
    await ask(a, 'STORE 3 +FLAGS.SILENT (\\Deleted)');
    await ask(b, 'EXAMINE INBOX');
    for (const command of ['STORE 1 +FLAGS (\\Seen)', 'EXPUNGE', 'UID EXPUNGE 3', 'MOVE 1 Trash']) {
      t.match((await ask(b, command)).at(-1), /^NO \[READ-ONLY\]/, command);
    }
    t.same((await ask(b, 'FETCH 1 (BODY[TEXT] FLAGS)'))[0], '* 1 FETCH (BODY[TEXT] {3}\r\n1\r\n FLAGS ())');
    t.match(await ask(b, 'COPY 1 Trash'), [/^OK \[COPYUID/]);
    t.match(
      await ask(b, 'APPEND INBOX {3+}\r\nx\r\n'),
      ['* 4 EXISTS', '* 1 RECENT', /^OK \[APPENDUID/],
      'what others may do',
    );
    t.same(await ask(b, 'CLOSE'), ['OK CLOSE completed']);
    t.same(data(await ask(a, 'NOOP')), ['* 4 EXISTS', '* 4 RECENT']);
    t.same((await ask(a, 'FETCH 1:* (FLAGS)')).slice(0, 3), [
      '* 1 FETCH (FLAGS (\\Recent))',
      '* 2 FETCH (FLAGS (\\Recent))',
      '* 3 FETCH (FLAGS (\\Deleted \\Recent))',
    ]);
  },
);

t.test(
  'STATUS tells items as asked, of the selected mailbox too, and what was just appended elsewhere',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], ...MESSAGES);
    const [a, b] = [await site.selected(), await site.selected()];
    t.same(
      (await ask(a, 'STATUS INBOX (UNSEEN DELETED UIDNEXT MESSAGES)'))[0],
      '* STATUS "INBOX" (UNSEEN 3 DELETED 0 UIDNEXT 4 MESSAGES 3)',
    );
    t.same((await ask(a, 'FETCH 1 (UID)'))[0], '* 1 FETCH (UID 1)', 'it stays selected');
    await ask(b, 'APPEND Sent (\\Seen) {3+}\r\nx\r\n');
    t.same(
      (await ask(a, 'STATUS Sent (MESSAGES UNSEEN SIZE)'))[0],
      '* STATUS "Sent" (MESSAGES 1 UNSEEN 0 SIZE 3)',
    );
  },
);

t.test('EXISTS comes before any FETCH of a new number, and shrinks by EXPUNGE alone', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const [a, b] = [await site.selected(), await site.selected()];
  await site.put(['INBOX'], 'four\r\n');
  await ask(b, 'NOOP');
  await ask(b, 'STORE 4 +FLAGS.SILENT (\\Flagged)');
  t.same(data(await ask(a, 'FETCH 3:4 (UID FLAGS)')), [
    '* 4 EXISTS',
    '* 3 FETCH (UID 3 FLAGS (\\Recent))',
    '* 4 FETCH (UID 4 FLAGS (\\Flagged))',
  ]);
  await ask(b, 'STORE 1:3 +FLAGS.SILENT (\\Deleted)');
  await ask(b, 'EXPUNGE');
  await site.put(['INBOX'], 'five\r\n');
  const lines = data(await ask(a, 'NOOP'));
  t.same(
    lines.filter((line) => /EXPUNGE|EXISTS/.test(line)),
    ['* 1 EXPUNGE', '* 1 EXPUNGE', '* 1 EXPUNGE', '* 2 EXISTS'],
  );
});

for (const { name, enable, told } of [
  { name: 'EXPUNGE', enable: 'ENABLE CONDSTORE', told: '* 2 EXPUNGE' },
  { name: 'VANISHED', enable: 'ENABLE QRESYNC', told: '* VANISHED 2' },
]) {
  t.test(`no ${name} during FETCH, STORE and SEARCH by number, and none while no command runs`, async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], ...MESSAGES);
    const [a, b] = [await site.selected(''), await site.selected()];
    await ask(a, enable);
    await ask(a, 'SELECT INBOX');
    await ask(b, 'STORE 2 +FLAGS.SILENT (\\Deleted)');
    await ask(b, 'EXPUNGE');
    const commands = ['FETCH 1 (UID)', 'STORE 1 +FLAGS (\\Seen)', 'SEARCH ALL', 'FETCH 3 (BODY[])'];
    // RFC 7162 section 3.2.10.2: a UID SEARCH that names messages by their numbers is such a command too.
    for (const command of [...commands, 'UID SEARCH 1:3']) {
      t.notMatch((await ask(a, command)).join('\n'), /EXPUNGE$|VANISHED/m, command);
    }
    // Another session's answer passes the event loop in between: had anything been sent unasked, it would be here.
    await ask(b, 'NOOP');
    t.ok(a.isQuiet);
    t.ok((await ask(a, 'LIST "" %')).includes(told), 'any other command tells it');
  });
}

t.test('each EXPUNGE counts after those before it', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...Array.from({ length: 11 }, (_none, index) => `${index}\r\n`));
  const a = await site.selected();
  await ask(a, 'STORE 3,4,7,11 +FLAGS.SILENT (\\Deleted)');
  t.same(data(await ask(a, 'EXPUNGE')), [
    '* 3 EXPUNGE',
    '* 3 EXPUNGE',
    '* 5 EXPUNGE',
    '* 8 EXPUNGE',
    '* 7 RECENT',
  ]);
  t.same(
    data(await ask(a, 'FETCH 1:* (UID)')),
    [1, 2, 5, 6, 8, 9, 10].map((uid, index) => `* ${index + 1} FETCH (UID ${uid})`),
  );
});

t.test('FETCH of a message that another session expunged is never another message', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const [a, b] = [await site.selected(), await site.selected()];
  await ask(b, 'STORE 1:2 +FLAGS.SILENT (\\Deleted)');
  await ask(b, 'EXPUNGE');
  t.match(await ask(a, 'FETCH 1 (BODY.PEEK[TEXT])'), [/^NO \[EXPUNGEISSUED\]/]);
  t.match(data(await ask(a, 'FETCH 1:3 (BODY.PEEK[TEXT])')), ['* 3 FETCH (BODY[TEXT] {3}\r\n3\r\n)']);
  t.match(await ask(a, 'STORE 1 +FLAGS (\\Seen)'), [/^NO \[EXPUNGEISSUED\]/]);
  await ask(a, 'NOOP');
  t.match(data(await ask(a, 'FETCH 1 (BODY.PEEK[TEXT])')), ['* 1 FETCH (BODY[TEXT] {3}\r\n3\r\n)']);
});

t.test('flags that others change are told with UID and MODSEQ once CONDSTORE is on', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const [plain, condstore, qresync, other] = [
    await site.selected(),
    await site.selected(''),
    await site.selected(''),
    await site.selected(),
  ];
  await ask(condstore, 'SELECT INBOX (CONDSTORE)');
  await ask(qresync, 'ENABLE QRESYNC');
  await ask(qresync, 'SELECT INBOX');
  await ask(other, 'STORE 2 +FLAGS.SILENT (\\Flagged)');
  t.same(data(await ask(plain, 'NOOP')), ['* 2 FETCH (FLAGS (\\Flagged \\Recent))']);
  for (const client of [condstore, qresync]) {
    t.same(data(await ask(client, 'NOOP')), ['* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (3))']);
  }
});

t.test('NOOP, CHECK and IDLE all tell everything that waits', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const other = await site.selected();
  const clients = [await site.selected(), await site.selected(), await site.selected()];
  await ask(other, 'STORE 1 +FLAGS.SILENT (\\Deleted)');
  await ask(other, 'STORE 3 +FLAGS.SILENT (\\Answered)');
  await ask(other, 'EXPUNGE');
  await site.put(['INBOX'], 'four\r\n');
  const expected = ['* 1 EXPUNGE', '* 3 EXISTS', '* 2 FETCH (FLAGS (\\Answered))'];
  for (const [index, command] of ['NOOP', 'CHECK', 'IDLE\r\nDONE'].entries()) {
    const lines = data(await ask(clients[index] as RawClient, command));
    t.same(
      lines.filter((line) => !line.endsWith('RECENT')),
      expected,
      command,
    );
  }
});

t.test('LOGOUT says BYE before OK, before login as well', async (t) => {
  const site = await openImapSite(t);
  for (const client of [await site.client(), await site.selected('')]) {
    t.match(await ask(client, 'LOGOUT'), [/^\* BYE /, 'OK LOGOUT completed']);
    t.equal(await client.closed(), '');
  }
});

t.test('CLOSE expunges without a word, UNSELECT does not expunge, neither tells HIGHESTMODSEQ', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const [a, b] = [await site.selected(''), await site.selected()];
  await ask(a, 'ENABLE QRESYNC');
  await ask(a, 'SELECT INBOX');
  await ask(a, 'STORE 1 +FLAGS.SILENT (\\Deleted)');
  await ask(b, 'STORE 2 +FLAGS.SILENT (\\Flagged)');
  t.same(await ask(a, 'UNSELECT'), ['OK UNSELECT completed']);
  t.same((await ask(a, 'STATUS INBOX (MESSAGES)'))[0], '* STATUS "INBOX" (MESSAGES 3)');
  await ask(a, 'SELECT INBOX');
  t.same(await ask(a, 'CLOSE'), ['OK CLOSE completed'], 'RFC 7162 section 3.2.8 forbids HIGHESTMODSEQ');
  t.same((await ask(a, 'STATUS INBOX (MESSAGES)'))[0], '* STATUS "INBOX" (MESSAGES 2)');
  t.match(await ask(a, 'FETCH 1 (UID)'), [/^BAD/]);
});

t.test('sets: `*` anywhere, reversed ranges, doubles once, 0 never', async (t) => {
  const site = await openImapSite(t);
  const a = await site.selected();
  for (const set of ['*', '1:*', '*:5', '5:*']) {
    t.same(await ask(a, `FETCH ${set} (UID)`), ['OK FETCH completed'], `${set} in an empty mailbox`);
    t.same(await ask(a, `UID FETCH ${set} (UID)`), ['OK FETCH completed']);
  }
  t.match(await ask(a, 'FETCH 1 (UID)'), [/^BAD/]);
  await site.put(['INBOX'], ...MESSAGES);
  await ask(a, 'NOOP');
  const numbers = async (command: string) =>
    data(await ask(a, command)).map((line) => Number(/^\* (\d+)/.exec(line)?.[1]));
  for (const [set, expected] of [
    ['*', [3]],
    ['*:5', [3]],
    ['5:*', [3]],
    ['*:2', [2, 3]],
    ['3:1', [1, 2, 3]],
    ['2,2,1:2,2', [1, 2]],
    ['3,1', [1, 3]],
  ] as const) {
    t.same(await numbers(`FETCH ${set} (UID)`), expected, set);
    t.same(await numbers(`UID FETCH ${set} (FLAGS)`), expected, `UID ${set}`);
  }
  for (const set of ['0', '0:2', '1:0', '', '1,', ':2', '1:2:3', '4294967296']) {
    t.match(await ask(a, `FETCH ${set} (UID)`), [/^BAD/], set);
  }
});

t.test('UIDs that are not there are no error, numbers that are not there are BAD', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const a = await site.selected();
  for (const command of [
    'FETCH 7,90:99 (FLAGS)',
    'STORE 7 +FLAGS (\\Seen)',
    'COPY 7 Trash',
    'MOVE 7 Trash',
  ]) {
    t.match(await ask(a, `UID ${command}`), [/^OK/], command);
    t.match(await ask(a, command), [/^BAD/], command);
  }
  t.match(await ask(a, 'FETCH 2:4 (UID)'), [/^BAD/], 'one of them is enough');
});

t.test('UID FETCH tells UID once, asked for or not, behind the message number', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const a = await site.selected();
  await ask(a, 'STORE 1 +FLAGS.SILENT (\\Deleted)');
  await ask(a, 'EXPUNGE');
  for (const items of ['(FLAGS)', '(UID FLAGS)', '(FLAGS UID UID)']) {
    const [line = ''] = await ask(a, `UID FETCH 3 ${items}`);
    t.match(line, /^\* 2 FETCH \(/);
    t.same(line.match(/UID 3/g)?.length, 1, items);
  }
});

t.test('STORE takes one flag or a list, in any case, and no flag that is none', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], 'x\r\n');
  const a = await site.selected();
  const flagsAfter = async (item: string) =>
    data(await ask(a, `STORE 1 ${item}`))
      .join()
      .replace(/^\* 1 FETCH \(FLAGS \((.*)\)\)$/, '$1');
  t.same(await flagsAfter('FLAGS \\Seen'), '\\Seen \\Recent');
  t.same(await flagsAfter('+flags (\\ANSWERED word)'), '\\Answered \\Seen \\Recent word');
  t.same(await flagsAfter('-FLAGS \\seen \\flagged'), '\\Answered \\Recent word');
  t.same(await flagsAfter('FLAGS ()'), '\\Recent');
  t.same(await ask(a, 'STORE 1 -FLAGS.SILENT (word)'), ['OK STORE completed']);
  for (const item of [
    '+FLAGS (\\Foo)',
    '+FLAGS (\\Recent)',
    '+FLAGS (\\*)',
    '+FLAGS',
    'FLAG (\\Seen)',
    '+FLAGS (a b',
    '++FLAGS (a)',
  ]) {
    t.match(await ask(a, `STORE 1 ${item}`), [/^BAD/], item);
  }
  const [flags = '', permanent = ''] = await ask(a, 'STORE 1 +FLAGS (fresh)');
  t.match(
    [flags, permanent],
    [/^\* FLAGS \(.* word fresh\)$/, /^\* OK \[PERMANENTFLAGS \(.* word fresh \\\*\)\]/],
    'a new keyword is announced',
  );
});

t.test('.SILENT tells what others have changed, and the mod-sequence once CONDSTORE is on', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const [a, b] = [await site.selected(), await site.selected()];
  await ask(b, 'STORE 2 +FLAGS.SILENT (\\Answered)');
  t.same(data(await ask(a, 'STORE 1:3 +FLAGS.SILENT (\\Seen)')), [
    '* 2 FETCH (FLAGS (\\Answered \\Seen \\Recent))',
  ]);
  t.same(data(await ask(a, 'NOOP')), []);
  await ask(a, 'ENABLE CONDSTORE');
  await ask(b, 'NOOP');
  await ask(b, 'STORE 2 -FLAGS.SILENT (\\Answered)');
  t.same(data(await ask(a, 'STORE 1:3 -FLAGS.SILENT (\\Seen)')), [
    '* 1 FETCH (UID 1 MODSEQ (6))',
    '* 3 FETCH (UID 3 MODSEQ (6))',
    '* 2 FETCH (UID 2 FLAGS (\\Recent) MODSEQ (6))',
  ]);
  t.same(data(await ask(a, 'NOOP')), []);
});

t.test('sessions that add different keywords at the same moment all keep theirs', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const clients = [await site.selected(), await site.selected(), await site.selected()];
  await Promise.all(clients.map((client, index) => ask(client, `STORE 1:* +FLAGS.SILENT (word${index})`)));
  for (const client of clients) {
    await ask(client, 'NOOP');
    for (const line of data(await ask(client, 'FETCH 1:* (FLAGS)'))) {
      for (const index of [0, 1, 2]) t.match(line, `word${index}`);
    }
  }
});

t.test(
  'UNCHANGEDSINCE names what it left alone by number or UID, does the rest, and rounds no number',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], ...MESSAGES);
    const a = await site.selected();
    await ask(a, 'STORE 1 +FLAGS.SILENT (\\Deleted)');
    await ask(a, 'EXPUNGE'); // 4
    await ask(a, 'STORE 2 +FLAGS.SILENT (\\Answered)'); // 5
    t.match((await ask(a, 'STORE 1:2 (UNCHANGEDSINCE 4) +FLAGS (\\Seen)')).at(-1), /^OK \[MODIFIED 2\]/);
    t.match((await ask(a, 'UID STORE 2:3 (UNCHANGEDSINCE 5) +FLAGS (\\Draft)')).at(-1), /^OK \[MODIFIED 2\]/);
    t.match(
      (await ask(a, 'UID STORE 1:9 (UNCHANGEDSINCE 0) FLAGS ()')).at(-1),
      /^OK \[MODIFIED 2:3\]/,
      'all fail',
    );
    for (const since of ['9007199254740992', '9007199254740993', '9223372036854775807']) {
      t.match(
        (await ask(a, `STORE 1 (UNCHANGEDSINCE ${since}) +FLAGS (\\Flagged)`)).at(-1),
        /^OK STORE/,
        since,
      );
      t.same(data(await ask(a, `FETCH 1:* (FLAGS) (CHANGEDSINCE ${since})`)), [], since);
    }
    for (const since of ['9223372036854775808', '18446744073709551616', '-1', '1.5', '']) {
      t.match(await ask(a, `STORE 1 (UNCHANGEDSINCE ${since}) +FLAGS (\\Flagged)`), [/^BAD/], since);
    }
  },
);

t.test('CHANGEDSINCE with VANISHED is for UID FETCH under QRESYNC alone', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const a = await site.selected();
  await ask(a, 'STORE 2 +FLAGS.SILENT (\\Deleted)');
  await ask(a, 'EXPUNGE');
  await ask(a, 'STORE 2 +FLAGS.SILENT (\\Seen)');
  const vanished = 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 2 VANISHED)';
  t.match(await ask(a, vanished), [/^BAD/], 'before ENABLE');
  t.same(data(await ask(a, 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 2)')), [
    '* 2 FETCH (UID 3 FLAGS (\\Seen \\Recent) MODSEQ (5))',
  ]);
  await ask(a, 'ENABLE QRESYNC');
  t.same(data(await ask(a, vanished)), [
    '* VANISHED (EARLIER) 2',
    '* 2 FETCH (UID 3 FLAGS (\\Seen \\Recent) MODSEQ (5))',
  ]);
  t.match(await ask(a, 'FETCH 1:* (FLAGS) (CHANGEDSINCE 2 VANISHED)'), [/^BAD/]);
  t.match(await ask(a, 'UID FETCH 1:* (FLAGS) (VANISHED)'), [/^BAD/]);
});

t.test('each CONDSTORE enabling command turns it on, and the first tells HIGHESTMODSEQ', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const other = await site.selected();
  const commands = [
    'ENABLE CONDSTORE',
    'ENABLE QRESYNC',
    'FETCH 1 (MODSEQ)',
    'UID FETCH 1 (FLAGS) (CHANGEDSINCE 1)',
    'STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)',
    'SEARCH MODSEQ 1',
    'UID SEARCH NOT MODSEQ "/flags/\\\\draft" all 620162338',
    'STATUS Sent (HIGHESTMODSEQ)',
    'LIST "" Sent RETURN (STATUS (HIGHESTMODSEQ))',
    'SELECT INBOX (CONDSTORE)',
    'EXAMINE INBOX (CONDSTORE)',
  ];
  for (const [index, command] of commands.entries()) {
    const a = await site.selected();
    const first = await ask(a, command);
    t.equal(first.filter((line) => line.startsWith('* OK [HIGHESTMODSEQ ')).length, 1, command);
    await ask(other, `STORE 3 +FLAGS.SILENT (word${index})`);
    t.match(data(await ask(a, 'NOOP')), [/^\* 3 FETCH \(UID 3 FLAGS \(.*\) MODSEQ \(\d+\)\)$/], command);
    t.notMatch((await ask(a, 'FETCH 3 (MODSEQ)')).join('\n'), /HIGHESTMODSEQ/, 'once');
  }
});

t.test(
  'COPY and MOVE to a mailbox that is not there are TRYCREATE and copy nothing; copies keep flags and date',
  async (t) => {
    const site = await openImapSite(t);
    const a = await site.selected();
    await ask(a, 'APPEND INBOX (\\Flagged word) " 1-Feb-2003 04:05:06 +0100" {3+}\r\nx\r\n');
    for (const command of ['COPY 1 nowhere', 'MOVE 1 nowhere', 'UID COPY 1 nowhere', 'UID MOVE 1 nowhere']) {
      t.match(await ask(a, command), [/^NO \[TRYCREATE\]/], command);
    }
    t.match((await ask(a, 'LIST "" nowhere')).length, 1);
    await ask(a, 'COPY 1 Sent');
    await ask(a, 'MOVE 1 Sent');
    await ask(a, 'SELECT Sent');
    const kept = (flags: string) => `FLAGS (${flags}) INTERNALDATE " 1-Feb-2003 04:05:06 +0100"`;
    t.same(
      data(await ask(a, 'FETCH 1:2 (FLAGS INTERNALDATE)')),
      [1, 2].map((number) => `* ${number} FETCH (${kept('\\Flagged \\Recent word')})`),
    );
  },
);

t.test(
  'COPYUID and APPENDUID pair UIDs in order; MOVE tells COPYUID before the expunges, and none where nothing moved',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], ...MESSAGES, 'four\r\n');
    const a = await site.selected();
    t.match(await ask(a, 'COPY 4,1:2 Sent'), [/^OK \[COPYUID \d+ 1:2,4 1:3\]/]);
    t.match(await ask(a, 'UID COPY 99 Sent'), ['OK Nothing to copy']);
    t.match(await ask(a, 'MOVE 2,4 Sent'), [
      /^\* OK \[COPYUID \d+ 2,4 4:5\]/,
      '* 2 EXPUNGE',
      '* 3 EXPUNGE',
      '* 2 RECENT',
      'OK MOVE completed',
    ]);
    t.match(await ask(a, 'UID MOVE 99 Sent'), ['OK Nothing to move']);
    t.match(await ask(a, 'APPEND Sent {3+}\r\nx\r\n'), [/^OK \[APPENDUID \d+ 6\]/]);
    t.match(await ask(a, 'APPEND Sent {3+}\r\nx\r\n {3+}\r\ny\r\n'), [/^OK \[APPENDUID \d+ 7:8\]/]);
  },
);

t.test('COPY into the selected mailbox makes it grow, MOVE into it gives new UIDs', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...MESSAGES);
  const a = await site.selected();
  t.match(await ask(a, 'COPY 2 INBOX'), ['* 4 EXISTS', '* 4 RECENT', /^OK \[COPYUID \d+ 2 4\]/]);
  t.match(await ask(a, 'MOVE 1 INBOX'), [
    /^\* OK \[COPYUID \d+ 1 5\]/,
    '* 1 EXPUNGE',
    '* 4 EXISTS',
    'OK MOVE completed',
  ]);
  t.same(
    data(await ask(a, 'FETCH 1:* (UID)')),
    [2, 3, 4, 5].map((uid, index) => `* ${index + 1} FETCH (UID ${uid})`),
  );
});

t.test(
  'EXPUNGE takes what is \\Deleted and nothing else, UID EXPUNGE of that only what it names',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], ...MESSAGES, 'four\r\n');
    const a = await site.selected();
    await ask(a, 'STORE 1,3:4 +FLAGS.SILENT (\\Deleted)');
    t.same(data(await ask(a, 'UID EXPUNGE 2:3')), ['* 3 EXPUNGE', '* 3 RECENT']);
    t.same(data(await ask(a, 'UID EXPUNGE 99')), []);
    t.same(data(await ask(a, 'EXPUNGE')), ['* 1 EXPUNGE', '* 2 EXPUNGE', '* 1 RECENT']);
    t.same(data(await ask(a, 'FETCH 1:* (UID)')), ['* 1 FETCH (UID 2)']);
    t.match(await ask(a, 'UID EXPUNGE'), [/^BAD/]);
  },
);

t.test(
  'one session deletes while eight fetch: each gets whole messages, its own numbers, and the end of the story',
  async (t) => {
    const site = await openImapSite(t);
    const count = 300;
    const texts = Array.from(
      { length: count },
      (_none, index) => `Subject: ${index + 1}\r\n\r\n${'x'.repeat(2000)}${index + 1}\r\n`,
    );
    await site.put(['INBOX'], ...texts);
    const deleter = await site.selected();
    const readers: RawClient[] = [];
    for (let index = 0; index < 8; index += 1) {
      const client = await site.client();
      await ask(client, LOGIN);
      if (index % 2 === 0) await ask(client, 'ENABLE QRESYNC');
      await ask(client, 'SELECT INBOX');
      readers.push(client);
    }
    const erase = async () => {
      for (let first = 1; first <= count; first += 10) {
        await ask(deleter, `UID STORE ${first}:${first + 4} +FLAGS.SILENT (\\Deleted)`);
        await ask(deleter, 'EXPUNGE');
      }
    };
    const read = async (client: RawClient, isUid: boolean) => {
      let told = 0;
      for (let round = 0; round < 3; round += 1) {
        const lines = await ask(
          client,
          isUid ? 'UID FETCH 1:* (BODY.PEEK[])' : `FETCH 1:* (UID BODY.PEEK[])`,
        );
        t.match(lines.at(-1), /^OK/);
        for (const line of lines) {
          const [, uid] = /^\* \d+ FETCH \(UID (\d+) BODY\[\]/.exec(line) ?? [];
          if (uid === undefined) continue;
          if (!line.endsWith(`${texts[Number(uid) - 1]})`))
            throw new Error(`UID ${uid} was told as ${line.slice(0, 80)}`);
          told += 1;
        }
      }
      return told;
    };
    const [, ...told] = await Promise.all([
      erase(),
      ...readers.map((client, index) => read(client, index < 4)),
    ]);
    t.ok(
      told.every((number) => number >= (3 * count) / 2),
      `${told}`,
    );
    const left = Array.from({ length: count }, (_none, index) => index + 1).filter(
      (uid) => (uid - 1) % 10 >= 5,
    );
    for (const client of readers) {
      await ask(client, 'NOOP');
      t.same(
        data(await ask(client, 'FETCH 1:* (UID)')),
        left.map((uid, index) => `* ${index + 1} FETCH (UID ${uid})`),
      );
    }
  },
);
