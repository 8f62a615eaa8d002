/** SORT's and THREAD's arguments, and what they make of header fields: base subjects, collation, sent dates, message IDs. */

import fc from 'fast-check';
import t from 'tap';

import { baseSubjectOf } from '../../src/wire/mime/baseSubject.ts';
import { casemapKey } from '../../src/wire/mime/casemap.ts';
import { momentOfDateField } from '../../src/wire/mime/dateField.ts';
import { firstMessageIdOf, messageIdsOf } from '../../src/wire/mime/messageId.ts';
import { octetString } from '../../src/wire/mime/structure.ts';
import { threadMs } from '../support/threadTime.ts';
import { parsed } from './imapDecoding.ts';
import { parseCommand } from './imapParsers.ts';

t.test('SORT takes keys in their order, each once, and what SEARCH takes behind a charset', async (t) => {
  const all = { kind: 'all' };
  const by = (...criteria: readonly (readonly [key: string, isReverse: boolean])[]) => ({
    criteria: criteria.map(([key, isReverse]) => ({ key, isReverse })),
    charset: 'UTF-8',
    key: all,
  });
  const cases: readonly [line: string, expected: object | string][] = [
    ['a SORT (DATE) UTF-8 ALL', by(['DATE', false])],
    ['a uid sort (reverse size Subject) utf-8 all', by(['SIZE', true], ['SUBJECT', false])],
    ['a SORT (DATE REVERSE DATE TO DATE) "UTF-8" ALL', by(['DATE', false], ['TO', false])],
    ['a SORT RETURN (MIN) (CC) UTF-8 ALL', { ...by(['CC', false]), returns: ['MIN'] }],
    ['a SORT (DISPLAYTO) UTF-8', '24 SP'],
    ['a SORT (ALL) UTF-8 ALL', '8 sort-key'],
    ['a SORT (DATE)UTF-8 ALL', '13 SP'],
    ['a SORT', '6 SP'],
    ['a THREAD references UTF-8 ALL', { algorithm: 'REFERENCES', charset: 'UTF-8', key: all }],
    ['a UID THREAD ORDEREDSUBJECT x ALL', { algorithm: 'ORDEREDSUBJECT', charset: 'X', key: all }],
    ['a THREAD JWZ UTF-8 ALL', '9 ORDEREDSUBJECT or REFERENCES'],
    ['a THREAD REFERENCES ALL', '23 SP'],
  ];
  for (const [line, expected] of cases) t.same(parsed(parseCommand, line), expected, line);
});

function baseSubject(subject: string): string {
  const { text, isReplyOrForward } = baseSubjectOf(octetString(subject));
  return isReplyOrForward ? `${text} (re)` : text;
}

