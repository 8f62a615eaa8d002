/**
 * Tests of wire/imap's command parsers: one file each in src/wire/imap/, all reached through what a client sends.
 *
 * Errors are written as `offset expected`. The lines of real clients are those measured on the wire (PHP, JavaMail,
 * fetchmail, getmail, imapflow, Ruby, Perl).
 */

import fc from 'fast-check';
import t from 'tap';

import { WireError } from '../../src/base/error.ts';
import { isAppendMessage, parseAppend, parseAppendEnd, parseAppendNext } from '../../src/wire/imap/append.ts';
import type { AppendMessage } from '../../src/wire/imap/append.ts';
import { parseCommandHead } from '../../src/wire/imap/command.ts';
import { isUseAttribute } from '../../src/wire/imap/create.ts';
import { CommandDecoder } from '../../src/wire/imap/decoder.ts';
import type { FrameEvent } from '../../src/wire/imap/frame.ts';
import { createCommandFramer } from '../../src/wire/imap/framing.ts';
import { isDone } from '../../src/wire/imap/idle.ts';
import { latin1, parsed } from './imapDecoding.ts';
import { PARSERS, parseCommand, plain } from './imapParsers.ts';

const ONE = [{ first: 1, last: 1 }];

t.test('commands without arguments end after their name', async (t) => {
  const names = [
    'CAPABILITY',
    'NOOP',
    'logout',
    'Starttls',
    'CHECK',
    'CLOSE',
    'UNSELECT',
    'EXPUNGE',
    'IDLE',
    'NAMESPACE',
  ];
  for (const name of names) {
    t.equal(parsed(parseCommand, `a ${name}`), undefined, name);
    t.equal(parsed(parseCommand, `a ${name} `), `${2 + name.length} CRLF`, `${name} with a space`);
    t.equal(parsed(parseCommand, `a ${name} {1+}\r\nx`), `${2 + name.length} CRLF`, `${name} with a literal`);
  }
});

t.test('LOGIN takes names and passwords in every form', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['a LOGIN u p', { userid: 'u', password: 'p' }],
    ['a LOGIN "u@example.com" "p \\"w\\\\"', { userid: 'u@example.com', password: 'p "w\\' }],
    ['a LOGIN {1}\r\nu {3+}\r\np w', { userid: 'u', password: 'p w' }],
    ['a login "EXAMPLE\\user" {0}\r\n', { userid: 'EXAMPLE\\user', password: '' }],
    ['a login EXAMPLE\\user p]w', { userid: 'EXAMPLE\\user', password: 'p]w' }],
    ['a LOGIN u "p\xc3\xa4ss"', { userid: 'u', password: 'päss' }],
    ['a LOGIN u "p\xe4ss"', { userid: 'u', password: 'päss' }],
    ['a LOGIN u', '9 SP'],
    ['a LOGIN u ', '10 astring'],
    ['a LOGIN u  p', '10 astring'],
    ['a LOGIN u p x', '11 CRLF'],
    ['a LOGIN u p ', '11 CRLF'],
    ['a LOGIN u "p', '12 QUOTED-CHAR or DQUOTE'],
    ['a LOGIN', '7 SP'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
});

t.test('AUTHENTICATE takes a mechanism and an initial response', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['a AUTHENTICATE plain', { mechanism: 'PLAIN' }],
    ['a AUTHENTICATE PLAIN AHUAcA==', { mechanism: 'PLAIN', initialResponse: '\0u\0p' }],
    ['a AUTHENTICATE EXTERNAL =', { mechanism: 'EXTERNAL', initialResponse: '' }],
    ['a AUTHENTICATE PLAIN ', '21 atom'],
    ['a AUTHENTICATE PLAIN AHUAcA', '27 base64 with its padding'],
    ['a AUTHENTICATE PLAIN AH!A', '23 base64'],
    ['a AUTHENTICATE PLAIN =AAA', '21 base64'],
    ['a AUTHENTICATE PLAIN AAA=BBB', '24 base64'],
    ['a AUTHENTICATE PLAIN "AHUAcA=="', '21 atom'],
    [`a AUTHENTICATE PLAIN ${'A'.repeat(12_292)}`, '21 a shorter initial response'],
    ['a AUTHENTICATE', '14 SP'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input.slice(0, 60));
});

