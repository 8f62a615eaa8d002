/** Files of pickup and replay directories: what they are decoded to, which envelope they have, and why some are bad. */

import { readFileSync } from 'node:fs';
import t from 'tap';

import { createDotJudge, createDotUnstuffer } from '../../src/wire/pickup/dots.ts';
import { createFileDecoder } from '../../src/wire/pickup/fileDecoder.ts';
import { type OpeningRules, type PickupOpening, readOpening } from '../../src/wire/pickup/opening.ts';
import { documentPickupProblems, explainProblem } from '../../src/wire/pickup/problems.ts';

const EXCHANGE: OpeningRules = {
  kind: 'pickup',
  hasDefaultSender: false,
  senderFirst: false,
  removesTrace: true,
  recipientLimit: 100,
};
const IIS: OpeningRules = { ...EXCHANGE, senderFirst: true, removesTrace: false };
const REPLAY: OpeningRules = { ...EXCHANGE, kind: 'replay', removesTrace: false };

/** A file whose lines are written with LF, each character an octet. */
function open(text: string, rules: OpeningRules = EXCHANGE): PickupOpening {
  return readOpening(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'), true, rules);
}

function envelope(text: string, rules: OpeningRules = EXCHANGE) {
  const opening = open(text, rules);
  if (opening.kind === 'bad') throw new Error(JSON.stringify(opening));
  return opening;
}

function problem(text: string, rules: OpeningRules = EXCHANGE) {
  const opening = open(text, rules);
  return opening.kind === 'bad' ? opening.problem : opening;
}

function headerText(text: string, rules: OpeningRules = EXCHANGE): string {
  return envelope(text, rules).header.toString('latin1').replaceAll('\r\n', '\n');
}

function decode(octets: Buffer, size = octets.length || 1) {
  const decoder = createFileDecoder();
  const pieces: Buffer[] = [];
  for (let at = 0; at < octets.length; at += size) {
    const block = Buffer.from(octets.subarray(at, at + size));
    pieces.push(Buffer.from(decoder.push(block)));
  }
  pieces.push(decoder.end());
  return {
    text: Buffer.concat(pieces).toString('latin1'),
    encoding: decoder.encoding,
    changes: decoder.changes,
  };
}

t.test('files are decoded to octets with CRLF', async (t) => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le');
  const swapped = (octets: Buffer) => Buffer.from(octets).swap16();
  const table: [name: string, octets: Buffer, text: string, encoding: string, changes: string[]][] = [
    ['nothing', Buffer.alloc(0), '', 'utf8', []],
    ['as it should be', Buffer.from('To: a\r\n\r\nb\r\n'), 'To: a\r\n\r\nb\r\n', 'utf8', []],
    ['any octets', Buffer.from('T\xff\0\xfe\r\n', 'latin1'), 'T\xff\0\xfe\r\n', 'utf8', []],
    ['LF', Buffer.from('To: a\n\nb\n'), 'To: a\r\n\r\nb\r\n', 'utf8', ['lineEnds']],
    ['CR', Buffer.from('To: a\r\rb\r'), 'To: a\r\n\r\nb\r\n', 'utf8', ['lineEnds']],
    ['CR CR LF', Buffer.from('To: a\r\r\n\r\r\nb\r\r\n'), 'To: a\r\n\r\nb\r\n', 'utf8', ['lineEnds']],
    ['CR CR CR LF', Buffer.from('a\r\r\r\nb\r\n'), 'a\r\n\r\nb\r\n', 'utf8', ['lineEnds']],
    ['LF CR', Buffer.from('a\n\rb\r\n'), 'a\r\n\r\nb\r\n', 'utf8', ['lineEnds']],
    ['no last line end', Buffer.from('a\r\nb'), 'a\r\nb\r\n', 'utf8', ['lineEnds']],
    ['a mark of UTF-8', Buffer.from('\ufeffTo: \u00e4\r\n'), 'To: \xc3\xa4\r\n', 'utf8', ['byteOrderMark']],
    ['a second mark stays', Buffer.from('\ufeff\ufeffa\r\n'), '\xef\xbb\xbfa\r\n', 'utf8', ['byteOrderMark']],
    ['a mark alone', Buffer.from('\ufeff'), '', 'utf8', ['byteOrderMark']],
    ['UTF-16LE', utf16('\ufeffTo: \u00e4\r\n'), 'To: \xc3\xa4\r\n', 'utf16le', ['byteOrderMark', 'utf16']],
    [
      'UTF-16BE',
      swapped(utf16('\ufeffTo: \u00e4\n')),
      'To: \xc3\xa4\r\n',
      'utf16be',
      ['byteOrderMark', 'utf16', 'lineEnds'],
    ],
    ['UTF-16LE without a mark', utf16('To: \u00e4\r\n'), 'To: \xc3\xa4\r\n', 'utf16le', ['utf16']],
    ['UTF-16BE without a mark', swapped(utf16('To: \u00e4\r\n')), 'To: \xc3\xa4\r\n', 'utf16be', ['utf16']],
    ['a pair of surrogates', utf16('To: \u{1f600}\r\n'), 'To: \xf0\x9f\x98\x80\r\n', 'utf16le', ['utf16']],
    ['a lone surrogate', utf16('To: \ud83dx\r\n'), 'To: \xef\xbf\xbdx\r\n', 'utf16le', ['utf16']],
    [
      'an odd last octet',
      Buffer.concat([utf16('To: a\r\n'), Buffer.from('x')]),
      'To: a\r\n\xef\xbf\xbd\r\n',
      'utf16le',
      ['utf16', 'lineEnds'],
    ],
  ];
  for (const [name, octets, text, encoding, changes] of table)
    for (const size of [1, 2, 3, 5, 1000])
      t.strictSame(decode(octets, size), { text, encoding, changes }, `${name}, blocks of ${size}`);
});

