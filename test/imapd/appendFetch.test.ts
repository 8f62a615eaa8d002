/** APPEND and FETCH over sockets, octet by octet: points 56 to 72 of the checklist (checklist.test.ts). */

import t from 'tap';
import type { Test } from 'tap';

import { ODD_MESSAGES } from '../support/oddMessages.ts';
import { ODD_MIME } from '../support/oddMime.ts';
import { threadMs } from '../support/threadTime.ts';
import { told } from './answers.ts';
import { LOGIN, openImapSite } from './harness.ts';
import type { ImapSite, RawClient } from './harness.ts';

/** What FETCH tells of message `number`, without the line's frame. */
async function fetched(t: Test, client: RawClient, number: number, items: string): Promise<string> {
  const [line = ''] = await told(t, client, `FETCH ${number} ${items}`);
  return line.replace(/^\d+ FETCH \(/, '').replace(/\)$/, '');
}

/** APPEND with a non-synchronising literal; answers its last line. */
async function append(client: RawClient, args: string, octets: string): Promise<string> {
  return (await client.command(`APPEND ${args} {${octets.length}+}\r\n${octets}`)).at(-1) ?? '';
}

/** A session that has selected an INBOX with these messages, read-only unless told otherwise. */
async function withMessages(
  t: Test,
  messages: readonly (string | Buffer)[],
  verb: 'EXAMINE' | 'SELECT' = 'EXAMINE',
): Promise<{ site: ImapSite; client: RawClient }> {
  const site = await openImapSite(t);
  await site.put(
    ['INBOX'],
    ...messages.map((message) => (typeof message === 'string' ? Buffer.from(message, 'latin1') : message)),
  );
  const client = await site.selected('');
  await told(t, client, `${verb} INBOX`);
  return { site, client };
}

function literal(octets: string): string {
  return octets === '' ? '""' : `{${octets.length}}\r\n${octets}`;
}

t.test('APPEND takes flags and a date, both, one or none, in this order and no other', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected('');
  const right = [
    ['INBOX', '()'],
    ['INBOX (\\Seen Key)', '(\\Seen Key)'],
    ['INBOX ()', '()'],
    ['INBOX " 1-Jan-2024 01:02:03 +0545"', '()'],
    ['INBOX (\\flagged) "31-Dec-2023 23:59:59 -1130"', '(\\Flagged)'],
    ['INBOX "01-Feb-2024 00:00:00 +0000"', '()'],
    // Without its space, as PHP and others write it.
    ['INBOX "1-Mar-2024 00:00:00 +0000"', '()'],
  ] as const;
  for (const [args] of right) t.match(await append(client, args, 'x'), / OK \[APPENDUID /, args);
  const wrong = [
    'INBOX " 1-Jan-2024 01:02:03 +0545" (\\Seen)',
    'INBOX " 1-Jan-2024 01:02 +0000"',
    'INBOX " 1-Foo-2024 01:02:03 +0000"',
    'INBOX "30-Feb-2024 01:02:03 +0000"',
    'INBOX " 1-Jan-2024 25:02:03 +0000"',
    'INBOX " 1-Jan-2024 01:02:03"',
    'INBOX (\\Seen',
    'INBOX (\\Recent)',
  ];
  for (const args of wrong) t.match(await append(client, args, 'x'), / BAD /, args);
  await told(t, client, 'EXAMINE INBOX');
  const lines = await told(t, client, 'FETCH 1:* FLAGS');
  t.same(
    lines.map((line) => /FLAGS (\(.*?\))/.exec(line)?.[1]?.replace(/ ?\\Recent/, '')),
    right.map(([, flags]) => flags),
  );
  const dates: string[] = [];
  for (const number of [4, 5, 6, 7]) dates.push(await fetched(t, client, number, 'INTERNALDATE'));
  t.same(
    dates,
    [
      'INTERNALDATE " 1-Jan-2024 01:02:03 +0545"',
      'INTERNALDATE "31-Dec-2023 23:59:59 -1130"',
      'INTERNALDATE " 1-Feb-2024 00:00:00 +0000"',
      'INTERNALDATE " 1-Mar-2024 00:00:00 +0000"',
    ],
    'the zone is kept and the day padded with a space',
  );
});

