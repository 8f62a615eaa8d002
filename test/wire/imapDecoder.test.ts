/**
 * Tests of wire/imap's lexical rules and of the values that commands are made of: decoder.ts, command.ts, dates.ts, flags.ts,
 * mailboxName.ts, modifiedUtf7.ts, listPattern.ts, section.ts, sequenceSet.ts.
 *
 * Errors are written as `offset expected`.
 */

import fc from 'fast-check';
import t from 'tap';

import { WireError } from '../../src/base/error.ts';
import { findTag, parseCommandHead } from '../../src/wire/imap/command.ts';
import { formatDate, formatDateTime, parseDate, parseDateTime } from '../../src/wire/imap/dates.ts';
import { CommandDecoder } from '../../src/wire/imap/decoder.ts';
import { parseBareFlags, parseFlagList } from '../../src/wire/imap/flags.ts';
import { formatAstring, formatNstring, formatString } from '../../src/wire/imap/format.ts';
import { compileListPattern } from '../../src/wire/imap/listPattern.ts';
import {
  formatMailbox,
  joinMailboxName,
  parseListMailbox,
  parseMailbox,
  splitMailboxName,
  withoutFinalDelimiter,
} from '../../src/wire/imap/mailboxName.ts';
import { decodeModifiedUtf7, encodeModifiedUtf7 } from '../../src/wire/imap/modifiedUtf7.ts';
import {
  formatSection,
  parsePartial,
  parseSection,
  parseSectionBinary,
} from '../../src/wire/imap/section.ts';
import {
  exceedsSequenceSet,
  formatNumberSet,
  formatSequenceSet,
  holdsNumber,
  joinRanges,
  numbersOf,
  parseSequenceSet,
  resolveSequenceSet,
} from '../../src/wire/imap/sequenceSet.ts';
import { decoderOf, latin1, parsed } from './imapDecoding.ts';

type Rule = (decoder: CommandDecoder) => unknown;

function text(octets: Buffer | undefined): string | undefined {
  return octets?.toString('latin1');
}