t.test('SELECT and EXAMINE take a mailbox and their parameters', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['a SELECT inbox', { mailbox: 'INBOX', isCondstore: false }],
    ['a EXAMINE "Entw&APw-rfe"', { mailbox: 'Entwürfe', isCondstore: false }],
    ['a SELECT x (CONDSTORE)', { mailbox: 'x', isCondstore: true }],
    [
      'a SELECT x (QRESYNC (67890007 20050715194045000))',
      {
        mailbox: 'x',
        isCondstore: false,
        qresync: { uidValidity: 67_890_007, modSeq: Number.MAX_SAFE_INTEGER },
      },
    ],
    [
      'a select x (qresync (7 9 41,43:211 (1,2 4,5)) condstore)',
      {
        mailbox: 'x',
        isCondstore: true,
        qresync: {
          uidValidity: 7,
          modSeq: 9,
          knownUids: [
            { first: 41, last: 41 },
            { first: 43, last: 211 },
          ],
          sequenceMatch: {
            numbers: [
              { first: 1, last: 1 },
              { first: 2, last: 2 },
            ],
            uids: [
              { first: 4, last: 4 },
              { first: 5, last: 5 },
            ],
          },
        },
      },
    ],
    [
      'a SELECT x (QRESYNC (7 9 (1 4)))',
      {
        mailbox: 'x',
        isCondstore: false,
        qresync: {
          uidValidity: 7,
          modSeq: 9,
          sequenceMatch: { numbers: ONE, uids: [{ first: 4, last: 4 }] },
        },
      },
    ],
    ['a SELECT x (QRESYNC (7 9 1:*))', '25 a set without "*"'],
    ['a SELECT x (QRESYNC (0 9))', '21 nz-number'],
    ['a SELECT x (QRESYNC (7 9223372036854775808))', '23 number64 below 2^63'],
    ['a SELECT x (QRESYNC (7 9 (1:* 4:5)))', '26 a set without "*"'],
    ['a SELECT x (QRESYNC (7 9 (2,1 4:5)))', '26 a set in ascending order'],
    ['a SELECT x (QRESYNC (7 9 (1:2 5:4)))', '30 a set in ascending order'],
    ['a SELECT x (QRESYNC (7 9 (1:2 4:6)))', '30 a UID for each number'],
    ['a SELECT x (QRESYNC)', '19 SP'],
    ['a SELECT x ()', '12 select-param'],
    ['a SELECT x (FOO)', '12 CONDSTORE or QRESYNC'],
    ['a SELECT x ', '11 "("'],
    ['a SELECT', '8 SP'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
});

t.test('commands on mailboxes take one name, or two', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['a DELETE a/b', { mailbox: 'a/b' }],
    ['a SUBSCRIBE {3}\r\na b', { mailbox: 'a b' }],
    ['a unsubscribe inBOX', { mailbox: 'INBOX' }],
    ['a RENAME "a b" c', { from: 'a b', to: 'c' }],
    ['a RENAME a b (X)', '12 CRLF'],
    ['a DELETE', '8 SP'],
    ['a DELETE a b', '10 CRLF'],
    ['a RENAME a', '10 SP'],
    ['a CREATE a', { mailbox: 'a', specialUses: [] }],
    ['a CREATE a/', { mailbox: 'a/', specialUses: [] }],
    ['a CREATE a (USE (\\sent \\Drafts))', { mailbox: 'a', specialUses: ['\\Sent', '\\Drafts'] }],
    ['a CREATE a (use ())', { mailbox: 'a', specialUses: [] }],
    ['a CREATE a (USE (\\Important))', { mailbox: 'a', specialUses: ['\\Important'] }],
    ['a CREATE a (USE (Sent))', '17 "\\"'],
    ['a CREATE a (FOO)', '12 USE'],
    ['a CREATE a ()', '12 create-param'],
    ['a CREATE a&b', '12 "-" that ends modified base64'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
  t.equal(isUseAttribute('\\Sent'), true);
  t.equal(isUseAttribute('\\Important'), false);
});