t.test(
  'APPEND to the selected mailbox tells EXISTS before its OK; to a missing one TRYCREATE before the literal',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('INBOX');
    const other = await site.selected('INBOX');
    const lines = await client.command('APPEND INBOX {1+}\r\nx');
    t.same(
      lines.map((line) => line.replace(/APPENDUID \d+/, 'APPENDUID n').replace(/^t\d+/, 't')),
      ['* 1 EXISTS', '* 1 RECENT', 't OK [APPENDUID n 1] APPEND completed'],
    );
    t.same(await told(t, other, 'NOOP'), ['1 EXISTS'], 'recent in one session only');
    t.same(await told(t, client, 'APPEND Sent {1+}\r\nx'), [], 'elsewhere: nothing of it here');
    client.send('x APPEND nowhere (\\Seen) {1000000}\r\n');
    t.equal(await client.line(), 'x NO [TRYCREATE] No such mailbox', 'no continuation was sent');
    await told(t, client, 'NOOP');
  },
);

t.test(
  'a stored message has the very octets that were sent, and RFC822.SIZE counts what FETCH returns',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('INBOX');
    const messages = [...ODD_MESSAGES, ...ODD_MIME]
      .map(({ octets }) => octets.toString('latin1'))
      .filter((octets) => octets !== '' && octets.length < 50_000 && !octets.includes('\0'));
    t.ok(messages.length > 200, `${messages.length} messages`);
    for (const octets of messages) t.match(await append(client, 'INBOX', octets), / OK /);
    for (const [index, octets] of messages.entries()) {
      const answer = await fetched(t, client, index + 1, '(RFC822.SIZE BODY.PEEK[])');
      if (answer !== `RFC822.SIZE ${octets.length} BODY[] ${literal(octets)}`)
        t.fail(JSON.stringify(octets.slice(0, 200)));
    }
    t.match(await append(client, 'INBOX', 'a\0b'), / BAD /, 'NUL is refused');
  },
);

t.test('several messages of one APPEND are stored together or not at all', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected('');
  const count = async (session: RawClient) => (await told(t, session, 'STATUS INBOX (MESSAGES UIDNEXT)'))[0];
  await client.command('APPEND INBOX {1+}\r\na (\\Seen) {1+}\r\nb "32-Jan-2024 01:02:03 +0000" {1+}\r\nc');
  await client.command('APPEND INBOX {1+}\r\na {3+}\r\nb\0c');
  await client.command('APPEND INBOX {1+}\r\na word');
  t.equal(await count(client), 'STATUS "INBOX" (MESSAGES 0 UIDNEXT 1)', 'not one after a fault in the last');
  const lost = await site.client();
  await lost.command(LOGIN);
  lost.send('x APPEND INBOX {1+}\r\na {1000+}\r\nhalf of it');
  await client.command('NOOP');
  lost.socket.destroy();
  t.equal(await count(client), 'STATUS "INBOX" (MESSAGES 0 UIDNEXT 1)', 'nor after a lost connection');
  const lines = await client.command('APPEND INBOX {1+}\r\na (Key) {1+}\r\nb {1+}\r\nc');
  t.match(lines.at(-1), / OK \[APPENDUID \d+ 1:3\]/);
  t.match((await client.command('APPEND INBOX UTF8 (~{1+}\r\nx)')).at(-1), / BAD /, 'UTF8 is not offered');
});