/** A rule, the input, and what it gives: a value, or `offset expected` of its error. The rule must take the whole input. */
const LEXICAL: readonly [rule: string, parse: Rule, input: string, expected: unknown][] = [
  ['tag', (d) => d.tag(), 'a001', 'a001'],
  ['tag', (d) => d.tag(), '0', '0'],
  ['tag', (d) => d.tag(), 'A].-_~&#!', 'A].-_~&#!'],
  ['tag', (d) => d.tag(), '+', '0 tag'],
  ['tag', (d) => d.tag(), 'a+', '1 CRLF'],
  ['tag', (d) => d.tag(), '*', '0 tag'],
  ['tag', (d) => d.tag(), '', '0 tag'],
  ['tag', (d) => d.tag(), '\xe4', '0 tag'],
  ['atom', (d) => d.atom(), 'NIL', 'NIL'],
  ['atom', (d) => d.atom(), '123', '123'],
  ['atom', (d) => d.atom(), 'a[b}', 'a[b}'],
  ['atom', (d) => d.atom(), 'a]', '1 CRLF'],
  ['atom', (d) => d.atom(), 'a\\', '1 CRLF'],
  ['atom', (d) => d.atom(), 'a\x7f', '1 CRLF'],
  ['atom', (d) => d.atom(), 'a\0', '1 CRLF'],
  ['atom', (d) => d.atom(), 'a\xff', '1 CRLF'],
  ['atom', (d) => d.atom(), '"a"', '0 atom'],
  ['astring', (d) => text(d.astring()), 'a]b', 'a]b'],
  ['astring', (d) => text(d.astring()), 'NIL', 'NIL'],
  ['astring', (d) => text(d.astring()), 'p\xe4ss', 'p\xe4ss'],
  ['astring', (d) => text(d.astring()), '"a b"', 'a b'],
  ['astring', (d) => text(d.astring()), '""', ''],
  ['astring', (d) => text(d.astring()), '{3+}\r\na b', 'a b'],
  ['astring', (d) => text(d.astring()), '{0}\r\n', ''],
  ['astring', (d) => text(d.astring()), '', '0 astring'],
  ['astring', (d) => text(d.astring()), '(', '0 astring'],
  ['astring', (d) => text(d.astring()), 'a%', '1 CRLF'],
  ['quoted', (d) => text(d.quoted()), '"a\\"b\\\\c"', 'a"b\\c'],
  ['quoted', (d) => text(d.quoted()), '"\\\\"', '\\'],
  ['quoted', (d) => text(d.quoted()), '"\xfc {3} \t"', '\xfc {3} \t'],
  ['quoted', (d) => text(d.quoted()), '"a\\bc"', '3 quoted-specials'],
  ['quoted', (d) => text(d.quoted()), '"abc', '4 QUOTED-CHAR or DQUOTE'],
  ['quoted', (d) => text(d.quoted()), '"abc\\"', '6 QUOTED-CHAR or DQUOTE'],
  ['quoted', (d) => text(d.quoted()), '"abc\\', '5 quoted-specials'],
  ['quoted', (d) => text(d.quoted()), '"a\rb"', '2 QUOTED-CHAR or DQUOTE'],
  ['quoted', (d) => text(d.quoted()), '"a\nb"', '2 QUOTED-CHAR or DQUOTE'],
  ['quoted', (d) => text(d.quoted()), '"a\0b"', '2 QUOTED-CHAR or DQUOTE'],
  ['quoted', (d) => text(d.quoted()), 'abc', '0 DQUOTE'],
  ['string', (d) => text(d.string()), '{2}\r\n\r\n', '\r\n'],
  ['string', (d) => text(d.string()), '{4+}\r\n\xe4{}"', '\xe4{}"'],
  ['string', (d) => text(d.string()), 'atom', '0 string'],
  ['string', (d) => text(d.string()), '{3}\r\na\0b', '6 CHAR8'],
  ['string', (d) => text(d.string()), '~{3}\r\nabc', '0 literal'],
  ['string', (d) => text(d.string()), '{3}\r\nabcd', '8 CRLF'],
  ['nstring', (d) => text(d.nstring()) ?? 'none', 'nil', 'none'],
  ['nstring', (d) => text(d.nstring()) ?? 'none', '"NIL"', 'NIL'],
  ['nstring', (d) => text(d.nstring()) ?? 'none', '{3+}\r\nNIL', 'NIL'],
  ['nstring', (d) => text(d.nstring()) ?? 'none', 'NILS', '0 nstring'],
  ['nstring', (d) => text(d.nstring()) ?? 'none', '()', '0 nstring'],
  ['number', (d) => d.number(), '0', 0],
  ['number', (d) => d.number(), '007', 7],
  ['number', (d) => d.number(), '4294967295', 4_294_967_295],
  ['number', (d) => d.number(), '4294967296', '0 number below 2^32'],
  ['number', (d) => d.number(), '99999999999999999999999', '0 number below 2^32'],
  ['number', (d) => d.number(), '-1', '0 number'],
  ['number', (d) => d.number(), '1.5', '1 CRLF'],
  ['nz-number', (d) => d.nzNumber(), '1', 1],
  ['nz-number', (d) => d.nzNumber(), '0', '0 nz-number'],
  ['nz-number', (d) => d.nzNumber(), '01', '0 nz-number'],
  ['number64', (d) => d.number64(), '9007199254740991', Number.MAX_SAFE_INTEGER],
  ['number64', (d) => d.number64(), '9223372036854775807', Number.MAX_SAFE_INTEGER],
  ['number64', (d) => d.number64(), '9223372036854775808', '0 number64 below 2^63'],
  ['label', (d) => d.label('x'), 'Rfc822.size', 'RFC822.SIZE'],
  ['label', (d) => d.label('x'), '(', '0 x'],
  ['list', (d) => d.list(() => d.atom()), '(a b)', ['a', 'b']],
  ['list', (d) => d.list(() => d.atom()), '()', '1 atom'],
  ['list', (d) => d.list(() => d.atom()), '(a  b)', '3 atom'],
  ['list', (d) => d.list(() => d.atom()), '(a b', '4 SP or ")"'],
  ['list', (d) => d.list(() => d.atom()), 'a', '0 "("'],
  ['listOrEmpty', (d) => d.listOrEmpty(() => d.atom()), '()', []],
  ['listOrEmpty', (d) => d.listOrEmpty(() => d.atom()), '( )', '1 atom'],
  ['looseAstring', (d) => text(d.looseAstring()), '"DOM\\user"', 'DOM\\user'],
  ['looseAstring', (d) => text(d.looseAstring()), '"DOM\\\\user"', 'DOM\\user'],
  ['looseAstring', (d) => text(d.looseAstring()), 'DOM\\user', 'DOM\\user'],
  ['looseAstring', (d) => text(d.looseAstring()), '"a\\"b\\c"', 'a"b\\c'],
  ['looseAstring', (d) => text(d.looseAstring()), '{5}\r\na\\"\\\\', 'a\\"\\\\'],
  ['looseAstring', (d) => text(d.looseAstring()), '"abc\\', '5 QUOTED-CHAR or DQUOTE'],
];