t.test('dots are judged by the lines that begin with one', async (t) => {
  const table: [name: string, body: string, verdict: string, isAmbiguous: boolean][] = [
    ['no dots', 'a\n.b'.replace('\n.', '\n '), 'raw', false],
    ['every line has two', 'a\n..b\n..\n', 'stuffed', true],
    ['two, and the end', '..b\n.\n', 'stuffed', false],
    ['the end alone', 'a\n.\n', 'stuffed', false],
    ['the end and blank lines', 'a\n.\n\n \t\n', 'stuffed', false],
    ['one dot and text', 'a\n.b\n', 'raw', false],
    ['one dot and a blank', 'a\n. \n', 'raw', false],
    ['one dot and text among two', '..a\n.b\n..c\n', 'raw', false],
    ['one dot and text, and the end', '.b\n.\n', 'raw', true],
    ['text behind one dot', 'a\n.\nb\n', 'raw', false],
    ['two ends', 'a\n.\n.\n', 'raw', true],
    ['text behind one dot, then the end', 'a\n.\n .\n', 'raw', false],
    ['dots inside lines', 'a.b\n .\nx..\n', 'raw', false],
    ['nothing', '', 'raw', false],
  ];
  for (const [name, body, verdict, isAmbiguous] of table)
    for (const size of [1, 2, 3, 1000]) {
      const judge = createDotJudge();
      const octets = Buffer.from(body.replaceAll('\n', '\r\n'));
      for (let at = 0; at < octets.length; at += size) judge.push(octets.subarray(at, at + size));
      const found = judge.end();
      t.strictSame([found, judge.isAmbiguous], [verdict, isAmbiguous], `${name}, blocks of ${size}`);
    }
});

t.test('a dot goes from each line, and the end from the file', async (t) => {
  const table: [name: string, stuffed: string, message: string][] = [
    ['nothing to do', 'a\nb.\n', 'a\nb.\n'],
    ['two dots', '..a\n...\n', '.a\n..\n'],
    ['one dot and text', '.a\nb\n', 'a\nb\n'],
    ['the end', 'a\n.\n', 'a\n'],
    ['the end and blank lines', 'a\n.\n\n \n', 'a\n'],
    ['no end, since text follows', 'a\n.\n\nb\n', 'a\n.\n\nb\n'],
    ['several that are no end', '.\n.\nb\n..\n', '.\n.\nb\n.\n'],
    ['nothing but the end', '.\n', ''],
  ];
  for (const [name, stuffed, message] of table)
    for (const size of [1, 2, 3, 1000]) {
      const unstuffer = createDotUnstuffer();
      const octets = Buffer.from(stuffed.replaceAll('\n', '\r\n'));
      const pieces: Buffer[] = [];
      for (let at = 0; at < octets.length; at += size)
        pieces.push(Buffer.from(unstuffer.push(Buffer.from(octets.subarray(at, at + size)))));
      pieces.push(unstuffer.end());
      const found = Buffer.concat(pieces).toString().replaceAll('\r\n', '\n');
      t.equal(found, message, `${name}, blocks of ${size}`);
    }
});

