/** What submission does to a header, on generated headers and odd ones: octets that stay, copies that go, fields that come. */

import fc from 'fast-check';
import t from 'tap';

import { formatMessageHeader, parseMessageHeader, valuesOf } from '../../src/wire/mime/messageHeader.ts';
import { withFrom } from '../../src/wire/mime/rewrittenFrom.ts';
import { senderAddresses } from '../../src/wire/mime/senderAddresses.ts';
import { parseAddressList } from '../../src/wire/mime/address.ts';
import { completed, hidesBlindCopies, withoutBlindCopies } from '../../src/wire/mime/submittedHeader.ts';

const COMPLETION = {
  date: 'Thu, 15 Jan 2026 10:00:00 +0000',
  messageId: 'id@mail.example.com',
  from: 'a@app.example.com',
};

function header(text: string) {
  return parseMessageHeader(Buffer.from(text, 'latin1'), true);
}

function text(parsed: ReturnType<typeof header>): string {
  return formatMessageHeader(parsed).toString('latin1');
}

/** One field of a generated header, and whether it tells blind copies. */
interface Piece {
  readonly octets: string;
  readonly isBlind: boolean;
}

const lineEnd = fc.constantFrom('\r\n', '\n');
const blank = fc.stringMatching(/^[ \t]{0,3}$/);
/** A line's text: any octets but line ends, and sometimes what looks like a blind copy. */
const content = fc.oneof(
  fc.stringMatching(/^[\x00-\x09\x0b\x0c\x0e-\xff]{0,20}$/),
  fc.constantFrom('Bcc: x@example.org', 'a@example.org, b@example.org', 'resent-bcc:'),
);
const fold = fc.tuple(lineEnd, fc.constantFrom(' ', '\t'), content).map((parts) => parts.join(''));
const blindName = fc
  .tuple(fc.constantFrom('bcc', 'resent-bcc'), fc.nat())
  .map(([name, upper]) => [...name].map((c, at) => ((upper >> at) & 1 ? c.toUpperCase() : c)).join(''));
const blind = fc
  .tuple(blindName, blank, content, fc.array(fold, { maxLength: 3 }), lineEnd)
  .map(([name, space, value, folds, end]) => ({
    octets: `${name}${space}:${value}${folds.join('')}${end}`,
    isBlind: true,
  }));
const other = fc
  .tuple(
    fc.constantFrom(
      'Subject',
      'To',
      'Date',
      'X-Bcc',
      'Bccc',
      'Bc',
      'Resent-To',
      'Message-ID',
      'From',
      'Abcc',
      'B cc',
    ),
    blank,
    content,
    fc.array(fold, { maxLength: 3 }),
    lineEnd,
  )
  .map(([name, space, value, folds, end]) => ({
    octets: `${name}${space}:${value}${folds.join('')}${end}`,
    isBlind: false,
  }));
/** A line that is no field. */
const junk = fc
  .tuple(fc.constantFrom('Bcc', 'resent-bcc', 'junk', '-- ', 'From me', '>From'), lineEnd)
  .map(([line, end]) => ({ octets: `${line}${end}`, isBlind: false }));
const pieces: fc.Arbitrary<readonly Piece[]> = fc.array(
  fc.oneof({ arbitrary: blind, weight: 2 }, { arbitrary: other, weight: 4 }, { arbitrary: junk, weight: 1 }),
  { maxLength: 8 },
);

t.test('every Bcc goes, in any case and folding, and every other octet stays', (t) => {
  fc.assert(
    fc.property(pieces, fc.constantFrom('', '\r\n', '\n'), (fields, end) => {
      const parsed = header(fields.map(({ octets }) => octets).join('') + end);
      const { header: left, removed } = withoutBlindCopies(parsed);
      const expected = fields.filter(({ isBlind }) => !isBlind);
      return (
        text(left) === expected.map(({ octets }) => octets).join('') + end &&
        removed.length === fields.length - expected.length
      );
    }),
    { numRuns: 5_000 },
  );
  t.pass('5,000 runs');
  t.end();
});

t.test('blind copies in odd places go as well', (t) => {
  const gone: readonly string[] = [
    '\xef\xbb\xbfBcc: a@b\r\n',
    ' Bcc: a@b\r\n',
    'Bcc\r\n : a@b\r\n',
    'Bcc:\r\n',
    'Bcc: a@b',
  ];
  for (const octets of gone) t.equal(text(withoutBlindCopies(header(octets)).header), '', octets);
  t.equal(text(withoutBlindCopies(header('junk\r\nBcc: a@b\r\nX: y\r\n')).header), 'junk\r\nX: y\r\n');
  for (const hiding of ['Subject: a\rBcc: x\r\n', 'X: y\r resent-BCC :x\r\n', 'X: y\r\rbcc:\n'])
    t.ok(hidesBlindCopies(header(hiding)), JSON.stringify(hiding));
  for (const plain of ['Subject: a\rX-Bcc: x\r\n', 'X: y\r\n Bcc: x\r\n', 'X: Bcc: y\r\n', 'X: a\rb\r\n'])
    t.notOk(hidesBlindCopies(header(plain)), JSON.stringify(plain));
  t.end();
});