t.test('each lexical rule takes what the ABNF says and tells where it does not', async (t) => {
  for (const [rule, parse, input, expected] of LEXICAL) {
    const found = parsed((decoder) => {
      const value = parse(decoder);
      decoder.eof();
      return value;
    }, input);
    t.same(found, expected, `${rule} ${JSON.stringify(input)}`);
  }
});

t.test('offsets count line ends as two octets and literals whole', async (t) => {
  const decoder = decoderOf('a LOGIN {3+}\r\nfoo {2}\r\nba x');
  parseCommandHead(decoder);
  decoder.sp();
  t.equal(text(decoder.astring()), 'foo');
  t.equal(decoder.offset, 17);
  decoder.sp();
  t.equal(text(decoder.astring()), 'ba');
  t.throws(() => decoder.eof(), new WireError(25, 'CRLF'));
});

t.test('a literal whose octets have not come yet can not be read', async (t) => {
  const segment = {
    line: latin1('a LOGIN '),
    offset: 0,
    literal: { octetCount: 3, isSynchronising: true, isLiteral8: false, offset: 13, octets: undefined },
  };
  const decoder = decoderOf('');
  t.throws(() => decoder.announcedLiteral(), new WireError(0, 'literal'));
  const prefix = new CommandDecoder([segment]);
  t.same(parseCommandHead(prefix), { tag: 'a', name: 'LOGIN', isUid: false }, 'the head can');
  prefix.sp();
  t.equal(prefix.announcedLiteral(), segment.literal);
  t.throws(() => prefix.astring(), new WireError(13, 'octets of the literal'));
});

t.test('the head of a command is its tag and its name', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['A1 noop', { tag: 'A1', name: 'NOOP', isUid: false }],
    ['00000000 CAPABILITY', { tag: '00000000', name: 'CAPABILITY', isUid: false }],
    ['x UID fetch 1 UID', { tag: 'x', name: 'FETCH', isUid: true }],
    ['x uId Expunge 1', { tag: 'x', name: 'EXPUNGE', isUid: true }],
    ['x BLURDYBLOOP', { tag: 'x', name: 'BLURDYBLOOP', isUid: false }],
    ['', '0 tag'],
    ['* OK', '0 tag'],
    ['NOOP', '4 SP'],
    ['a ', '2 atom'],
    ['a  NOOP', '2 atom'],
    [' a NOOP', '0 tag'],
    ['a UID', '5 SP'],
    ['a UID NOOP', '6 COPY, EXPUNGE, FETCH, MOVE, SEARCH, SORT, STORE or THREAD'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommandHead, input), expected, input);
});

t.test('the tag is found in a command that does not parse', async (t) => {
  const cases: readonly [line: string, tag: string | undefined][] = [
    ['a1 ??', 'a1'],
    ['a1', 'a1'],
    ['a1(', undefined],
    [' a1', undefined],
    ['+ x', undefined],
    ['', undefined],
  ];
  for (const [line, tag] of cases) t.equal(findTag(latin1(line)), tag, line);
});