t.test('the header of an ordinary file is its envelope', async (t) => {
  const table: [name: string, header: string, reversePath: string, recipients: string[]][] = [
    ['From and To', 'From: a@x.de\nTo: b@y.de\n\n', 'a@x.de', ['b@y.de']],
    ['no blank line, but nothing else', 'From: a@x.de\nTo: b@y.de\n', 'a@x.de', ['b@y.de']],
    [
      'To, Cc and Bcc',
      'From: a@x.de\nTo: b@y.de, c@y.de\nCc: d@y.de\nBcc: e@y.de\n\n',
      'a@x.de',
      ['b@y.de', 'c@y.de', 'd@y.de', 'e@y.de'],
    ],
    ['Bcc alone', 'From: a@x.de\nBcc: e@y.de\n\n', 'a@x.de', ['e@y.de']],
    ['fields several times', 'From: a@x.de\nTo: b@y.de\nTo: c@y.de\n\n', 'a@x.de', ['b@y.de', 'c@y.de']],
    ['one address twice', 'From: a@x.de\nTo: b@y.de\nCc: B <b@Y.de>, "b"@y.de\n\n', 'a@x.de', ['b@y.de']],
    ['folds', 'From:\n a@x.de\nTo: b@y.de,\n\tc@y.de\n\n', 'a@x.de', ['b@y.de', 'c@y.de']],
    ['Sender beside From', 'From: a@x.de\nSender: s@x.de\nTo: b@y.de\n\n', 'a@x.de', ['b@y.de']],
    ['Sender of two authors', 'From: a@x.de, b@x.de\nSender: s@x.de\nTo: b@y.de\n\n', 's@x.de', ['b@y.de']],
    ['Sender alone', 'Sender: s@x.de\nTo: b@y.de\n\n', 's@x.de', ['b@y.de']],
    ['names in any case', 'FROM: a@x.de\nto : b@y.de\n\n', 'a@x.de', ['b@y.de']],
    ['X-Sender as mailers sign', 'From: a@x.de\nX-Sender: z@x.de\nTo: b@y.de\n\n', 'a@x.de', ['b@y.de']],
    ['resent', 'Resent-From: r@x.de\nResent-To: t@y.de\nFrom: a@x.de\nTo: b@y.de\n\n', 'r@x.de', ['t@y.de']],
    [
      'resent by a secretary',
      'Resent-Sender: s@x.de\nResent-From: r@x.de, q@x.de\nResent-Bcc: t@y.de\nTo: b@y.de\n\n',
      's@x.de',
      ['t@y.de'],
    ],
    [
      'resent twice',
      'Resent-From: r@x.de\nResent-To: t@y.de\nResent-From: q@x.de\nResent-To: u@y.de\nTo: b@y.de\n\n',
      'r@x.de',
      ['t@y.de'],
    ],
    [
      'resent before it came here',
      'Received: by x\nResent-To: t@y.de\nFrom: a@x.de\nTo: b@y.de\n\n',
      'a@x.de',
      ['b@y.de'],
    ],
    [
      'Resent fields that address nobody',
      'From: a@x.de\nTo: b@y.de\nResent-Date: x\n\n',
      'a@x.de',
      ['b@y.de'],
    ],
  ];
  for (const [name, text, reversePath, recipients] of table) {
    const found = envelope(text);
    t.strictSame(
      [found.source, found.reversePath, found.recipients],
      ['header', reversePath, recipients],
      name,
    );
  }
  const both = 'From: a@x.de\nSender: s@x.de\nTo: b@y.de\n\n';
  t.equal(envelope(both, IIS).reversePath, 's@x.de', 'the Windows SMTP service asks Sender first');
  const nobody = envelope('To: b@y.de\n\n', { ...EXCHANGE, hasDefaultSender: true });
  t.equal(nobody.reversePath, undefined, 'the default sender is the directory`s to fill in');
});