t.test('LIST takes its basic and its extended form', async (t) => {
  const basic = { isExtended: false, selection: [], returns: { options: [], statusItems: [] } };
  const extended = { ...basic, isExtended: true };
  const cases: readonly [input: string, expected: unknown][] = [
    ['a LIST "" ""', { reference: '', patterns: [''], ...basic }],
    ['a LIST "" *', { reference: '', patterns: ['*'], ...basic }],
    ['a list a/ {1}\r\n%', { reference: 'a/', patterns: ['%'], ...basic }],
    ['a LIST "" (a* "b %")', { reference: '', patterns: ['a*', 'b %'], ...extended }],
    ['a LIST () "" *', { reference: '', patterns: ['*'], ...extended }],
    [
      'a LIST (subscribed RECURSIVEMATCH remote) "" * RETURN ()',
      {
        ...extended,
        reference: '',
        patterns: ['*'],
        selection: ['SUBSCRIBED', 'RECURSIVEMATCH', 'REMOTE'],
      },
    ],
    [
      'a LIST (SPECIAL-USE) "" "*" return (Children special-use STATUS (messages SIZE) Subscribed)',
      {
        reference: '',
        patterns: ['*'],
        isExtended: true,
        selection: ['SPECIAL-USE'],
        returns: { options: ['CHILDREN', 'SPECIAL-USE', 'SUBSCRIBED'], statusItems: ['MESSAGES', 'SIZE'] },
      },
    ],
    ['a LIST (imaptest) "" ""', '8 list-select-opt'],
    ['a LIST (RECURSIVEMATCH) "" ""', '7 list-select-base-opt'],
    ['a LIST (RECURSIVEMATCH REMOTE) "" ""', '7 list-select-base-opt'],
    ['a LIST "" "" return (imaptest)', '21 return-option'],
    ['a LIST "" "" return (STATUS)', '27 SP'],
    ['a LIST "" "" return (STATUS ())', '29 status-att'],
    ['a LIST "" "" RETURNS ()', '13 RETURN'],
    ['a LIST "" ()', '11 list-mailbox'],
    ['a LIST ""', '9 SP'],
    ['a LIST "" * ', '12 RETURN'],
    ['a LSUB "" %', { reference: '', pattern: '%' }],
    ['a LSUB "" (a)', '10 list-mailbox'],
    ['a LSUB "" a x', '11 CRLF'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
});

t.test('STATUS takes items in any order and case', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['a STATUS x (messages)', { mailbox: 'x', items: ['MESSAGES'] }],
    [
      'a STATUS x (UNSEEN uidvalidity UIDNEXT RECENT HIGHESTMODSEQ SIZE DELETED mailboxid Appendlimit deleted-storage UNSEEN)',
      {
        mailbox: 'x',
        items: [
          'UNSEEN',
          'UIDVALIDITY',
          'UIDNEXT',
          'RECENT',
          'HIGHESTMODSEQ',
          'SIZE',
          'DELETED',
          'MAILBOXID',
          'APPENDLIMIT',
          'DELETED-STORAGE',
        ],
      },
    ],
    ['a STATUS x ()', '12 status-att'],
    ['a STATUS x (FOO)', '12 status-att'],
    ['a STATUS x MESSAGES', '11 "("'],
    ['a STATUS x', '10 SP'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
});

t.test('GETQUOTA, GETQUOTAROOT and SETQUOTA', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['a GETQUOTA ""', { root: '' }],
    ['a getquota {4}\r\nUser', { root: 'User' }],
    ['a GETQUOTA', '10 SP'],
    ['a GETQUOTA a b', '12 CRLF'],
    ['a GETQUOTAROOT inbox', { mailbox: 'INBOX' }],
    ['a GETQUOTAROOT &', '16 "-" that ends modified base64'],
    ['a SETQUOTA x ()', { root: 'x', limits: [] }],
    [
      'a SETQUOTA "" (storage 512 x-FOO 0)',
      {
        root: '',
        limits: [
          { resource: 'STORAGE', limit: 512 },
          { resource: 'X-FOO', limit: 0 },
        ],
      },
    ],
    ['a SETQUOTA x', '12 SP'],
    ['a SETQUOTA x (STORAGE)', '21 SP'],
    ['a SETQUOTA x (STORAGE -1)', '22 number64'],
    ['a SETQUOTA x STORAGE 1', '13 "("'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
});

t.test('COPY, MOVE and UID EXPUNGE take sets', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['a COPY 1 "a b"', { set: ONE, mailbox: 'a b' }],
    ['a uid move 1:* inbox', { set: [{ first: 1, last: '*' }], mailbox: 'INBOX' }],
    ['a UID EXPUNGE 1', { set: ONE }],
    ['a UID EXPUNGE', '13 SP'],
    ['a EXPUNGE 1', '9 CRLF'],
    ['a COPY 1', '8 SP'],
    ['a COPY 0 x', '7 nz-number'],
    ['a MOVE 1 x y', '10 CRLF'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
});

t.test('STORE takes flags with and without parentheses', async (t) => {
  const add = { set: ONE, operation: 'add', isSilent: false };
  const cases: readonly [input: string, expected: unknown][] = [
    ['a STORE 1 +FLAGS (\\Seen)', { ...add, flags: { system: ['\\Seen'], keywords: [] } }],
    ['a UID STORE 1 +Flags (\\DELETED)', { ...add, flags: { system: ['\\Deleted'], keywords: [] } }],
    [
      'a STORE 1 flags.silent \\Seen $Forwarded',
      {
        set: ONE,
        operation: 'replace',
        isSilent: true,
        flags: { system: ['\\Seen'], keywords: ['$Forwarded'] },
      },
    ],
    [
      'a STORE 1 -FLAGS.SILENT ()',
      { set: ONE, operation: 'remove', isSilent: true, flags: { system: [], keywords: [] } },
    ],
    [
      'a STORE 1 (UNCHANGEDSINCE 12345) +FLAGS x',
      { ...add, flags: { system: [], keywords: ['x'] }, unchangedSince: 12_345 },
    ],
    [
      'a STORE 1 (UNCHANGEDSINCE 0) +FLAGS x',
      { ...add, flags: { system: [], keywords: ['x'] }, unchangedSince: 0 },
    ],
    ['a STORE 1 (FOO 1) +FLAGS x', '11 UNCHANGEDSINCE'],
    ['a STORE 1 +FLAGS', '16 SP'],
    ['a STORE 1 +FLAGS ', '17 atom'],
    ['a STORE 1 +FLAGS.LOUD x', '11 FLAGS or FLAGS.SILENT'],
    ['a STORE 1 + FLAGS x', '11 FLAGS'],
    ['a STORE 1 +FLAGS (\\Recent)', '18 \\Answered, \\Flagged, \\Deleted, \\Seen, \\Draft or a keyword'],
    ['a STORE 1 +FLAGS (x) y', '20 CRLF'],
    ['a STORE 1', '9 SP'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
});

t.test('DONE ends IDLE in any case, and nothing else does', async (t) => {
  for (const line of ['DONE', 'done', 'Done']) t.equal(isDone(latin1(line)), true, line);
  for (const line of ['', 'DONE ', ' DONE', 'a DONE', 'DONE\0']) t.equal(isDone(latin1(line)), false, line);
});

t.test('ID and ENABLE', async (t) => {
  const cases: readonly [input: string, expected: unknown][] = [
    ['a ID NIL', {}],
    ['a ID ()', { fields: [] }],
    ['a ID ("name" "x" "version" nil)', { fields: [{ name: 'name', value: 'x' }, { name: 'version' }] }],
    ['a ID ("name")', '12 SP'],
    ['a ID (name "x")', '6 string'],
    ['a ID ("a" "b"', '13 SP or ")"'],
    [`a ID (${'"a" "b" '.repeat(30)}"a" "b")`, '5 at most 30 fields'],
    ['a ENABLE condstore X-GOOD-IDEA', { capabilities: ['CONDSTORE', 'X-GOOD-IDEA'] }],
    ['a ENABLE', '8 SP'],
    ['a ENABLE ', '9 atom'],
    ['a ENABLE a  b', '11 atom'],
    ['a ENABLE (a)', '9 atom'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
});

t.test('FETCH takes macros, items and modifiers', async (t) => {
  const kinds = (...names: string[]) => names.map((kind) => ({ kind }));
  const plainFetch = { set: ONE, isVanished: false };
  const body = { kind: 'bodySection', section: { part: [] }, isPeek: false };
  const cases: readonly [input: string, expected: unknown][] = [
    ['a FETCH 1 FLAGS', { ...plainFetch, items: kinds('flags') }],
    [
      'a FETCH 1 (emailid THREADID savedate)',
      { ...plainFetch, items: kinds('emailId', 'threadId', 'savedDate') },
    ],
    ['a FETCH 1 PREVIEW', { ...plainFetch, items: [{ kind: 'preview', isLazy: false }] }],
    ['a FETCH 1 preview (Lazy)', { ...plainFetch, items: [{ kind: 'preview', isLazy: true }] }],
    [
      'a FETCH 1 (PREVIEW (LAZY LAZY) UID preview)',
      {
        ...plainFetch,
        items: [{ kind: 'preview', isLazy: true }, ...kinds('uid'), { kind: 'preview', isLazy: false }],
      },
    ],
    [
      'a FETCH 1 PREVIEW (CHANGEDSINCE 5)',
      { ...plainFetch, items: [{ kind: 'preview', isLazy: false }], changedSince: 5 },
    ],
    [
      'a FETCH 1 PREVIEW (LAZY) (CHANGEDSINCE 5)',
      { ...plainFetch, items: [{ kind: 'preview', isLazy: true }], changedSince: 5 },
    ],
    ['a FETCH 1 (PREVIEW (EAGER))', '19 fetch-att'],
    ['a FETCH 1 (PREVIEW (LAZYX))', '20 preview-mod'],
    ['a FETCH 1 (PREVIEW ())', '19 fetch-att'],
    ['a FETCH 1 PREVIEW[1]', '10 fetch-att'],
    ['a FETCH 1 fast', { ...plainFetch, items: kinds('flags', 'internalDate', 'rfc822Size') }],
    ['a FETCH 1 ALL', { ...plainFetch, items: kinds('flags', 'internalDate', 'rfc822Size', 'envelope') }],
    [
      'a FETCH 1 FULL',
      { ...plainFetch, items: kinds('flags', 'internalDate', 'rfc822Size', 'envelope', 'body') },
    ],
    [
      'a FETCH 1 (uid ENVELOPE body BODYSTRUCTURE RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE INTERNALDATE MODSEQ)',
      {
        ...plainFetch,
        items: kinds(
          'uid',
          'envelope',
          'body',
          'bodyStructure',
          'rfc822',
          'rfc822Header',
          'rfc822Text',
          'rfc822Size',
          'internalDate',
          'modSeq',
        ),
      },
    ],
    ['a FETCH 1 BODY[]', { ...plainFetch, items: [body] }],
    [
      'a FETCH 1 body.peek[1.2]<5.10>',
      {
        ...plainFetch,
        items: [{ ...body, section: { part: [1, 2] }, partial: { start: 5, octets: 10 }, isPeek: true }],
      },
    ],
    [
      'a FETCH 1 (BODY[HEADER.FIELDS ({4}\r\nFrom To)])',
      {
        ...plainFetch,
        items: [
          {
            ...body,
            section: {
              part: [],
              text: { kind: 'headerFields', fields: ['From', 'To'], isInverted: false },
            },
          },
        ],
      },
    ],
    [
      'a FETCH 1 (BINARY[1]<0.5> BINARY.PEEK[] BINARY.SIZE[2.1])',
      {
        ...plainFetch,
        items: [
          { kind: 'binary', part: [1], partial: { start: 0, octets: 5 }, isPeek: false },
          { kind: 'binary', part: [], isPeek: true },
          { kind: 'binarySize', part: [2, 1] },
        ],
      },
    ],
    [
      'a UID FETCH 1 (FLAGS) (CHANGEDSINCE 12345 VANISHED)',
      { set: ONE, items: kinds('flags'), changedSince: 12_345, isVanished: true },
    ],
    ['a FETCH 1 FLAGS (CHANGEDSINCE 1)', { ...plainFetch, items: kinds('flags'), changedSince: 1 }],
    ['a FETCH 1 FLAGS (VANISHED)', '16 CHANGEDSINCE with VANISHED'],
    ['a FETCH 1 FLAGS (FOO)', '17 CHANGEDSINCE or VANISHED'],
    ['a FETCH 1 (ALL)', '11 fetch-att'],
    ['a FETCH 1 ALL FLAGS', '14 "("'],
    ['a FETCH 1 ()', '11 fetch-att'],
    ['a FETCH 1 (FLAGS FOO)', '17 fetch-att'],
    ['a FETCH 1 (FLAGS', '16 SP or ")"'],
    ['a FETCH 1 BODY.PEEK', '10 fetch-att'],
    ['a FETCH 1 FLAGS[]', '10 fetch-att'],
    ['a FETCH 1 BODY[]<0>', '18 "."'],
    ['a FETCH 1 BODY[', '15 section-text'],
    ['a FETCH 1 constructor', '10 fetch-att'],
    ['a FETCH 1', '9 SP'],
    ['a FETCH 0 FLAGS', '8 nz-number'],
    [`a FETCH 1 (${'BODY[] '.repeat(256)}UID)`, '10 at most 256 items'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input.slice(0, 80));
  t.match(
    parsed(parseCommand, `a FETCH 1 (${'UID '.repeat(255)}UID)`),
    { set: ONE },
    'as many items as are allowed',
  );
});

t.test('SEARCH takes every key', async (t) => {
  const flag = (name: string, isSet = true) => ({ kind: 'flag', flag: `\\${name}`, isSet });
  const day = { year: 2026, month: 2, day: 1 };
  const cases: readonly [keys: string, expected: unknown][] = [
    ['ALL', { kind: 'all' }],
    ['ANSWERED', flag('Answered')],
    ['BCC x', { kind: 'envelope', field: 'bcc', text: 'x' }],
    ['BEFORE 1-Feb-2026', { kind: 'internalDate', comparison: 'before', date: day }],
    ['BODY "a b"', { kind: 'body', text: 'a b' }],
    ['CC x', { kind: 'envelope', field: 'cc', text: 'x' }],
    ['DELETED', flag('Deleted')],
    ['DRAFT', flag('Draft')],
    ['EMAILID M1-aF_9', { kind: 'emailId', id: 'M1-aF_9' }],
    ['FLAGGED', flag('Flagged')],
    ['FROM {2}\r\n\xc3\xa4', { kind: 'envelope', field: 'from', text: '\xc3\xa4' }],
    ['HEADER Message-ID <a@b>', { kind: 'header', field: 'Message-ID', text: '<a@b>' }],
    ['HEADER X-Foo ""', { kind: 'header', field: 'X-Foo', text: '' }],
    ['KEYWORD $Junk', { kind: 'keyword', keyword: '$Junk', isSet: true }],
    ['LARGER 5000000000', { kind: 'larger', octets: 5_000_000_000 }],
    ['MODSEQ 0', { kind: 'modSeq', atLeast: 0 }],
    ['MODSEQ "/flags/\\\\draft" all 620162338', { kind: 'modSeq', atLeast: 620_162_338 }],
    ['NEW', { kind: 'and', keys: [flag('Recent'), flag('Seen', false)] }],
    ['NOT SEEN', { kind: 'not', key: flag('Seen') }],
    ['OLD', flag('Recent', false)],
    ['OLDER 60', { kind: 'older', seconds: 60 }],
    ['ON "1-Feb-2026"', { kind: 'internalDate', comparison: 'on', date: day }],
    ['OR SEEN 1', { kind: 'or', left: flag('Seen'), right: { kind: 'numbers', set: ONE } }],
    ['RECENT', flag('Recent')],
    ['SAVEDATESUPPORTED', { kind: 'all' }],
    ['SAVEDBEFORE 1-Feb-2026', { kind: 'savedDate', comparison: 'before', date: day }],
    ['savedon 1-Feb-2026', { kind: 'savedDate', comparison: 'on', date: day }],
    ['SAVEDSINCE "1-Feb-2026"', { kind: 'savedDate', comparison: 'since', date: day }],
    ['SEEN', flag('Seen')],
    ['SENTBEFORE 1-Feb-2026', { kind: 'sentDate', comparison: 'before', date: day }],
    ['SENTON 1-Feb-2026', { kind: 'sentDate', comparison: 'on', date: day }],
    ['SENTSINCE 1-Feb-2026', { kind: 'sentDate', comparison: 'since', date: day }],
    ['SINCE 1-Feb-2026', { kind: 'internalDate', comparison: 'since', date: day }],
    ['SMALLER 0', { kind: 'smaller', octets: 0 }],
    ['SUBJECT x', { kind: 'envelope', field: 'subject', text: 'x' }],
    ['TEXT x', { kind: 'text', text: 'x' }],
    ['THREADID T1', { kind: 'threadId', id: 'T1' }],
    ['TO x', { kind: 'envelope', field: 'to', text: 'x' }],
    ['UID 1', { kind: 'uids', set: ONE }],
    ['UNANSWERED', flag('Answered', false)],
    ['UNDELETED', flag('Deleted', false)],
    ['UNDRAFT', flag('Draft', false)],
    ['UNFLAGGED', flag('Flagged', false)],
    ['UNKEYWORD x', { kind: 'keyword', keyword: 'x', isSet: false }],
    ['unseen', flag('Seen', false)],
    ['YOUNGER 60', { kind: 'younger', seconds: 60 }],
    ['1,*', { kind: 'numbers', set: [...ONE, { first: '*', last: '*' }] }],
    ['*', { kind: 'numbers', set: [{ first: '*', last: '*' }] }],
    ['(SEEN)', flag('Seen')],
    [
      'SEEN (1 (OLD))',
      {
        kind: 'and',
        keys: [flag('Seen'), { kind: 'and', keys: [{ kind: 'numbers', set: ONE }, flag('Recent', false)] }],
      },
    ],
    [
      '1:3 NOT UID 1',
      {
        kind: 'and',
        keys: [
          { kind: 'numbers', set: [{ first: 1, last: 3 }] },
          { kind: 'not', key: { kind: 'uids', set: ONE } },
        ],
      },
    ],
  ];
  for (const [keys, key] of cases) t.same(parsed(parseCommand, `a UID SEARCH ${keys}`), { key }, keys);
});

t.test('SEARCH takes a charset and return options, and refuses the rest', async (t) => {
  const all = { key: { kind: 'all' } };
  const cases: readonly [input: string, expected: unknown][] = [
    ['a SEARCH CHARSET utf-8 ALL', { ...all, charset: 'UTF-8' }],
    ['a SEARCH CHARSET "US-ASCII" ALL', { ...all, charset: 'US-ASCII' }],
    ['a SEARCH RETURN () ALL', { ...all, returns: ['ALL'] }],
    ['a SEARCH return (min Max) CHARSET x ALL', { ...all, charset: 'X', returns: ['MIN', 'MAX'] }],
    [
      'a SEARCH RETURN (SAVE COUNT) $',
      { ...all, key: { kind: 'numbers', set: '$' }, returns: ['SAVE', 'COUNT'] },
    ],
    ['a UID SEARCH UID $', { ...all, key: { kind: 'uids', set: '$' } }],
    ['a SEARCH $,1', '10 CRLF'],
    ['a SEARCH RETURN (PARTIAL 1:5) ALL', '17 search-return-opt'],
    ['a SEARCH RETURN (MIN)ALL', '21 SP'],
    ['a SEARCH RETURN ALL', '16 "("'],
    ['a SEARCH CHARSET UTF-8', '22 SP'],
    ['a SEARCH CHARSET UTF-8 CHARSET UTF-8 ALL', '23 search-key'],
    ['a SEARCH ALL RETURN ()', '13 search-key'],
    ['a SEARCH', '8 SP'],
    ['a SEARCH ', '9 search-key'],
    ['a SEARCH FOO', '9 search-key'],
    ['a SEARCH ALL FOO', '13 search-key'],
    ['a SEARCH NOT', '12 SP'],
    ['a SEARCH OR ALL', '15 SP'],
    ['a SEARCH ()', '10 search-key'],
    ['a SEARCH (ALL', '13 SP or ")"'],
    ['a SEARCH ALL)', '12 CRLF'],
    ['a SEARCH FROM', '13 SP'],
    ['a SEARCH FROM ', '14 astring'],
    ['a SEARCH HEADER x', '17 SP'],
    ['a SEARCH SINCE 1-Foo-2026', '15 date'],
    ['a SEARCH KEYWORD \\Seen', '17 atom'],
    ['a SEARCH OLDER 0', '15 nz-number'],
    ['a SEARCH MODSEQ "/flags/x" foo 1', '27 entry-type-req'],
    ['a SEARCH EMAILID a.b', '17 objectid'],
    ['a SEARCH EMAILID "ab"', '17 objectid'],
    [`a SEARCH THREADID ${'x'.repeat(256)}`, '18 objectid'],
    ['a SEARCH SAVEDON 30-Feb-2026', '17 date'],
    ['a SEARCH SAVEDBEFORE', '20 SP'],
    ['a SEARCH 0', '9 nz-number'],
  ];
  for (const [input, expected] of cases) t.same(parsed(parseCommand, input), expected, input);
});

t.test('SEARCH bounds nesting and the number of keys', async (t) => {
  const error = (input: string) => {
    const found = parsed(parseCommand, input);
    return typeof found === 'string' ? found.replace(/^\d+ /, '') : 'parsed';
  };
  t.equal(error(`a SEARCH ${'NOT '.repeat(500)}ALL`), 'parsed');
  t.equal(error(`a SEARCH ${'NOT '.repeat(501)}ALL`), 'at most 500 nested search keys');
  t.equal(error(`a SEARCH ${'OR '.repeat(20_000)}`), 'at most 500 nested search keys');
  t.equal(error(`a SEARCH ${'('.repeat(60_000)}`), 'at most 500 nested search keys');
  t.equal(error(`a SEARCH ${'(ALL '.repeat(500)}ALL${')'.repeat(500)}`), 'parsed');
  t.equal(error(`a SEARCH ${'(ALL '.repeat(501)}ALL${')'.repeat(501)}`), 'at most 500 nested search keys');
  t.equal(error(`a SEARCH ALL${' ALL'.repeat(4999)}`), 'parsed');
  t.equal(error(`a SEARCH ALL${' ALL'.repeat(5000)}`), 'at most 5000 search keys');
});

/** The events of `text` and what APPEND's parsers make of them. */
function appended(text: string): unknown {
  const framer = createCommandFramer({ isStreamedLiteral: isAppendMessage });
  framer.push(latin1(text));
  const found: unknown[] = [];
  let message: AppendMessage | undefined;
  for (let event = framer.next(); event !== undefined; event = framer.next()) {
    message = appendStep(event, message, found);
    framer.acceptLiteral();
  }
  return found;
}

function appendStep(event: FrameEvent, message: AppendMessage | undefined, found: unknown[]) {
  if (event.kind === 'literalData') found.push(event.octets.toString('latin1'));
  if (event.kind !== 'literalStart' && event.kind !== 'commandEnd') return message;
  const decoder = new CommandDecoder(event.segments);
  try {
    if (event.kind === 'commandEnd') {
      if (message !== undefined) parseAppendEnd(decoder, message);
      found.push('end');
      return message;
    }
    if (event.isFirst) parseCommandHead(decoder);
    const { mailbox, message: next } =
      message === undefined
        ? parseAppend(decoder)
        : { mailbox: undefined, message: parseAppendNext(decoder, message) };
    const { flags, internalDate, literal, isUtf8 } = next;
    found.push(
      plain({ mailbox, flags, zone: internalDate?.zoneMinutes, octets: literal.octetCount, isUtf8 }),
    );
    return next;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    found.push(`${error.offset} ${error.expected}`);
    return message;
  }
}

t.test('APPEND takes flags and a date before each message', async (t) => {
  const none = { system: [], keywords: [] };
  const first = { mailbox: 'INBOX', flags: none, octets: 2, isUtf8: false };
  const cases: readonly [input: string, expected: unknown][] = [
    ['a APPEND inbox {2}\r\nhi\r\n', [first, 'hi', 'end']],
    ['a APPEND {5}\r\ninbox {2+}\r\nhi\r\n', [first, 'hi', 'end']],
    [
      'a APPEND inbox (\\Seen x) " 1-Jan-2024 00:00:00 +0100" ~{2+}\r\nhi\r\n',
      [{ ...first, flags: { system: ['\\Seen'], keywords: ['x'] }, zone: 60 }, 'hi', 'end'],
    ],
    [
      'a APPEND inbox {2+}\r\nhi () {1+}\r\nx\r\n',
      [first, 'hi', { flags: none, octets: 1, isUtf8: false }, 'x', 'end'],
    ],
    ['a APPEND inbox UTF8 (~{2+}\r\nhi)\r\n', [{ ...first, isUtf8: true }, 'hi', 'end']],
    [
      'a APPEND inbox utf8 (~{2+}\r\nhi) {1+}\r\nx\r\n',
      [{ ...first, isUtf8: true }, 'hi', { flags: none, octets: 1, isUtf8: false }, 'x', 'end'],
    ],
    ['a APPEND inbox UTF8 (~{2+}\r\nhi\r\n', [{ ...first, isUtf8: true }, 'hi', '30 ")"']],
    ['a APPEND inbox {2+}\r\nhi x\r\n', [first, 'hi', '23 CRLF']],
    ['a APPEND inbox {2+}\r\nhi{1+}\r\nx\r\n', [first, 'hi', '23 SP', 'x', 'end']],
    ['a APPEND inbox "1-Foo-2024 00:00:00 +0100" {2+}\r\nhi\r\n', ['15 date-time', 'hi', 'end']],
    [
      'a APPEND inbox (\\Recent) {2+}\r\nhi\r\n',
      ['16 \\Answered, \\Flagged, \\Deleted, \\Seen, \\Draft or a keyword', 'hi', 'end'],
    ],
    ['a APPEND inbox foo {2+}\r\nhi\r\n', ['15 literal', 'hi', 'end']],
    ['a APPEND inbox  {2+}\r\nhi\r\n', ['15 literal', 'hi', 'end']],
  ];
  for (const [input, expected] of cases) t.same(appended(input), expected, input);
  t.same(parsed(parseCommand, 'a APPEND inbox "hello"'), '15 date-time', 'a message that is no literal');
  t.same(parsed(parseCommand, 'a APPEND inbox '), '15 literal');
  t.same(parsed(parseCommand, 'a APPEND inbox'), '14 SP');
  t.same(parsed(parseCommand, 'a APPEND'), '8 SP');
});

t.test('what real clients send is understood', async (t) => {
  const lines = [
    // fetchmail 6.4
    'A0002 LOGIN "u" "p"',
    'A0003 SELECT "INBOX"',
    'A0004 EXPUNGE',
    'A0005 SEARCH UNSEEN',
    'A0006 FETCH 1:3 RFC822.SIZE',
    'A0007 FETCH 1 RFC822.HEADER',
    'A0008 FETCH 1 BODY.PEEK[TEXT]',
    'A0009 STORE 1 +FLAGS (\\Seen \\Deleted)',
    // getmail 6
    'NMFG3 FETCH 1:3 (UID RFC822.SIZE)',
    'NMFG4 UID FETCH 7 (BODY.PEEK[])',
    'NMFG5 UID STORE 7 FLAGS (\\Deleted \\Seen)',
    // PHP 8.2 (c-client)
    '00000003 UID SEARCH CHARSET UTF-8 UNSEEN SINCE 1-Nov-2026',
    '00000004 FETCH 1,2:3 (UID ENVELOPE BODY.PEEK[HEADER.FIELDS (Newsgroups Content-MD5 Content-Disposition Content-Language Content-Location Followup-To References)] INTERNALDATE RFC822.SIZE FLAGS)',
    '00000005 FETCH 1 (BODYSTRUCTURE INTERNALDATE RFC822.SIZE FLAGS)',
    '00000006 FETCH 1 BODY[2]',
    '00000007 UID STORE 3 +Flags (\\DELETED)',
    // JavaMail 1.6
    'A4 SEARCH UNSEEN ALL',
    'A5 FETCH 1:3 (ENVELOPE INTERNALDATE RFC822.SIZE BODYSTRUCTURE UID)',
    'A6 FETCH 1 (BODY[1]<0.13>)',
    'A7 COPY 1 Processed',
    'A8 CLOSE',
    'A9 AUTHENTICATE PLAIN',
    // Mail::IMAPClient, Net::IMAP::Simple
    '4 UID SEARCH unseen',
    '5 UID FETCH 7 BODY[]',
    '6 UID FETCH 7 (RFC822.SIZE)',
    '7 STATUS "No such" (MESSAGES)',
    '8 STORE 1 +FLAGS.SILENT (\\Deleted)',
    '0 FETCH 1 RFC822',
    // Ruby Net::IMAP (Redmine)
    'RUBY0003 UID SEARCH NOT SEEN',
    'RUBY0004 UID COPY 7 done',
    // imapflow
    '5 NAMESPACE',
    '6 LIST "" "INBOX"',
    '7 LSUB "" "*"',
    '8 UID FETCH 1:3 (UID ENVELOPE BODY.PEEK[])',
    '9 LIST (SPECIAL-USE) "" "*" RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UNSEEN))',
    // Thunderbird, Outlook, Apple Mail
    '12 ID ("name" "Thunderbird" "version" "128.0")',
    '13 UID fetch 1:* (FLAGS)',
    '14 UID fetch 9 (UID RFC822.SIZE BODY.PEEK[1]<393216.393216>)',
    '15 UID FETCH 1:4294967295 (UID FLAGS)',
    '16 ENABLE QRESYNC',
  ];
  for (const line of lines) {
    const found = parsed(parseCommand, line);
    t.not(typeof found, 'string', line);
  }
});

t.test('property: whatever a client sends, nothing but WireError is thrown', async () => {
  const names = Object.keys(PARSERS).concat('UID FETCH', 'UID SEARCH', 'UID STORE', 'UID COPY');
  const word = fc.constantFrom(
    ...'( ) [ ] < > " \\ * % : , . + - ~ { } & = NIL 0 1 4294967296 1:* ALL NOT OR FLAGS BODY[ BODY.PEEK[ HEADER.FIELDS'.split(
      ' ',
    ),
    ...'RETURN CHARSET UTF-8 SINCE 1-Jan-2024 "1-Jan-2024 FROM UID inbox &APw- \\Seen (USE STATUS (QRESYNC TEXT] MIME]'.split(
      ' ',
    ),
    '{3+}\r\na\0b',
    '{2}\r\n""',
    ' ',
    '""',
    '\0',
    '\xff',
  );
  const words = fc.array(fc.oneof(word, fc.string({ maxLength: 6 })), { maxLength: 12 });
  fc.assert(
    fc.property(fc.constantFrom(...names), words, fc.boolean(), (name, words, spaced) => {
      const input = `a ${name}${spaced ? ' ' : ''}${words.join(spaced ? ' ' : '')}`.replaceAll('{}', '');
      const framer = createCommandFramer({ isStreamedLiteral: isAppendMessage });
      framer.push(latin1(`${input}\r\n`));
      for (let event = framer.next(); event !== undefined; event = framer.next()) {
        framer.acceptLiteral();
        if (!('segments' in event)) continue;
        try {
          parseCommand(new CommandDecoder(event.segments));
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          if (!Number.isInteger(error.offset) || error.offset < 0) return false;
        }
      }
      return true;
    }),
    { numRuns: 5000 },
  );
});