t.test('sequence sets are read with their asterisks', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['1', '1'],
    ['*', '*'],
    ['1:*', '1:*'],
    ['*:5', '*:5'],
    ['5:1,7,*:*,4294967295', '5:1,7,*,4294967295'],
    ['1,1:1', '1,1'],
    ['0', '0 nz-number'],
    ['1:0', '2 nz-number'],
    ['1,', '2 nz-number'],
    ['1:', '2 nz-number'],
    ['1:2:3', '3 CRLF'],
    [',1', '0 nz-number'],
    ['1 ,2', '1 CRLF'],
    ['1:4294967296', '2 number below 2^32'],
    ['01', '0 nz-number'],
    ['a', '0 nz-number'],
    ['', '0 nz-number'],
  ];
  for (const [input, expected] of cases) {
    const found = parsed((decoder) => {
      const set = parseSequenceSet(decoder);
      decoder.eof();
      return formatSequenceSet(set);
    }, input);
    t.equal(found, expected, input);
  }
});

t.test('sequence sets resolve to what the mailbox has', async (t) => {
  const cases: readonly [set: string, largest: number, numbers: readonly number[], exceeds: boolean][] = [
    ['1,2:4,7', 10, [1, 2, 3, 4, 7], false],
    ['4:2', 10, [2, 3, 4], false],
    ['*', 5, [5], false],
    ['*:3', 5, [3, 4, 5], false],
    ['6:*', 5, [5], true],
    ['*:6', 5, [5], true],
    ['3291:*', 3000, [3000], true],
    ['2,4:7,9,12:*', 15, [2, 4, 5, 6, 7, 9, 12, 13, 14, 15], false],
    ['*:4,5:7', 10, [4, 5, 6, 7, 8, 9, 10], false],
    ['1,2:3,5', 5, [1, 2, 3, 5], false],
    ['1:3,2,3:4', 9, [1, 2, 3, 4], false],
    ['7', 5, [], true],
    ['1:4294967295', 3, [1, 2, 3], true],
    ['*', 0, [], true],
    ['1:*', 0, [], true],
    ['*:*', 0, [], true],
  ];
  for (const [input, largest, numbers, exceeds] of cases) {
    const set = parseSequenceSet(decoderOf(input));
    const ranges = resolveSequenceSet(set, largest);
    t.same([...numbersOf(ranges)], numbers, `${input} of ${largest}`);
    t.equal(exceedsSequenceSet(set, largest), exceeds, `${input} exceeds ${largest}`);
  }
});

t.test('ranges that touch are joined, and numbers become ranges where they go up by one', async (t) => {
  t.same(
    joinRanges([
      { first: 5, last: 9 },
      { first: 1, last: 4 },
      { first: 2, last: 3 },
    ]),
    [{ first: 1, last: 9 }],
  );
  t.equal(formatNumberSet([1, 2, 3, 7]), '1:3,7');
  t.equal(formatNumberSet([3, 2, 1, 2]), '3,2,1:2');
  t.equal(formatNumberSet([]), '');
});

t.test('a number is found among many ranges', async (t) => {
  const ranges = Array.from({ length: 21 }, (_, index) => ({ first: 10 * index + 1, last: 10 * index + 3 }));
  const wanted = new Set(numbersOf(ranges));
  for (let number = 0; number <= 220; number += 1) {
    if (holdsNumber(ranges, number) !== wanted.has(number)) t.fail(`${number} is taken for what it is not`);
  }
  t.equal(wanted.size, 63);
});

t.test('property: a resolved set holds exactly the numbers that the RFC says', async () => {
  const number = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant('*' as const));
  const sets = fc.array(fc.record({ first: number, last: number }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(sets, fc.integer({ min: 0, max: 25 }), (set, largest) => {
      const wanted = new Set<number>();
      for (const range of set) {
        const ends = [range.first, range.last].map((end) => (end === '*' ? largest : end));
        for (let value = Math.min(...ends); value <= Math.max(...ends); value += 1) wanted.add(value);
      }
      const reparsed = parseSequenceSet(decoderOf(formatSequenceSet(set)));
      const ranges = resolveSequenceSet(reparsed, largest);
      const found = [...numbersOf(ranges)];
      for (let value = 0; value <= 31; value += 1) {
        const isWanted = value >= 1 && value <= largest && wanted.has(value);
        if (found.includes(value) !== isWanted || holdsNumber(ranges, value) !== isWanted) return false;
      }
      return found.every((value, index) => index === 0 || value > (found[index - 1] ?? 0));
    }),
  );
});