/** Subject, and its base subject with ` (re)` where it is a reply's or a forward's. */
const SUBJECTS: readonly (readonly [subject: string, base: string])[] = [
  ['', ''],
  ['Hello', 'Hello'],
  ['  Hello   world  ', 'Hello world'],
  ['a\tb', 'a b'],
  // subj-refwd
  ['Re: Hello', 'Hello (re)'],
  ['RE:Hello', 'Hello (re)'],
  ['re  : Hello', 'Hello (re)'],
  ['Re: re: RE: Hello', 'Hello (re)'],
  ['Fw: Hello', 'Hello (re)'],
  ['FWD: Hello', 'Hello (re)'],
  ['Fwd: Re: Fw: Hello', 'Hello (re)'],
  ['Re[2]: Hello', 'Hello (re)'],
  ['Re [2] : Hello', 'Hello (re)'],
  ['Re[2][3]: Hello', 'Re[2][3]: Hello'],
  ['Re[[2]]: Hello', 'Re[[2]]: Hello'],
  ['Re^2: Hello', 'Re^2: Hello'],
  ['AW: Hello', 'AW: Hello'],
  ['Re', 'Re'],
  ['Reply: Hello', 'Reply: Hello'],
  ['Fwdx: Hello', 'Fwdx: Hello'],
  ['Re:', ' (re)'],
  ['Re: ', ' (re)'],
  ['Re: [x]:', ': (re)'],
  // subj-blob
  ['[list] Hello', 'Hello'],
  ['[list] [bug 7] Hello', 'Hello'],
  ['[list] Re: Hello', 'Hello (re)'],
  ['[list][other] Re: [third] Hello', 'Hello (re)'],
  ['Re: [list] Re: Hello', 'Hello (re)'],
  ['[list]', '[list]'],
  ['[list] [other]', '[other]'],
  ['[list] Re:', ' (re)'],
  ['[]Hello', 'Hello'],
  ['[a[b]] Hello', '[a[b]] Hello'],
  ['[open Hello', '[open Hello'],
  ['Hello [list]', 'Hello [list]'],
  ['[list] [open Hello', '[open Hello'],
  // subj-trailer
  ['Hello (fwd)', 'Hello (re)'],
  ['Hello (FWD) (fwd)  ', 'Hello (re)'],
  ['Hello(fwd)', 'Hello (re)'],
  ['(fwd)', ' (re)'],
  ['(fwd) Hello', '(fwd) Hello'],
  ['[list] (fwd)', '[list] (re)'],
  ['Re: Hello (fwd)', 'Hello (re)'],
  // subj-fwd
  ['[fwd: Hello]', 'Hello (re)'],
  ['[FWD: Re: [list] Hello (fwd)]', 'Hello (re)'],
  ['[fwd: [fwd: Hello]]', 'Hello (re)'],
  ['[fwd: Hello] (fwd)', 'Hello (re)'],
  ['Re: [fwd: Hello]', 'Hello (re)'],
  ['[fwd: Hello] world', 'world'],
  ['[fwd: Hello', '[fwd: Hello'],
  ['[fwd:]', ' (re)'],
  ['[fwd: ]', ' (re)'],
  ['[list] [fwd: Hello]', 'Hello (re)'],
  // encoded words and what they hide
  ['=?utf-8?q?Re=3A_Gr=C3=BC=C3=9Fe?=', 'Gr\u00fc\u00dfe (re)'],
  ['=?iso-8859-1?q?=5Blist=5D?= Re: =?iso-8859-1?q?caf=E9?=', 'caf\u00e9 (re)'],
  ['Re:=?utf-8?b?IEhlbGxv?=', 'Hello (re)'],
  ['=?utf-8?q?Hello=0D=0A_=09world?=', 'Hello world'],
];

t.test('a base subject is what RFC 5256 section 2.1 leaves of a subject', async (t) => {
  for (const [subject, base] of SUBJECTS) t.equal(baseSubject(subject), base, JSON.stringify(subject));
});

t.test('a base subject has no mark left, and is its own base subject but for its blobs', async () => {
  const words = ['Re:', 'fwd:', '[x]', '[', ']', ' ', '(fwd)', '[fwd:', 'Hello', 're', ':', '  '];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), (pieces) => {
      const once = baseSubjectOf(octetString(pieces.join('')));
      const twice = baseSubjectOf(octetString(once.text));
      return once.text === twice.text && !twice.isReplyOrForward;
    }),
  );
});

t.test('a subject that is all marks or blobs costs linear time', async (t) => {
  for (const piece of ['Re: ', '[x]', '[fwd:', '[', 're[', '(fwd)', '[]', ']', 'Re:[x]', ' ']) {
    const start = threadMs();
    baseSubjectOf(octetString(piece.repeat(100_000)));
    const tookMs = threadMs() - start;
    t.ok(tookMs < 1000, `${piece}: ${tookMs.toFixed(0)} ms`);
  }
});

t.test('the collation knows no case, no composition, and orders by octets of UTF-8', async (t) => {
  const alike: readonly (readonly [string, string])[] = [
    ['hello', 'HELLO'],
    ['\u00e9', 'E\u0301'],
    ['\u00e9', '\u00c9'],
    ['\u212b', '\u00e5'],
    ['\u01c4', '\u01c6'],
    ['\u1f80', '\u1f88'],
    ['\u1fb3', '\u1fbc'],
    ['\u0131', 'i'],
    ['\u017f', 's'],
    ['\uff21', 'a'],
    ['\u03c3', '\u03c2'],
    ['\u{10428}', '\u{10400}'],
  ];
  for (const [left, right] of alike) t.equal(casemapKey(left), casemapKey(right), `${left} ${right}`);
  t.not(casemapKey('\u00df'), casemapKey('ss'), 'the simple mapping leaves the sharp s alone');
  t.not(casemapKey('\ufb00'), casemapKey('ff'), 'titlecase comes before decomposition');
  t.not(casemapKey('e'), casemapKey('\u00e9'));
  t.equal(
    casemapKey('\u10d0'),
    Buffer.from('\u10d0').toString('latin1'),
    'Georgian titlecase is the letter itself',
  );
  t.ok(casemapKey('\u{1f600}') > casemapKey('\uffee'), 'as octets of UTF-8, not of UTF-16');
  t.ok(casemapKey('_') > casemapKey('Z') && casemapKey('_') > casemapKey('z'));
});