t.test('address lists are read in every form that is clear', async (t) => {
  const table: [value: string, recipients: string[]][] = [
    ['Bob <b@y.de>', ['b@y.de']],
    ['"Bob, the builder" <b@y.de>, c@y.de', ['b@y.de', 'c@y.de']],
    ['=?utf-8?q?B=2C_b?= <b@y.de>', ['b@y.de']],
    ['=?utf-8?q?a,b?= <b@y.de>', ['b@y.de']],
    ['b@y.de (Bob (the builder), c@y.de)', ['b@y.de']],
    ['(before) b (x) @ (y) y . de', ['b@y.de']],
    ['Friends: b@y.de, C <c@y.de>;, d@y.de', ['b@y.de', 'c@y.de', 'd@y.de']],
    ['Nobody:;, d@y.de', ['d@y.de']],
    [',, b@y.de,,c@y.de,', ['b@y.de', 'c@y.de']],
    ['b@y.de; c@y.de;', ['b@y.de', 'c@y.de']],
    ['"b c"@y.de', ['"b c"@y.de']],
    ['"b.c"@y.de', ['b.c@y.de']],
    ['"b\\"c"@y.de', ['"b\\"c"@y.de']],
    ['"b@c"@y.de', ['"b@c"@y.de']],
    ['b . c@y.de', ['b.c@y.de']],
    ['<@r.de,@s.de:b@y.de>', ['b@y.de']],
    ['b@[192.0.2.1]', ['b@[192.0.2.1]']],
    ['b@y.de <B@y.de>', ['B@y.de']],
    ['J. Random User <b@y.de>', ['b@y.de']],
    ['J\xf6rg <b@y.de>', ['b@y.de']],
    ['b.@y.de', ['b.@y.de']],
    ['j\xc3\xb6rg@m\xc3\xbcnchen.de', ['j\u00f6rg@m\u00fcnchen.de']],
  ];
  for (const [value, recipients] of table) {
    const found = envelope(`From: a@x.de\nTo: ${value}\n\n`);
    t.strictSame(found.recipients, recipients, value);
    t.equal(found.isSmtpUtf8, value.includes('m\xc3\xbc'), 'UTF-8 in an address asks for SMTPUTF8');
  }
});

t.test('what can be read in two ways is a problem that says where', async (t) => {
  const table: [value: string, code: string, text: string][] = [
    ['b@y.de, Bob', 'addressWithoutDomain', 'Bob'],
    ['b@y.de, Bob <bob>', 'addressWithoutDomain', 'Bob <bob>'],
    ['Doe, John <j@y.de>', 'addressWithoutDomain', 'Doe'],
    ['Undisclosed Recipients', 'addressWithoutDomain', 'Undisclosed Recipients'],
    ['=?utf-8?q?b=40y.de?=', 'addressWithoutDomain', '=?utf-8?q?b=40y.de?='],
    ['Bob b@y.de', 'addressUnclear', 'Bob b@y.de'],
    ['<b@y.de> <c@y.de>', 'addressUnclear', '<b@y.de> <c@y.de>'],
    ['b@y.de c@y.de', 'addressUnclear', 'b@y.de c@y.de'],
    ['b@y.de <c@y.de>', 'addressUnclear', 'b@y.de <c@y.de>'],
    ['<b@y.de', 'addressUnclear', '<b@y.de'],
    ['"b <b@y.de>', 'addressUnclear', '"b <b@y.de>'],
    ['b@y.de (open', 'addressUnclear', 'b@y.de (open'],
    ['=?utf-8?q?b?=@y.de', 'addressUnclear', '=?utf-8?q?b?=@y.de'],
    ['a: b: c@y.de;', 'addressUnclear', 'b: c@y.de'],
    ['<>', 'addressUnclear', '<>'],
    ['@y.de', 'addressUnclear', '@y.de'],
    ['b@', 'addressUnclear', 'b@'],
    ['b@y_.de\x01', 'addressInvalid', 'b@y_.de\ufffd'],
    ['j\xf6rg@y.de', 'addressInvalid', 'j\u00f6rg@y.de'],
    ['b@-..de', 'addressInvalid', 'b@-..de'],
    [`${'b'.repeat(600)}@y.de`, 'addressInvalid', `${'b'.repeat(200)}...`],
  ];
  for (const [value, code, text] of table)
    t.strictSame(
      problem(`From: a@x.de\nSubject: x\n y\nTo: ${value}\n\n`),
      { code, line: 4, field: 'To', text },
      value,
    );
});