t.test('modified UTF-7 is read in its canonical form only', async (t) => {
  const cases: readonly [octets: string, expected: string][] = [
    ['INBOX', 'INBOX'],
    ['a&-b', 'a&b'],
    ['&-&-', '&&'],
    ['Entw&APw-rfe', 'Entwürfe'],
    ['~peter/mail/&U,BTFw-/&ZeVnLIqe-', '~peter/mail/台北/日本語'],
    ['&U,BTFw-&-', '台北&'],
    ['&2D3eAA-', '😀'],
    ['&AAA-', '\0'],
    ['&Jjo!', '5 "-" that ends modified base64'],
    ['&Jjo!-', '4 modified base64'],
    ['&Jjo', '4 "-" that ends modified base64'],
    ['&', '1 "-" that ends modified base64'],
    ['a&b c', '5 "-" that ends modified base64'],
    ['&U,BTFw-&ZeVnLIqe-', '8 no superfluous shift'],
    ['&AGE-', '1 no printable US-ASCII in modified base64'],
    ['&ACY-', '1 no printable US-ASCII in modified base64'],
    ['&APw=-', '4 modified base64'],
    ['&U/BTFw-', '2 modified base64'],
    ['&APx-', '4 zero padding bits of modified base64'],
    ['&A-', '2 zero padding bits of modified base64'],
    ['&AP-', '3 zero padding bits of modified base64'],
    ['&APwA-', '5 zero padding bits of modified base64'],
    ['&2D0-', '1 whole UTF-16 code points'],
    ['&3gDYPQ-', '1 whole UTF-16 code points'],
    ['a\xfc', '1 printable US-ASCII'],
    ['a\tb', '1 printable US-ASCII'],
  ];
  for (const [octets, expected] of cases) {
    t.equal(
      parsed((decoder) => decodeModifiedUtf7(decoder.string()), `{${octets.length}+}\r\n${octets}`),
      expected,
      octets,
    );
  }
});

t.test('property: modified UTF-7 gives back every text, and has one form for it', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (name) => {
      const encoded = encodeModifiedUtf7(name);
      return /^[\x20-\x7e]*$/.test(encoded) && decodeModifiedUtf7(latin1(encoded)) === name.toWellFormed();
    }),
  );
  const base64 = fc.string({ unit: fc.constantFrom(...'&-AaBU,Fw2D3eg4+/9'), maxLength: 12 });
  fc.assert(
    fc.property(base64, (octets) => {
      const name = parsed(() => decodeModifiedUtf7(latin1(octets)), '');
      return /^\d+ /.test(name) || encodeModifiedUtf7(name) === octets;
    }),
    { numRuns: 3000 },
  );
});

t.test('mailbox names are decoded, INBOX in any case is INBOX', async (t) => {
  const cases: readonly [input: string, expected: string][] = [
    ['iNbOx', 'INBOX'],
    ['"inbox"', 'INBOX'],
    ['{5+}\r\nInBoX', 'INBOX'],
    ['inbox/sub', 'inbox/sub'],
    ['NIL', 'NIL'],
    ['123', '123'],
    ['a]', 'a]'],
    ['""', ''],
    ['"Entw&APw-rfe"', 'Entwürfe'],
    ['"a\\"b\\\\"', 'a"b\\'],
    ['Entw&APx-rfe', '8 zero padding bits of modified base64'],
    ['&AAA-', '0 a mailbox name without control characters'],
    ['&AAoACg-', '0 a mailbox name without control characters'],
    ['p\xe4', '1 printable US-ASCII'],
    ['a%', '1 CRLF'],
    ['', '0 astring'],
  ];
  for (const [input, expected] of cases) {
    const found = parsed((decoder) => {
      const name = parseMailbox(decoder);
      decoder.eof();
      return name;
    }, input);
    t.equal(found, expected, input);
  }
  t.equal(parsed(parseListMailbox, '%/*]&APw-'), '%/*]ü');
  t.equal(parsed(parseListMailbox, '"a b*"'), 'a b*');
  t.equal(parsed(parseListMailbox, '""'), '');
  t.equal(parsed(parseListMailbox, '('), '0 list-mailbox');
});