t.test('without the fields that were added a header is what it was, octet for octet', (t) => {
  fc.assert(
    fc.property(pieces, fc.constantFrom('', '\r\n', '\n'), (fields, end) => {
      const before = fields.map(({ octets }) => octets).join('') + end;
      const parsed = header(before);
      const { header: whole, added } = completed(parsed, COMPLETION);
      const after = text(whole);
      const names = new Set(parsed.fields.map(({ name }) => name));
      const isMissing = (name: string) => !names.has(name);
      const expected = [
        ...(isMissing('date') ? [`Date: ${COMPLETION.date}\r\n`] : []),
        ...(isMissing('message-id') ? [`Message-ID: <${COMPLETION.messageId}>\r\n`] : []),
        ...(isMissing('from') ? [`From: <${COMPLETION.from}>\r\n`] : []),
      ];
      return after === expected.join('') + before && added.length === expected.length;
    }),
    { numRuns: 5_000 },
  );
  t.pass('5,000 runs');
  t.end();
});

t.test('what a header lacks is added, and what is there counts whatever it says', (t) => {
  const cases: readonly [before: string, added: readonly string[]][] = [
    ['', ['Date', 'Message-ID', 'From']],
    ['\r\n', ['Date', 'Message-ID', 'From']],
    ['Date:\r\nFROM : \r\nmessage-id: x\r\n\r\n', []],
    ['Resent-Date: x\r\nResent-From: a@b\r\nResent-Message-ID: <x>\r\n\r\n', ['Date', 'Message-ID', 'From']],
    ['date\r\nfrom\r\n', ['Date', 'Message-ID', 'From']],
    ['Date: x\nFrom: y\n\n', ['Message-ID']],
  ];
  for (const [before, added] of cases) {
    const whole = completed(header(before), COMPLETION);
    t.same(whole.added, added, JSON.stringify(before));
    t.ok(text(whole.header).endsWith(before));
  }
  const unknown = completed(header('\r\n'), { ...COMPLETION, from: undefined });
  t.same(unknown.added, ['Date', 'Message-ID'], 'nobody is made up');
  const utf8 = completed(header('Date: x\r\nMessage-ID: <y>\r\n'), {
    ...COMPLETION,
    from: 'jörg@bücher.example',
  });
  t.equal(text(utf8.header).split('\r\n')[0], Buffer.from('From: <jörg@bücher.example>').toString('latin1'));
  t.end();
});

t.test('a first line that is folded does not become part of a field of ours', (t) => {
  const { header: whole, added } = completed(header(' ,<ceo@app.example.com>\r\nX: y\r\n\r\n'), COMPLETION);
  t.same(added, ['Date', 'Message-ID', 'From', 'X-Unnamed']);
  const again = header(text(whole));
  t.same(valuesOf(again, 'from'), ['<a@app.example.com>']);
  t.same(valuesOf(again, 'x-unnamed'), [',<ceo@app.example.com>']);
  t.ok(text(whole).endsWith('X-Unnamed: \r\n ,<ceo@app.example.com>\r\nX: y\r\n\r\n'));
  t.end();
});

/** Values of From, with what is to be decided on; undefined where nobody should. */
const SENDERS: readonly [value: string, addresses: readonly string[] | undefined][] = [
  ['a@b.example', ['a@b.example']],
  ['<a@b.example>', ['a@b.example']],
  ['A Name <a@b.example>', ['a@b.example']],
  ['"ceo@x.example" <a@b.example>', ['a@b.example']],
  ['ceo@x.example <a@b.example>', ['ceo@x.example', 'a@b.example']],
  ['<a@b.example> <ceo@x.example>', ['a@b.example', 'ceo@x.example']],
  ['<a@b.example><ceo@x.example>', ['a@b.example', 'ceo@x.example']],
  ['a@b.example, ceo@x.example', ['a@b.example', 'ceo@x.example']],
  ['a@b.example; ceo@x.example', ['a@b.example', 'ceo@x.example']],
  ['Team: a@b.example, ceo@x.example;', ['a@b.example', 'ceo@x.example']],
  ['a@b.example (ceo@x.example)', ['a@b.example']],
  ['a (ceo) @ (x) b . example', ['a@b.example']],
  ['John . Doe @ b.example', ['John.Doe@b.example']],
  ['"John Doe"@b.example', ['"John Doe"@b.example']],
  ['"a\\"b"@b.example', ['"a\\"b"@b.example']],
  ['a@[192.0.2.1]', ['a@[192.0.2.1]']],
  ['=?utf-8?q?ceo@x?= <a@b.example>', ['a@b.example']],
  ['=?utf-8?b?Y2Vv?=@b.example', undefined],
  ['J\xc3\xb6rg <j\xc3\xb6rg@b.example>', ['jörg@b.example']],
  ['', undefined],
  ['root', undefined],
  ['<>', undefined],
  ['<root>, a@b.example', undefined],
  ['@b.example', undefined],
  ['a@', undefined],
  ['<@x.example,@y.example:a@b.example>', undefined],
  ['"never closed <a@b.example>', undefined],
  ['(never closed <a@b.example>', undefined],
  ['a)b@b.example', undefined],
  [Array.from({ length: 51 }, (_, index) => `a${index}@b.example`).join(), undefined],
];