t.test('a partial beyond the end is empty under its origin, a count beyond it stops there', async (t) => {
  const body = 'x'.repeat(400_000);
  const message = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nshort\r\n--b\r\n\r\n${body}\r\n--b--\r\n`;
  const { client } = await withMessages(t, [message, `Subject: only\r\n\r\n`]);
  const table: readonly (readonly [section: string, partial: string, expected: string])[] = [
    ['1', '<0.0>', ''],
    ['1', '<0.3>', 'sho'],
    ['1', '<0.5>', 'short'],
    ['1', '<0.6>', 'short'],
    ['1', '<4.1>', 't'],
    ['1', '<4.100>', 't'],
    ['1', '<5.1>', ''],
    ['1', '<6.1>', ''],
    ['1', '<393216.393216>', ''],
    ['1', '<9007199254740991.1>', ''],
    ['2', '<393216.393216>', 'x'.repeat(6784)],
    ['2', '<400000.393216>', ''],
    ['2', '<786432.393216>', ''],
    ['1.MIME', '<0.1>', '\r'],
    ['1.MIME', '<2.1>', ''],
    ['HEADER', '<8.4>', 'Type'],
    ['HEADER', '<45.100>', ''],
    ['HEADER.FIELDS (CONTENT-TYPE)', '<43.100>', '\r\n'],
    ['HEADER.FIELDS (X-NONE)', '<1.100>', '\n'],
    ['TEXT', '<0.5>', '--b\r\n'],
  ];
  for (const [section, partial, expected] of table) {
    const origin = partial.replace(/\.\d+>/, '>');
    const answer = await fetched(t, client, 1, `BODY.PEEK[${section}]${partial}`);
    t.equal(answer, `BODY[${section}]${origin} ${literal(expected)}`, `${section}${partial}`);
  }
  t.equal(await fetched(t, client, 2, 'BODY.PEEK[TEXT]<0.100>'), 'BODY[TEXT]<0> ""', 'of an empty body');
  let joined = '';
  for (let from = 0; ; from += 393_216) {
    const piece = await fetched(t, client, 1, `BODY.PEEK[]<${from}.393216>`);
    const octets = piece.replace(/^BODY\[\]<\d+> (""|\{\d+\}\r\n)/, '');
    if (octets === '') break;
    joined += octets;
  }
  t.ok(joined === message, 'pieces in the size of Thunderbird’s join to the whole');
});

t.test("a large message's header and text are told as a small one's are", async (t) => {
  const header = 'Subject: large\r\nX: y\r\n\r\n';
  const long = `Subject: long\r\nX: ${'x'.repeat(2_000_000)}\r\nTo: a@b\r\n\r\n`;
  const bodies = ['body', 'b'.repeat(300_000)];
  const { client } = await withMessages(t, [...bodies.map((body) => header + body), `${long}body`, long]);
  const items = ['HEADER.FIELDS (SUBJECT)', 'HEADER.FIELDS (SUBJECT)', 'HEADER', 'TEXT', 'TEXT'];
  const partials = ['', '<9.7>', '', '<0.4>', '<2.9999999>'];
  const asked = items.map((item, index) => `BODY.PEEK[${item}]${partials[index]}`).join(' ');
  for (const [index, body] of bodies.entries()) {
    const octets = ['Subject: large\r\n\r\n', 'large\r\n', header, body.slice(0, 4), body.slice(2)];
    const answers = items.map(
      (item, at) => `BODY[${item}]${partials[at]?.replace(/\..*/, '>')} ${literal(octets[at] ?? '')}`,
    );
    t.ok((await fetched(t, client, index + 1, `(${asked})`)) === answers.join(' '), `message ${index + 1}`);
  }
  for (const number of [3, 4]) {
    // Nobody looks further than 1 MiB for fields, but the header is told whole.
    const fields = await fetched(t, client, number, 'BODY.PEEK[HEADER.FIELDS (SUBJECT TO)]');
    t.equal(fields, `BODY[HEADER.FIELDS (SUBJECT TO)] ${literal('Subject: long\r\n\r\n')}`);
    t.ok((await fetched(t, client, number, 'RFC822.HEADER')) === `RFC822.HEADER ${literal(long)}`, 'header');
    const text = number === 3 ? 'body' : '';
    t.equal(await fetched(t, client, number, 'BODY.PEEK[TEXT]'), `BODY[TEXT] ${literal(text)}`);
  }
});

t.test('part numbers lead into multiparts and embedded messages, two levels deep', async (t) => {
  const inner = (name: string, body: string) => `--c\r\nX-Part: ${name}\r\n\r\n${body}\r\n`;
  const deep = `Subject: deep\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n${inner('one', 'deep one')}${inner('two', 'deep two')}--c--`;
  const embedded = `Subject: middle\r\nContent-Type: message/rfc822\r\n\r\n${deep}`;
  const flat = 'Subject: flat\r\n\r\nflat text';
  const message =
    `Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n` +
    `--b\r\nContent-Type: message/rfc822\r\n\r\n${deep}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n${flat}\r\n` +
    `--b\r\nContent-Type: message/rfc822\r\n\r\n${embedded}\r\n--b--\r\n`;
  const { client } = await withMessages(t, [message, 'Subject: plain\r\n\r\nplain text']);
  const mime = 'Content-Type: message/rfc822\r\n\r\n';
  const table: readonly (readonly [section: string, expected: string])[] = [
    ['1', 'first'],
    ['1.MIME', '\r\n'],
    ['2', deep],
    ['2.MIME', mime],
    ['2.HEADER', deep.slice(0, deep.indexOf('--c'))],
    ['2.TEXT', deep.slice(deep.indexOf('--c'))],
    ['2.1', 'deep one'],
    ['2.2', 'deep two'],
    ['2.2.MIME', 'X-Part: two\r\n\r\n'],
    ['3.1', 'flat text'],
    ['3.1.MIME', 'Subject: flat\r\n\r\n'],
    ['3.HEADER', 'Subject: flat\r\n\r\n'],
    ['4', embedded],
    ['4.HEADER', 'Subject: middle\r\nContent-Type: message/rfc822\r\n\r\n'],
    ['4.1', deep],
    ['4.1.HEADER', deep.slice(0, deep.indexOf('--c'))],
    ['4.1.1', 'deep one'],
    ['4.1.2', 'deep two'],
    ['4.1.2.MIME', 'X-Part: two\r\n\r\n'],
  ];
  for (const [section, expected] of table) {
    const answer = await fetched(t, client, 1, `BODY.PEEK[${section}]`);
    t.equal(answer, `BODY[${section}] ${literal(expected)}`, section);
  }
  const plain: readonly (readonly [section: string, expected: string])[] = [
    ['1', 'plain text'],
    ['TEXT', 'plain text'],
    ['1.MIME', 'Subject: plain\r\n\r\n'],
    ['HEADER', 'Subject: plain\r\n\r\n'],
    ['', 'Subject: plain\r\n\r\nplain text'],
  ];
  for (const [section, expected] of plain) {
    const answer = await fetched(t, client, 2, `BODY.PEEK[${section}]`);
    t.equal(answer, `BODY[${section}] ${literal(expected)}`, `a message without parts: ${section}`);
  }
});

t.test('a part that is not there is NIL, and HEADER and TEXT of what is no message as well', async (t) => {
  const message = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n';
  const { client } = await withMessages(t, [message]);
  for (const section of [
    '2',
    '1.1',
    '1.1.1',
    '1.HEADER',
    '1.TEXT',
    '2.MIME',
    '4294967295',
    '1.HEADER.FIELDS (X)',
  ]) {
    t.equal(await fetched(t, client, 1, `BODY.PEEK[${section}]`), `BODY[${section}] NIL`, section);
  }
  for (const section of [
    '0',
    '1.0',
    'MIME',
    '1.',
    '.1',
    '1..1',
    'HEADER.FIELDS',
    'HEADER.FIELDS ()',
    'X',
    '1.X',
  ])
    t.match((await client.command(`FETCH 1 BODY.PEEK[${section}]`)).at(-1), / BAD /, section);
  await told(t, client, 'NOOP');
});

t.test(
  'HEADER.FIELDS has all fields of the names in the message’s order, whole, and the blank line',
  async (t) => {
    const header = 'To: a@b\r\nX-Fold: one\r\n\ttwo\r\n three\r\nSUBJECT: s\r\nto: c@d\r\nX-Other: o\r\n';
    const { client } = await withMessages(t, [`${header}\r\nbody\r\n`, 'Subject: no blank line\r\n']);
    const table: readonly (readonly [names: string, expected: string])[] = [
      ['HEADER.FIELDS (TO)', 'To: a@b\r\nto: c@d\r\n\r\n'],
      ['HEADER.FIELDS (subject x-FOLD)', 'X-Fold: one\r\n\ttwo\r\n three\r\nSUBJECT: s\r\n\r\n'],
      ['HEADER.FIELDS (NONE)', '\r\n'],
      ['HEADER.FIELDS (X X-F X-Folds)', '\r\n'],
      ['HEADER.FIELDS.NOT (To X-Fold Subject)', 'X-Other: o\r\n\r\n'],
      ['HEADER.FIELDS.NOT (NONE)', `${header}\r\n`],
      ['HEADER', `${header}\r\n`],
    ];
    for (const [section, expected] of table) {
      t.equal(
        await fetched(t, client, 1, `BODY.PEEK[${section}]`),
        `BODY[${section}] ${literal(expected)}`,
        section,
      );
    }
    const asked = 'BODY.PEEK[HEADER.FIELDS ("To" {7+}\r\nsubject)]';
    t.match(
      await fetched(t, client, 1, asked),
      /^BODY\[HEADER\.FIELDS \(To subject\)\] \{/,
      'names in any form',
    );
    t.equal(
      await fetched(t, client, 2, 'BODY.PEEK[HEADER.FIELDS (Subject)]'),
      `BODY[HEADER.FIELDS (Subject)] ${literal('Subject: no blank line\r\n')}`,
      'no blank line where the message has none',
    );
  },
);

t.test(
  'BODY[...], RFC822 and RFC822.TEXT set \\Seen and tell it in the same response; nothing else does',
  async (t) => {
    const setting = [
      'BODY[]',
      'BODY[TEXT]',
      'BODY[HEADER]',
      'BODY[1]<0.1>',
      'BODY[9]',
      'RFC822',
      'RFC822.TEXT',
    ];
    const leaving = [
      'BODY.PEEK[]',
      'RFC822.HEADER',
      'RFC822.SIZE',
      'BODY',
      'BODYSTRUCTURE',
      'ENVELOPE',
      'FULL',
    ];
    const messages = [...setting, ...leaving].map(() => 'Subject: x\r\n\r\nbody\r\n');
    const { client, site } = await withMessages(t, messages);
    for (const [index, item] of [...setting, ...leaving].entries()) {
      t.notMatch(await fetched(t, client, index + 1, item), /\\Seen/, `EXAMINE: ${item}`);
    }
    t.same(await told(t, client, 'SEARCH SEEN'), ['SEARCH'], 'EXAMINE sets none');
    const selected = await site.selected('INBOX');
    for (const [index, item] of setting.entries()) {
      t.match(await fetched(t, selected, index + 1, item), / FLAGS \(\\Seen.*\)$/s, item);
      t.notMatch(await fetched(t, selected, index + 1, item), /FLAGS/, `${item}, the second time`);
    }
    for (const [index, item] of leaving.entries())
      t.notMatch(await fetched(t, selected, setting.length + index + 1, item), /\\Seen/, item);
    t.same(await told(t, selected, 'SEARCH SEEN'), [
      `SEARCH ${setting.map((_item, index) => index + 1).join(' ')}`,
    ]);
    t.match(
      await fetched(t, selected, 8, '(FLAGS BODY[])'),
      /^FLAGS \(\\Seen.*\) BODY\[\]/s,
      'once, where FLAGS is asked for',
    );
  },
);

t.test(
  'macros stand alone, items in parentheses in any order, and a message has one FETCH line',
  async (t) => {
    const { client } = await withMessages(t, ['Subject: x\r\n\r\nbody\r\n', 'Subject: y\r\n\r\nbody\r\n']);
    const items = async (asked: string) =>
      (await fetched(t, client, 1, asked))
        .replace(/\((?:[^()]|\([^()]*\))*\)|"[^"]*"/g, '')
        .match(/[A-Z][A-Z0-9.]+/g);
    t.same(await items('FAST'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']);
    t.same((await items('ALL'))?.slice(0, 4), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE']);
    t.match(await fetched(t, client, 1, 'FULL'), /^FLAGS .*INTERNALDATE .*RFC822\.SIZE .*ENVELOPE .*BODY \(/);
    t.same(await items('(UID FLAGS RFC822.SIZE)'), ['UID', 'FLAGS', 'RFC822.SIZE']);
    t.same(await items('(rfc822.size flags uid)'), ['RFC822.SIZE', 'FLAGS', 'UID']);
    const lines = await told(t, client, 'FETCH 1:2 (UID BODY.PEEK[TEXT] FLAGS ENVELOPE BODY.PEEK[HEADER])');
    t.equal(lines.length, 2);
    for (const wrong of [
      '(FAST)',
      '(ALL UID)',
      'FAST UID',
      'FROB',
      '()',
      'UID FLAGS',
      '(UID FLAGS',
      'BODY.PEEK',
    ])
      t.match((await client.command(`FETCH 1 ${wrong}`)).at(-1), / BAD /, wrong);
  },
);

/** BODYSTRUCTURE of one message. */
async function structures(t: Test, messages: readonly string[]): Promise<string[]> {
  const { client } = await withMessages(t, messages);
  const answers: string[] = [];
  for (const index of messages.keys())
    answers.push((await fetched(t, client, index + 1, 'BODYSTRUCTURE')).replace('BODYSTRUCTURE ', ''));
  return answers;
}

const PLAIN_TEXT = '"TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT"';

t.test(
  'BODYSTRUCTURE counts encoded octets and lines, and has a part whatever the boundaries are',
  async (t) => {
    const mixed = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n';
    const empty = `((${PLAIN_TEXT} 0 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`;
    const one = `((${PLAIN_TEXT} 3 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`;
    const table: readonly (readonly [name: string, message: string, expected: string])[] = [
      ['no type', 'Subject: x\r\n\r\none\r\ntwo\r\n', `(${PLAIN_TEXT} 10 2 NIL NIL NIL NIL)`],
      [
        'base64',
        'Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\n',
        '("text" "html" ("charset" "utf-8") NIL NIL "base64" 6 1 NIL NIL NIL NIL)',
      ],
      ['no text', 'Content-Type: image/png\r\n\r\nx', '("image" "png" NIL NIL NIL "7BIT" 1 NIL NIL NIL NIL)'],
      ['no parts', `${mixed}nothing`, empty],
      ['no body', mixed, empty],
      ['unterminated', `${mixed}--b\r\n\r\none`, one],
      ['with preamble and epilogue', `${mixed}pre\r\n--b\r\n\r\none\r\n--b--\r\nepi\r\n`, one],
      [
        'no boundary',
        'Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\none\r\n--b--\r\n',
        `((${PLAIN_TEXT} 0 0 NIL NIL NIL NIL) "mixed" NIL NIL NIL NIL)`,
      ],
      [
        'spaces in the boundary',
        'Content-Type: multipart/mixed; boundary="a b"\r\n\r\n--a b\r\n\r\none\r\n--a b--\r\n',
        one.replace('"boundary" "b"', '"boundary" "a b"'),
      ],
      [
        'the boundary begins another',
        `${mixed}--b\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n\r\none\r\n--b1--\r\n\r\n--b\r\n\r\none\r\n--b--\r\n`,
        `(${one.replace('"boundary" "b"', '"boundary" "b1"')}(${PLAIN_TEXT} 3 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`,
      ],
    ];
    const answers = await structures(
      t,
      table.map(([, message]) => message),
    );
    for (const [index, [name, , expected]] of table.entries()) t.equal(answers[index], expected, name);
  },
);

t.test(
  'BODYSTRUCTURE leaves parameters as they are, puts extension data in its place, and BODY leaves it out',
  async (t) => {
    const header =
      "Content-Type: image/png; name*=utf-8''%C3%A4; a=1; A=2; b\r\nContent-ID: <i@d>\r\nContent-Description: what\r\n" +
      'Content-Transfer-Encoding: base64\r\nContent-MD5: Q2hlY2s=\r\nContent-Disposition: attachment; filename="f g"\r\n' +
      'Content-Language: de, en\r\nContent-Location: http://a/\r\n';
    const bare =
      'Content-Type: image/png (c) ; (d) a=b\r\nContent-Transfer-Encoding:\r\nContent-Disposition: inline\r\n';
    const { client } = await withMessages(t, [`${header}\r\nx`, `${bare}\r\nx`]);
    const fields = '"image" "png" ("name*" "utf-8\'\'%C3%A4" "a" "1" "A" "2") "<i@d>" "what" "base64" 1';
    t.equal(
      await fetched(t, client, 1, 'BODYSTRUCTURE'),
      `BODYSTRUCTURE (${fields} "Q2hlY2s=" ("attachment" ("filename" "f g")) ("de" "en") "http://a/")`,
    );
    t.equal(await fetched(t, client, 1, 'BODY'), `BODY (${fields})`);
    t.equal(
      await fetched(t, client, 2, 'BODYSTRUCTURE'),
      'BODYSTRUCTURE ("image" "png" ("a" "b") NIL NIL "7BIT" 1 NIL ("inline" NIL) NIL NIL)',
    );
  },
);

t.test('BODYSTRUCTURE tells embedded messages, partial ones, delivery reports and digests', async (t) => {
  const inner = 'Subject: in\r\n\r\nx\r\n';
  const envelope = '(NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL)';
  const text = `(${PLAIN_TEXT} 3 1 NIL NIL NIL NIL)`;
  const nothing = '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)';
  const table: readonly (readonly [message: string, expected: string])[] = [
    [
      `Content-Type: message/rfc822\r\n\r\n${inner}`,
      `("message" "rfc822" NIL NIL NIL "7BIT" 18 ${envelope} ${text} 3 NIL NIL NIL NIL)`,
    ],
    [
      'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdA==\r\n',
      `("message" "rfc822" NIL NIL NIL "base64" 14 ${nothing} ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "base64" 14 1 NIL NIL NIL NIL) 1 NIL NIL NIL NIL)`,
    ],
    [
      `Content-Type: message/partial; id=a; number=1\r\n\r\n${inner}`,
      '("message" "partial" ("id" "a" "number" "1") NIL NIL "7BIT" 18 NIL NIL NIL NIL)',
    ],
    [
      'Content-Type: message/delivery-status\r\n\r\nA: b\r\n',
      '("message" "delivery-status" NIL NIL NIL "7BIT" 6 NIL NIL NIL NIL)',
    ],
    [
      `Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n${inner}\r\n--b--\r\n`,
      `(("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 18 ${envelope} ${text} 3 NIL NIL NIL NIL) "digest" ("boundary" "b") NIL NIL NIL)`,
    ],
  ];
  const answers = await structures(
    t,
    table.map(([message]) => message),
  );
  for (const [index, [, expected]] of table.entries()) t.equal(answers[index], expected);
});

t.test(
  'ENVELOPE tells groups, empty and broken addresses and raw octets so that clients can read them',
  async (t) => {
    const from = '((NIL NIL "a" "b"))';
    const table: readonly (readonly [header: string, expected: string])[] = [
      [
        'To: undisclosed-recipients:;',
        'NIL NIL NIL NIL NIL ((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL',
      ],
      [
        'From: a@b\r\nCc: G: c@d, "E F" <e@f>;',
        `NIL NIL ${from} ${from} ${from} NIL ((NIL NIL "G" NIL)(NIL NIL "c" "d")("E F" NIL "e" "f")(NIL NIL NIL NIL)) NIL NIL NIL`,
      ],
      [
        'From: a@b\r\nSender: s@t\r\nReply-To:',
        `NIL NIL ${from} ((NIL NIL "s" "t")) ${from} NIL NIL NIL NIL NIL`,
      ],
      ['Subject: none', 'NIL "none" NIL NIL NIL NIL NIL NIL NIL NIL'],
      ['From: <>', 'NIL NIL ((NIL NIL "" "")) ((NIL NIL "" "")) ((NIL NIL "" "")) NIL NIL NIL NIL NIL'],
      ['Bcc: N <@r,@s:a@b>', 'NIL NIL NIL NIL NIL NIL NIL (("N" "@r,@s" "a" "b")) NIL NIL'],
      ['Bcc: a@b (com (ment))', 'NIL NIL NIL NIL NIL NIL NIL (("com (ment)" NIL "a" "b")) NIL NIL'],
      ['Bcc: "open <a@b>', 'NIL NIL NIL NIL NIL NIL NIL (("open" NIL "a" "b")) NIL NIL'],
      ['Bcc: a@b\r\nBcc: c@d', 'NIL NIL NIL NIL NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d")) NIL NIL'],
      [
        'Subject: =?utf-8?q?=C3=A4?=\r\nIn-Reply-To: <a@b>\r\n <c@d>\r\nMessage-ID: <m@i>',
        'NIL "=?utf-8?q?=C3=A4?=" NIL NIL NIL NIL NIL NIL "<a@b> <c@d>" "<m@i>"',
      ],
      [
        'Subject: \xe4\r\nBcc: \xc3\xb6 <a@b>',
        'NIL {1}\r\n\xe4 NIL NIL NIL NIL NIL (({2}\r\n\xc3\xb6 NIL "a" "b")) NIL NIL',
      ],
      ['Date: not a date', '"not a date" NIL NIL NIL NIL NIL NIL NIL NIL NIL'],
    ];
    const { client } = await withMessages(
      t,
      table.map(([header]) => `${header}\r\n\r\nx`),
    );
    for (const [index, [header, expected]] of table.entries()) {
      t.equal(await fetched(t, client, index + 1, 'ENVELOPE'), `ENVELOPE (${expected})`, header);
    }
  },
);

t.test('what a quoted string cannot hold is a literal that counts octets, whole', async (t) => {
  const messages = [
    '\xe4\xf6',
    'a"b\\c',
    `${'"'.repeat(8)}`,
    'n'.repeat(5000),
    '\xe6\xbc\xa2\xe5\xad\x97',
  ].map((subject) => `Subject: ${subject}\r\nContent-Type: image/png; name="\xc3\xa4"\r\n\r\n`);
  const { client } = await withMessages(t, messages);
  const subjects = [
    '{2}\r\n\xe4\xf6',
    '"a\\"b\\\\c"',
    `{8}\r\n${'"'.repeat(8)}`,
    `{5000}\r\n${'n'.repeat(5000)}`,
    '{6}\r\n\xe6\xbc\xa2\xe5\xad\x97',
  ];
  for (const [index, subject] of subjects.entries()) {
    t.equal(await fetched(t, client, index + 1, 'ENVELOPE'), `ENVELOPE (NIL ${subject}${' NIL'.repeat(8)})`);
    t.match(await fetched(t, client, index + 1, 'BODY'), '("name" {2}\r\n\xc3\xa4)');
  }
});

t.test('INTERNALDATE is the same for ever, through COPY and in every session', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected('');
  const dates = [' 1-Jan-1970 00:00:00 +0000', '29-Feb-2024 12:34:56 -0330', ' 9-Dec-2037 23:59:59 +1400'];
  for (const date of dates) t.match(await append(client, `INBOX "${date}"`, 'x'), / OK /);
  for (const round of ['first', 'second']) {
    const session = await site.selected('INBOX');
    if (round === 'second') await told(t, session, 'COPY 1:3 Sent');
    for (const [index, date] of dates.entries())
      t.equal(await fetched(t, session, index + 1, 'INTERNALDATE'), `INTERNALDATE "${date}"`, round);
  }
  const copied = await site.selected('Sent');
  for (const [index, date] of dates.entries())
    t.equal(await fetched(t, copied, index + 1, 'INTERNALDATE'), `INTERNALDATE "${date}"`, 'the copy');
});

t.test('a thousand parts and a hundred levels are told whole and in bounded time', async (t) => {
  const wanted = [
    'a thousand parts',
    'a hundred levels',
    'a hundred and twenty levels',
    'levels that are never closed',
  ];
  const messages = ODD_MIME.filter(({ name }) => wanted.includes(name)).map(({ octets }) => octets);
  const { client } = await withMessages(t, messages);
  const startedMs = threadMs();
  const lines = await told(
    t,
    client,
    'FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY.PEEK[1000] BODY.PEEK[1.1.1.1.1.1.MIME])',
  );
  const workedMs = threadMs() - startedMs;
  t.equal(lines.length, 4);
  t.equal(lines[0]?.match(/"text" "plain"/g)?.length, 1000);
  t.match(lines[0], / BODY\[1000\] \{1\}\r\nx /);
  t.ok(workedMs < 2000, `${workedMs.toFixed(0)} ms`);
});