t.test('names are split into levels and joined again', async (t) => {
  t.same(splitMailboxName('a/b/c', '/'), ['a', 'b', 'c']);
  t.same(splitMailboxName('inbox/sub', '/'), ['INBOX', 'sub']);
  t.same(splitMailboxName('INBOX.sub', '/'), ['INBOX.sub']);
  t.same(splitMailboxName('Inbox', '.'), ['INBOX']);
  t.same(splitMailboxName('inboxes/inbox', '/'), ['inboxes', 'inbox']);
  t.same(splitMailboxName('/a//', '/'), ['', 'a', '', '']);
  t.same(splitMailboxName('a/b', undefined), ['a/b']);
  t.equal(joinMailboxName(['a', 'b'], '.'), 'a.b');
  t.equal(withoutFinalDelimiter('a/b/', '/'), 'a/b');
  t.equal(withoutFinalDelimiter('a/b', '/'), 'a/b');
  t.equal(withoutFinalDelimiter('/', '/'), '/');
});

t.test('list patterns match as RFC 3501 says', async (t) => {
  const cases: readonly [pattern: string, names: readonly string[], others: readonly string[]][] = [
    ['*', ['a', 'a/b', 'INBOX'], []],
    ['%', ['a', 'INBOX'], ['a/b', 'INBOX/x']],
    ['%/%', ['a/b', 'INBOX/x'], ['a', 'a/b/c']],
    ['a/%', ['a/b', 'a/'], ['a', 'a/b/c']],
    ['a/*', ['a/b', 'a/b/c'], ['a', 'b/a/c']],
    ['a*', ['a', 'ab', 'a/b'], ['b', 'A']],
    ['*x%', ['x', 'ax', 'a/bxc', 'x/x'], ['x/a', 'a']],
    ['%t*4', ['t4', 'at/4', 'test3/test4'], ['b/t4', 't5']],
    ['inbox', ['INBOX'], ['inbox2', 'a/INBOX']],
    ['iNb%', ['INBOX'], ['INBOX/a']],
    ['inbox/%', ['INBOX/a'], ['INBOX', 'INBOX/a/b']],
    ['INBOX%', ['INBOX', 'INBOXES'], ['INBOX/a']],
    ['%*%', ['', 'a/b/c'], []],
    ['%%', ['a'], ['a/b']],
    ['', [''], ['a']],
    ['a.b', ['a.b'], ['a/b', 'aXb']],
    ['a+(', ['a+('], ['aa(']],
  ];
  for (const [pattern, names, others] of cases) {
    const matches = compileListPattern('', pattern, '/');
    for (const name of names) t.equal(matches(name), true, `${pattern} matches ${name}`);
    for (const name of others) t.equal(matches(name), false, `${pattern} does not match ${name}`);
  }
  t.equal(compileListPattern('a/', '%', '/')('a/b'), true, 'a reference is put in front');
  t.equal(compileListPattern('', '%', undefined)('a/b'), true, 'without a delimiter % is *');
});

t.test('a list pattern takes no time that grows with its wildcards', async (t) => {
  const matches = compileListPattern('', `${'*a'.repeat(500)}b`, '/');
  const before = process.cpuUsage().user;
  t.equal(matches('a'.repeat(1000)), false);
  t.equal(compileListPattern('', '%*'.repeat(30_000), '/')('a'.repeat(1000)), true);
  // Trying one branch after the other would take longer than the universe is old.
  t.ok(process.cpuUsage().user - before < 5_000_000);
});