t.test('files without a clear envelope are bad', async (t) => {
  const table: [name: string, text: string, expected: object, rules?: OpeningRules][] = [
    ['empty', '', { code: 'headerMissing', line: 1 }],
    ['a blank line first', '\nFrom: a@x.de\n', { code: 'headerMissing', line: 1 }],
    [
      'no blank line',
      'From: a@x.de\nTo: b@y.de\nHello you\n',
      { code: 'notAField', line: 3, text: 'Hello you' },
    ],
    [
      'text with a colon',
      'From: a@x.de\nTo: b@y.de\nHello Bob: hi\n',
      { code: 'notAField', line: 3, text: 'Hello Bob: hi' },
    ],
    ['a fold first', ' From: a@x.de\nTo: b@y.de\n\n', { code: 'notAField', line: 1, text: 'From: a@x.de' }],
    [
      'a mailbox line first',
      'From a@x.de Thu Jan\nTo: b@y.de\n\n',
      { code: 'notAField', line: 1, text: 'From a@x.de Thu Jan' },
    ],
    ['no sender', 'To: b@y.de\n\n', { code: 'senderMissing' }],
    ['empty From', 'From:\nTo: b@y.de\n\n', { code: 'senderMissing' }],
    [
      'two authors',
      'From: a@x.de, b@x.de\nTo: b@y.de\n\n',
      { code: 'severalAuthors', line: 1, field: 'From', text: 'a@x.de, b@x.de' },
    ],
    [
      'two authors in two fields',
      'From: a@x.de\nFrom: b@x.de\nTo: b@y.de\n\n',
      { code: 'severalAuthors', line: 1, field: 'From', text: 'a@x.de' },
    ],
    [
      'two senders',
      'From: a@x.de, b@x.de\nSender: s@x.de, t@x.de\nTo: b@y.de\n\n',
      { code: 'severalSenders', line: 2, field: 'Sender', text: 's@x.de, t@x.de' },
    ],
    ['no recipient', 'From: a@x.de\nSubject: x\n\n', { code: 'recipientMissing' }],
    ['an empty To', 'From: a@x.de\nTo:\n\n', { code: 'recipientMissing' }],
    [
      'Resent fields that address nobody, in front',
      'Resent-From: r@x.de\nTo: b@y.de\n\n',
      { code: 'recipientMissing' },
    ],
    ['nobody resends', 'Resent-To: t@y.de\nFrom: a@x.de\nTo: b@y.de\n\n', { code: 'senderMissing' }],
    [
      'Resent-To behind To',
      'From: a@x.de\nTo: b@y.de\nResent-To: t@y.de\n\n',
      { code: 'resentNotFirst', line: 3, field: 'Resent-To', text: 't@y.de' },
    ],
    [
      'X-Receiver behind others',
      'From: a@x.de\nTo: b@y.de\nX-Receiver: <c@y.de>\n\n',
      { code: 'receiverNotFirst', line: 3, field: 'X-Receiver', text: '<c@y.de>' },
    ],
    [
      'an export that went through a server',
      'Received: by x\nX-sender: <a@x.de>\nX-Receiver: <c@y.de>\nFrom: a@x.de\nTo: b@y.de\n\n',
      { code: 'receiverNotFirst', line: 3, field: 'X-Receiver', text: '<c@y.de>' },
    ],
    [
      'X-Receiver behind others and in front',
      'X-Sender: a@x.de\nX-Receiver: b@y.de\nTo: c@y.de\nX-Receiver: d@y.de\n\n',
      { code: 'receiverNotFirst', line: 4, field: 'X-Receiver', text: 'd@y.de' },
    ],
    ['X-Sender without X-Receiver', 'X-Sender: <a@x.de>\nTo: b@y.de\n\n', { code: 'recipientMissing' }],
    [
      'two X-Sender',
      'X-Sender: <a@x.de>\nX-Sender: <b@x.de>\nX-Receiver: b@y.de\n\n',
      { code: 'envelopeFieldTwice', line: 2, field: 'X-Sender', text: '<b@x.de>' },
    ],
    [
      'an empty X-Receiver',
      'X-Sender: <a@x.de>\nX-Receiver:\n\n',
      { code: 'envelopeFieldWrong', line: 2, field: 'X-Receiver', text: '' },
    ],
    [
      'an X-Receiver without domain',
      'X-Sender: <a@x.de>\nX-Receiver: bob\n\n',
      { code: 'addressWithoutDomain', line: 2, field: 'X-Receiver', text: 'bob' },
    ],
    [
      'an odd NOTIFY',
      'X-Sender: <a@x.de>\nX-Receiver: <b@y.de> NOTIFY=SOMETIMES\n\n',
      { code: 'parameterWrong', line: 2, field: 'X-Receiver', text: '<b@y.de> NOTIFY=SOMETIMES' },
    ],
    [
      'too many',
      'From: a@x.de\nTo: b@y.de, c@y.de, d@y.de\n\n',
      { code: 'tooManyRecipients', text: '3' },
      { ...EXCHANGE, recipientLimit: 2 },
    ],
  ];
  for (const [name, text, expected, rules] of table) t.strictSame(problem(text, rules), expected, name);
  t.strictSame(readOpening(Buffer.from('From: a@x.de\r\n'), false, EXCHANGE), {
    kind: 'bad',
    problem: { code: 'headerTooLong' },
  });
  const limited = open('From: a@x.de\nTo: b@y.de, c@y.de\n\n', { ...EXCHANGE, recipientLimit: 1 });
  t.match(limited, { reversePath: 'a@x.de', recipients: ['b@y.de', 'c@y.de'] });
  t.equal(open('From: a@x.de\nTo: b@y.de, b@Y.de\n\n', { ...EXCHANGE, recipientLimit: 1 }).kind, 'envelope');
  t.equal(open('From: a@x.de\nTo: b@y.de, c@y.de\n\n', { ...EXCHANGE, recipientLimit: 0 }).kind, 'envelope');
});