/** Date fields as UTC, or undefined. */
const DATES: readonly (readonly [value: string, utc: string | undefined])[] = [
  ['31 Dec 2000 16:01:33 -0800', '2001-01-01T00:01:33Z'],
  ['Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06Z'],
  ['Thu, 13 Feb 1969 23:32:54 -0330', '1969-02-14T03:02:54Z'],
  ['21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06Z'],
  ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06Z'],
  ['1 Jan 2020 12:00 +0100 (CET)', '2020-01-01T11:00:00Z'],
  ['1 Jan 2020 12:00:00 EST', '2020-01-01T17:00:00Z'],
  ['1 Jan 2020 12:00:00 PDT', '2020-01-01T19:00:00Z'],
  ['1 Jan 2020 12:00:00 Z', '2020-01-01T12:00:00Z'],
  ['1 Jan 2020 12:00:00 A', '2020-01-01T12:00:00Z'],
  ['1 Jan 2020 12:00:00 CEST', '2020-01-01T12:00:00Z'],
  ['1 Jan 2020 12:00:00 +0199', '2020-01-01T12:00:00Z'],
  ['1 Jan 2020 12:00:00 +01', '2020-01-01T12:00:00Z'],
  ['1 Jan 2020 12:00:00', '2020-01-01T12:00:00Z'],
  ['1 Jan 2020 25:00:00 +0100', '2020-01-01T00:00:00Z'],
  ['1 Jan 2020 noon', '2020-01-01T00:00:00Z'],
  ['1 Jan 2020', '2020-01-01T00:00:00Z'],
  ['31 Dec 1998 23:59:60 +0000', '1998-12-31T23:59:59Z'],
  ['29 Feb 2024 00:00:00 +0000', '2024-02-29T00:00:00Z'],
  ['29 Feb 2023 00:00:00 +0000', undefined],
  ['31 Apr 2024 00:00:00 +0000', undefined],
  ['0 Jan 2020 00:00:00 +0000', undefined],
  ['1 Foo 2020 00:00:00 +0000', undefined],
  ['2020-01-01 12:00:00', undefined],
  ['', undefined],
];

t.test('a sent date is a moment in UTC, as well as it can be told', async (t) => {
  for (const [value, utc] of DATES) {
    const moment = momentOfDateField(value);
    t.equal(moment, utc === undefined ? undefined : Date.parse(utc), value);
  }
});

t.test('message IDs are compared without their quoting, with their case', async (t) => {
  const cases: readonly (readonly [value: string, ids: string])[] = [
    ['<01KF8JCEOCBS0045PS@xxx.yyy.com>', '01KF8JCEOCBS0045PS@xxx.yyy.com'],
    ['<"01KF8JCEOCBS0045PS"@xxx.yyy.com>', '01KF8JCEOCBS0045PS@xxx.yyy.com'],
    ['<"a\\b"@c>', 'ab@c'],
    ['<A@b> <a@b>', 'A@b a@b'],
    ['<a@b><c@d>\t<e@f>', 'a@b c@d e@f'],
    ['Your message of Monday <a@b> "x" <c@d>', 'a@b c@d'],
    ['<a@(comment)b>', 'a@b'],
    ['<a @ b>', 'a@b'],
    ['<a@[10.0.0.1]>', 'a@[10.0.0.1]'],
    ['<"<x>@y"@z>', '<x>@y@z'],
    ['<none> <@b> <a@> <>', ''],
    ['a@b', ''],
    ['<a@b', ''],
    ['<open <a@b>', 'a@b'],
    ['<"open@x> <a@b>', 'open@x a@b'],
    ['<a@b> <open', 'a@b'],
  ];
  for (const [value, ids] of cases) {
    t.equal(messageIdsOf(value, 100).join(' '), ids, value);
    t.equal(firstMessageIdOf(value) ?? '', ids.split(' ')[0], value);
  }
  t.strictSame(messageIdsOf('<a@1> <b@2> <c@3>', 2), ['b@2', 'c@3'], 'the last ones count');
});

t.test('a field full of brackets, quotes or parentheses costs linear time', async (t) => {
  for (const piece of ['<', '<"', '<(', '<a@b>', '<a', '<a@b"', '<\\"']) {
    const start = threadMs();
    messageIdsOf(piece.repeat(100_000), 500);
    const tookMs = threadMs() - start;
    t.ok(tookMs < 1000, `${piece}: ${tookMs.toFixed(0)} ms`);
  }
});