t.test('property: list patterns agree with an expression that says the same', async () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '%', '*'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, name, (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('%', '[^/]*')}$`);
      return compileListPattern('', pattern, '/')(name) === expression.test(name);
    }),
    { numRuns: 2000 },
  );
});

t.test('flags are read in any case, the system flags answered in the RFC', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['()', { system: [], keywords: [] }],
    ['(\\SEEN \\deleted \\Seen)', { system: ['\\Seen', '\\Deleted'], keywords: [] }],
    ['($MDNSent Foo fOO [x)', { system: [], keywords: ['$MDNSent', 'Foo', '[x'] }],
    ['(\\Recent)', '1 \\Answered, \\Flagged, \\Deleted, \\Seen, \\Draft or a keyword'],
    ['(\\Foo)', '1 \\Answered, \\Flagged, \\Deleted, \\Seen, \\Draft or a keyword'],
    ['(\\*)', '2 atom'],
    ['(\\)', '2 atom'],
    ['(a  b)', '3 atom'],
    ['(a]', '2 SP or ")"'],
    ['("a")', '1 atom'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseFlagList, input), expected, input);
  t.same(parsed(parseBareFlags, '\\seen foo'), { system: ['\\Seen'], keywords: ['foo'] });
});

t.test('dates are days that exist', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['1-Nov-2026', { year: 2026, month: 11, day: 1 }],
    ['"01-nOV-2026"', { year: 2026, month: 11, day: 1 }],
    ['29-Feb-2024', { year: 2024, month: 2, day: 29 }],
    ['31-Dec-0000', { year: 0, month: 12, day: 31 }],
    ['29-Feb-2026', '0 date'],
    ['31-Apr-2026', '0 date'],
    ['0-Jan-2026', '0 date'],
    ['1-Foo-2026', '0 date'],
    ['1-Jan-26', '0 date'],
    ['" 1-Jan-2026"', '0 date'],
    ['2026-01-01', '0 date'],
    ['', '0 date'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseDate, input), expected, input);
  t.equal(formatDate({ year: 2026, month: 11, day: 1 }), '1-Nov-2026');
});

t.test('a date-time keeps its zone', async (t) => {
  const at = Date.UTC(2024, 0, 1, 12, 30, 15);
  const cases: readonly [input: string, expected: unknown][] = [
    ['" 1-Jan-2024 12:30:15 +0000"', { at, zoneMinutes: 0 }],
    ['"01-jan-2024 12:30:15 -0000"', { at, zoneMinutes: 0 }],
    ['"1-Jan-2024 14:00:15 +0130"', { at, zoneMinutes: 90 }],
    ['"31-Dec-2023 23:00:15 -1330"', { at, zoneMinutes: -810 }],
    ['" 1-Jan-2024 12:29:60 +0000"', { at: at - 15_000, zoneMinutes: 0 }],
    ['"32-Jan-2024 12:30:15 +0000"', '0 date-time'],
    ['" 1-Jan-2024 24:00:00 +0000"', '0 date-time'],
    ['" 1-Jan-2024 12:60:00 +0000"', '0 date-time'],
    ['" 1-Jan-2024 12:00:00 +2400"', '0 date-time'],
    ['" 1-Jan-2024 12:00:00 +0060"', '0 date-time'],
    ['" 1-Jan-2024 12:00:00 GMT"', '0 date-time'],
    ['" 1-Jan-2024 12:00:00"', '0 date-time'],
    ['""', '0 date-time'],
    ['1-Jan-2024', '0 DQUOTE'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseDateTime, input), expected, input);
  t.equal(formatDateTime({ at: at as never, zoneMinutes: 90 }), '" 1-Jan-2024 14:00:15 +0130"');
  t.equal(formatDateTime({ at: at as never, zoneMinutes: -810 }), '"31-Dec-2023 23:00:15 -1330"');
});

t.test('property: a date-time reads back as it was written', async () => {
  const moments = fc.integer({ min: Date.UTC(1, 0, 3) / 1000, max: Date.UTC(9999, 11, 29) / 1000 });
  fc.assert(
    fc.property(moments, fc.integer({ min: -1439, max: 1439 }), (seconds, zoneMinutes) => {
      const value = { at: (seconds * 1000) as never, zoneMinutes };
      const found = parsed(parseDateTime, formatDateTime(value));
      return typeof found !== 'string' && found.at === value.at && found.zoneMinutes === zoneMinutes;
    }),
  );
});

t.test('sections are read and named back', async (t) => {
  const cases: readonly [input: string, expected: unknown, again?: string][] = [
    ['[]', { part: [], text: undefined }],
    ['[1]', { part: [1], text: undefined }],
    ['[1.2.10]', { part: [1, 2, 10], text: undefined }],
    ['[header]', { part: [], text: { kind: 'header' } }, '[HEADER]'],
    ['[TEXT]', { part: [], text: { kind: 'text' } }],
    ['[2.1.MIME]', { part: [2, 1], text: { kind: 'mime' } }],
    ['[3.HEADER]', { part: [3], text: { kind: 'header' } }],
    [
      '[1.HEADER.FIELDS (From "X Y" {2+}\r\nTo)]',
      { part: [1], text: { kind: 'headerFields', fields: ['From', 'X Y', 'To'], isInverted: false } },
      '[1.HEADER.FIELDS (From "X Y" To)]',
    ],
    [
      '[HEADER.FIELDS.NOT (date)]',
      { part: [], text: { kind: 'headerFields', fields: ['date'], isInverted: true } },
    ],
    ['[MIME]', '1 section-msgtext'],
    ['[0]', '1 nz-number'],
    ['[1.]', '3 section-text'],
    ['[1..2]', '3 section-text'],
    ['[.1]', '1 section-msgtext'],
    ['[1 ]', '2 "." or "]"'],
    ['[1.FOO]', '3 section-text'],
    ['[HEADER.FIELDS]', '14 SP'],
    ['[HEADER.FIELDS ()]', '16 astring'],
    ['[HEADER.FIELDS (a) ]', '18 "]"'],
    ['[TEXT', '5 "]"'],
    ['1]', '0 "["'],
  ];
  for (const [input, expected, again = input] of cases) {
    const found = parsed(parseSection, input);
    t.same(found, expected, input);
    if (typeof found !== 'string') t.equal(formatSection(found), again);
  }
  t.same(parsed(parseSectionBinary, '[1.2]'), [1, 2]);
  t.same(parsed(parseSectionBinary, '[]'), []);
  t.same(parsed(parseSectionBinary, '[1.]'), '3 nz-number');
  t.same(parsed(parseSectionBinary, '[TEXT]'), '1 "]"');
});

t.test('a partial has a start and a count, which may be 0', async (t) => {
  t.same(parsed(parsePartial, '<0.1>'), { start: 0, octets: 1 });
  t.same(parsed(parsePartial, '<393216.4294967296>'), { start: 393_216, octets: 4_294_967_296 });
  t.same(parsed(parsePartial, ''), undefined);
  t.same(parsed(parsePartial, '<0.0>'), { start: 0, octets: 0 });
  t.same(parsed(parsePartial, '<0>'), '2 "."');
  t.same(parsed(parsePartial, '<.1>'), '1 number64');
  t.same(parsed(parsePartial, '<0.1'), '4 ">"');
});

t.test('property: strings, astrings and mailbox names read back as they were written', async () => {
  const octets = fc
    .uint8Array({ maxLength: 60 })
    .map((array) => Buffer.from(array.filter((octet) => octet !== 0)));
  fc.assert(
    fc.property(octets, fc.string({ unit: 'grapheme', maxLength: 30 }), (octets, name) => {
      const value = octets.toString('latin1');
      const readBack = (parse: Rule, written: string) =>
        parsed((decoder) => {
          const found = parse(decoder);
          decoder.eof();
          return found;
        }, written);
      const clean = name.replace(/[\x00-\x1f\x7f-\x9f]/g, '');
      const wanted = clean.toUpperCase() === 'INBOX' ? 'INBOX' : clean;
      return (
        readBack((d) => text(d.string()), formatString(value)) === value &&
        readBack((d) => text(d.astring()), formatAstring(value)) === value &&
        readBack((d) => text(d.nstring()), formatNstring(value)) === value &&
        readBack(parseMailbox, formatMailbox(clean)) === wanted
      );
    }),
    { numRuns: 500 },
  );
});