t.test('leading X-fields are the envelope, and To, Cc and Bcc are not', async (t) => {
  const net = envelope(
    'X-Sender: "The App" <app@x.de>\nX-Receiver: =?utf-8?Q?B=C3=B6b?= <b@y.de>\nX-Receiver: c@y.de\nX-Receiver: hidden@y.de\n' +
      'MIME-Version: 1.0\nFrom: "The App" <app@x.de>\nTo: =?utf-8?Q?B=C3=B6b?= <b@y.de>\nCc: c@y.de\nSubject: x\n\n',
    IIS,
  );
  t.match(net, {
    source: 'xFields',
    reversePath: 'app@x.de',
    recipients: ['b@y.de', 'c@y.de', 'hidden@y.de'],
    removed: ['X-Sender', 'X-Receiver'],
  });
  t.notOk('dsn' in net);
  const set = envelope(
    'X-Receiver: b@y.de\nSender: s@x.de\nX-Sender: bounce@x.de\nFrom: a@x.de\nTo: b@y.de\n\n',
    IIS,
  );
  t.equal(set.reversePath, 'bounce@x.de', 'an X-Sender that a .NET program has set stands behind');
  t.equal(envelope('X-Receiver: b@y.de\nFrom: a@x.de\nTo: c@y.de\n\n').reversePath, 'a@x.de');
  t.equal(envelope('x-sender: <>\nx-receiver: b@y.de\n\n').reversePath, '');
  t.strictSame(envelope('x-sender: a@x.de\nx-receiver: b@y.de; c@y.de\n\n').recipients, ['b@y.de', 'c@y.de']);
  const unsigned = envelope('X-Receiver: b@y.de\nTo: c@y.de\n\n', { ...EXCHANGE, hasDefaultSender: true });
  t.match(unsigned, { reversePath: undefined, recipients: ['b@y.de'] });
  const earlier = ['X-EndOfInjectedXHeaders: 9\nTo: c@y.de', 'To: c@y.de\nReceived: by x'];
  for (const between of earlier) {
    const resent = envelope(`X-Sender: a@x.de\nX-Receiver: b@y.de\n${between}\nX-Receiver: d@y.de\n\n`);
    t.strictSame(resent.recipients, ['b@y.de'], 'an X-Receiver of an earlier journey counts for nothing');
    t.notMatch(resent.header.toString(), /X-Receiver/);
  }
});

/** What Exchange 2016 exports, shortened: its form is that of files in public archives. */
const EXPORTED =
  'X-sender: <bounce+a=b@x.de>\nX-Receiver: <b@y.de>\n ORCPT=rfc822;b@y.de NOTIFY=NEVER;\n X-ExtendedProps=BQBYABcASAAAAJ05ab4W\n' +
  '\t2UNCg8ALwAAAE1pYQ==\nX-CreatedBy: MSExchange15\nX-HeloDomain: mx.x.de\nX-ExtendedProps: BQBjAAo=\nX-Source: SMTP:Default\n' +
  'X-SourceIPAddress: 192.0.2.37\nX-EndOfInjectedXHeaders: 20998\nReceived: from x\nFrom: a@x.de\nTo: list@z.de, more@z.de\nBcc: q@z.de\n\n';