t.test('every address that some reading of From finds is told, and doubt is told as doubt', (t) => {
  for (const [value, addresses] of SENDERS) {
    const found = senderAddresses(value);
    t.same(found, addresses === undefined ? { kind: 'unclear' } : { kind: 'addresses', addresses }, value);
  }
  const word = fc.constantFrom(
    'a',
    'b.example',
    '@',
    '<',
    '>',
    ',',
    ';',
    ':',
    '"',
    '(',
    ')',
    ' ',
    '.',
    '\\',
    '=?utf-8?q?x?=',
    '[',
    ']',
    'a@b',
    'c@d',
  );
  const values = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));
  let told = 0;
  fc.assert(
    fc.property(values, (value) => {
      const found = senderAddresses(value);
      if (found.kind === 'unclear') return true;
      told += 1;
      const seen = new Set(found.addresses.map((address) => address.replaceAll(/["\\]/g, '')));
      const likely = parseAddressList(value).filter(({ host, mailbox }) => host && mailbox);
      return likely.every(({ host, mailbox }) => seen.has(`${mailbox}@${host}`.replaceAll(/["\\]/g, '')));
    }),
    { numRuns: 20_000 },
  );
  t.ok(told > 1000, `${told} values were clear`);
  t.end();
});

t.test('reading a From field takes linear time', (t) => {
  for (const value of ['a@b,', '(', '"', '<', 'a.', '=?x?q?', '@', '(a)'])
    t.ok(senderAddresses(value.repeat(250_000)), value);
  t.end();
});

t.test('a From is rewritten in its place, its plain name kept and what it was behind it', (t) => {
  const address = 'scanner@app.example.com';
  const cases: readonly [before: string, after: string][] = [
    [
      'A: 1\r\nFrom: Hall 3 <scan@device.local>\r\nB: 2\r\n\r\n',
      `A: 1\r\nFrom: Hall 3 <${address}>\r\nX-Original-From: Hall 3 <scan@device.local>\r\nB: 2\r\n\r\n`,
    ],
    [
      'from :\n "Hall, 3"\n <scan@device.local>\nB: 2\n\n',
      `From: "Hall, 3" <${address}>\r\nX-Original-From:\n "Hall, 3"\n <scan@device.local>\nB: 2\n\n`,
    ],
    ['From: "ceo@x.example" <a@b>\r\n', `From: <${address}>\r\nX-Original-From: "ceo@x.example" <a@b>\r\n`],
    ['From: a@b, c@d\r\n', `From: <${address}>\r\nX-Original-From: a@b, c@d\r\n`],
    [
      'From: N <a@b>\r\nX: y\r\nFrom: c@d\r\n',
      `From: <${address}>\r\nX-Original-From: N <a@b>\r\nX: y\r\nX-Original-From: c@d\r\n`,
    ],
    ['From: =?utf-8?q?N?= <a@b>', `From: =?utf-8?q?N?= <${address}>\r\nX-Original-From: =?utf-8?q?N?= <a@b>`],
    [
      `From: ${'n'.repeat(201)} <a@b>\r\n`,
      `From: <${address}>\r\nX-Original-From: ${'n'.repeat(201)} <a@b>\r\n`,
    ],
    [
      'From: "a\\"b\0c" <a@b>\r\n',
      `From: "a\\"b\xef\xbf\xbdc" <${address}>\r\nX-Original-From: "a\\"b\0c" <a@b>\r\n`,
    ],
    ['X: y\r\n\r\n', `From: <${address}>\r\nX: y\r\n\r\n`],
    ['from\r\nX: y\r\n', `From: <${address}>\r\nfrom\r\nX: y\r\n`],
  ];
  for (const [before, after] of cases) t.equal(text(withFrom(header(before), address)), after);
  fc.assert(
    fc.property(fc.stringMatching(/^[\x00-\xff]{0,60}$/), (value) => {
      const parsed = header(`From: ${value.replaceAll(/[\r\n]/g, '')}\r\n\r\n`);
      const again = header(text(withFrom(parsed, address)));
      const [from, ...others] = valuesOf(again, 'from');
      const found = senderAddresses(from ?? '');
      return others.length === 0 && found.kind === 'addresses' && found.addresses.join() === address;
    }),
    { numRuns: 5_000 },
  );
  t.pass('5,000 runs');
  t.end();
});