t.test('a file exported from Exchange goes to its X-Receiver alone, wherever it is dropped', async (t) => {
  for (const rules of [EXCHANGE, IIS, REPLAY]) {
    const found = envelope(EXPORTED, rules);
    t.match(found, { source: 'xFields', reversePath: 'bounce+a=b@x.de', recipients: ['b@y.de'] });
    t.strictSame(found.dsn, {
      recipients: new Map([['b@y.de', { notify: ['NEVER'], orcpt: 'rfc822;b@y.de' }]]),
    });
    const received = rules.removesTrace ? '' : 'Received: from x\n';
    t.equal(headerText(EXPORTED, rules), `${received}From: a@x.de\nTo: list@z.de, more@z.de\n\n`);
  }
});

t.test('a replay file is read by the grammar of its X-fields', async (t) => {
  const full = envelope(
    'X-Receiver: <b@y.de> NOTIFY=DELAY,FAILURE\n ORcpt=rfc822;B@y.de\nX-Sender: <a@x.de> BODY=8bitmime RET=HDRS\n ENVID=q+2B1 auth=<>\n\n',
    REPLAY,
  );
  t.strictSame(full.dsn, {
    ret: 'HDRS',
    envid: 'q+1',
    recipients: new Map([['b@y.de', { notify: ['FAILURE', 'DELAY'], orcpt: 'rfc822;B@y.de' }]]),
  });
  t.equal(full.header.toString(), '\r\n');
  t.equal(
    envelope('X-Sender: <> BODY= RET=FULL ENVID= auth=\nX-Receiver: <b@y.de>\n\n', REPLAY).dsn?.ret,
    'FULL',
  );
  const own = envelope(
    'X-Sender: <a@x.de>\nX-Receiver: <b@y.de>\nX-EndOfInjectedXHeaders: 1\nX-Source: own\nTo: c@y.de\n\n',
    REPLAY,
  );
  t.strictSame(own.recipients, ['b@y.de'], 'behind the marker X-fields are the message`s own');
  const table: [name: string, text: string, expected: object][] = [
    [
      'no X-Sender',
      'X-Receiver: <b@y.de>\nFrom: a@x.de\n\n',
      { code: 'envelopeFieldMissing', text: 'X-Sender' },
    ],
    [
      'no X-Receiver',
      'X-Sender: <a@x.de>\nTo: b@y.de\n\n',
      { code: 'envelopeFieldMissing', text: 'X-Receiver' },
    ],
    ['an ordinary file', 'From: a@x.de\nTo: b@y.de\n\n', { code: 'envelopeFieldMissing', text: 'X-Sender' }],
    [
      'two X-Sender',
      'X-Sender: <a@x.de>\nX-Sender: <a@x.de>\nX-Receiver: <b@y.de>\n\n',
      { code: 'envelopeFieldTwice', line: 2, field: 'X-Sender', text: '<a@x.de>' },
    ],
    [
      'two X-Source',
      'X-Sender: <a@x.de>\nX-Receiver: <b@y.de>\nX-Source: a\nX-source: b\n\n',
      { code: 'envelopeFieldTwice', line: 4, field: 'X-source', text: 'b' },
    ],
    [
      'not in front',
      'To: c@y.de\nX-Sender: <a@x.de>\nX-Receiver: <b@y.de>\n\n',
      { code: 'envelopeFieldNotFirst', line: 2, field: 'X-Sender', text: '<a@x.de>' },
    ],
    [
      'one not in front',
      'X-Sender: <a@x.de>\nX-Receiver: <b@y.de>\nTo: c@y.de\nX-Receiver: <c@y.de>\n\n',
      { code: 'envelopeFieldNotFirst', line: 4, field: 'X-Receiver', text: '<c@y.de>' },
    ],
    [
      'a name',
      'X-Sender: A <a@x.de>\nX-Receiver: <b@y.de>\n\n',
      { code: 'envelopeFieldWrong', line: 1, field: 'X-Sender', text: 'A <a@x.de>' },
    ],
    [
      'no brackets',
      'X-Sender: <a@x.de>\nX-Receiver: b@y.de\n\n',
      { code: 'envelopeFieldWrong', line: 2, field: 'X-Receiver', text: 'b@y.de' },
    ],
    [
      'no address',
      'X-Sender: <a@x.de>\nX-Receiver: <b>\n\n',
      { code: 'addressInvalid', line: 2, field: 'X-Receiver', text: '<b>' },
    ],
    [
      'an unknown parameter',
      'X-Sender: <a@x.de>\nX-Receiver: <b@y.de> COLOUR=red\n\n',
      { code: 'parameterWrong', line: 2, field: 'X-Receiver', text: 'COLOUR' },
    ],
    [
      'a wrong parameter',
      'X-Sender: <a@x.de> RET=SOME\nX-Receiver: <b@y.de>\n\n',
      { code: 'parameterWrong', line: 1, field: 'X-Sender', text: '<a@x.de> RET=SOME' },
    ],
    [
      'binary',
      'X-Sender: <a@x.de> BODY=BINARYMIME\nX-Receiver: <b@y.de>\n\n',
      { code: 'parameterWrong', line: 1, field: 'X-Sender', text: 'BODY=BINARYMIME' },
    ],
    [
      'a marker without number',
      'X-Sender: <a@x.de>\nX-Receiver: <b@y.de>\nX-EndOfInjectedXHeaders: x\n\n',
      { code: 'envelopeFieldWrong', line: 3, field: 'X-EndOfInjectedXHeaders', text: 'x' },
    ],
  ];
  for (const [name, text, expected] of table) t.strictSame(problem(text, REPLAY), expected, name);
});

t.test('what is taken out goes with its folds, and the rest stays as it is', async (t) => {
  const file =
    'X-Sender: <a@x.de>\n RET=FULL\nX-Receiver: <b@y.de>\n\tNOTIFY=NEVER\nReceived: by x\n (old)\nFrom : a@x.de\nBCC\t: h@y.de,\n i@y.de\n' +
    'Subject:  two  blanks \n\tand a tab\nresent-bcc: j@y.de\nX-Gr\xf6\xdfe: \xfc\nTo: c@y.de\nResent-To: k@y.de\n\n';
  t.equal(
    headerText(file, IIS),
    'Received: by x\n (old)\nFrom : a@x.de\nSubject:  two  blanks \n\tand a tab\nX-Gr\xf6\xdfe: \xfc\nTo: c@y.de\nResent-To: k@y.de\n\n',
  );
  t.equal(
    headerText(file),
    'From : a@x.de\nSubject:  two  blanks \n\tand a tab\nX-Gr\xf6\xdfe: \xfc\nTo: c@y.de\n\n',
    'Exchange takes out Received and Resent fields',
  );
  t.strictSame(envelope(file).removed, [
    'X-Sender',
    'X-Receiver',
    'Received',
    'BCC',
    'resent-bcc',
    'Resent-To',
  ]);
  t.equal(
    headerText('From: a@x.de\nBcc: h@y.de\nSubject: x\n\n'),
    'From: a@x.de\nTo: undisclosed-recipients:;\nSubject: x\n\n',
  );
  t.equal(
    headerText('X-Receiver: b@y.de\nFrom: a@x.de\n\n'),
    'To: undisclosed-recipients:;\nFrom: a@x.de\n\n',
  );
  t.equal(headerText('From: a@x.de\nCc: c@y.de\nBcc: h@y.de\n\n'), 'From: a@x.de\nCc: c@y.de\n\n');
});

t.test('fields that say nothing are taken out, for others to be put in', async (t) => {
  const empty = 'From:\nDate: today\nMessage-ID:\nSender: s@x.de\nTo: b@y.de\nSubject:\n\n';
  t.equal(headerText(empty), 'Sender: s@x.de\nTo: b@y.de\nSubject:\n\n');
  t.strictSame(envelope(empty).removed, ['From', 'Date', 'Message-ID']);
  const full = 'From: a@x.de\nDate: Sat, 28 Nov 2026 10:00 +0100 (later)\nMessage-ID: x\nTo: b@y.de\n\n';
  t.equal(headerText(full), full, 'whatever they say else');
  const replayed = 'X-Sender: <a@x.de>\nX-Receiver: <b@y.de>\nFrom:\nDate: today\nMessage-ID:\n\n';
  t.equal(headerText(replayed, REPLAY), 'From:\nDate: today\nMessage-ID:\n\n');
});

t.test('each problem is explained, and stands in the guide', async (t) => {
  t.strictSame(explainProblem({ code: 'addressWithoutDomain', line: 3, field: 'To', text: 'Bob' }), {
    what: 'The field To holds "Bob", which has no domain.',
    where: 'line 3, field To',
    whatToDo: 'Write the whole address, as name@example.com; put names with commas in quotation marks.',
  });
  t.equal(explainProblem({ code: 'senderMissing' }).where, undefined);
  const guide = readFileSync(new URL('../../docs/PICKUP-PROBLEMS.md', import.meta.url), 'utf8');
  t.ok(guide.includes(documentPickupProblems()), 'docs/PICKUP-PROBLEMS.md (npm run docs)');
});
