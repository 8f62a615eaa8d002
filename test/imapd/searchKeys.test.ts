/** What SEARCH finds, over sockets: nothing, charsets, decoded text, dates, combinations, empty mailboxes (points 73 to 78 of the checklist). */

import assert from 'node:assert/strict';

import fc from 'fast-check';
import t from 'tap';
import type { Test } from 'tap';

import type { UnixMs } from '../../src/base/clock.ts';
import type { ContentId, ModSeq, Uid } from '../../src/base/ids.ts';
import { flagTestOf } from '../../src/imapd/flagCriterion.ts';
import { meets } from '../../src/imapd/searchCriterion.ts';
import type { Criterion } from '../../src/imapd/searchCriterion.ts';
import { outcome, told } from './answers.ts';
import { openImapSite } from './harness.ts';
import type { RawClient } from './harness.ts';

const MESSAGES: readonly string[] = [
  'Date: Fri, 9 Feb 2024 23:30:00 -0500\r\nSubject: folded\r\n over lines\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@x>\r\n\r\nplain Body\r\n',
  'Date: broken\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\nContent-Type: text/plain; charset=iso-8859-1\r\n' +
    'Content-Transfer-Encoding: quoted-printable\r\n\r\nna=\r\n=EFve caf=E9\r\n',
  'X-Empty:\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+w5xiZXI8L3A+\r\n',
];

/** Appends MESSAGES on 10, 11 and 12 February and selects them. */
async function selected(t: Test): Promise<RawClient> {
  const site = await openImapSite(t);
  const client = await site.selected('');
  for (const [index, message] of MESSAGES.entries()) {
    const date = `${10 + index}-Feb-2024 23:30:00 -0800`;
    t.match(await outcome(client, `APPEND INBOX "${date}" {${message.length}+}\r\n${message}`), /^OK/);
  }
  return client;
}

async function found(t: Test, client: RawClient, keys: string): Promise<string> {
  return (await told(t, client, `SEARCH ${keys}`)).filter((line) => line.startsWith('SEARCH')).join();
}

t.test(
  'a SEARCH that finds nothing says so, a UID SEARCH tells UIDs, and ESEARCH names its tag',
  async (t) => {
    const client = await selected(t);
    await told(t, client, 'SELECT INBOX');
    t.same(await told(t, client, 'SEARCH SUBJECT nothing'), ['SEARCH']);
    t.same(await told(t, client, 'UID SEARCH SUBJECT nothing'), ['SEARCH']);
    t.match((await told(t, client, 'SEARCH RETURN () SUBJECT nothing'))[0], /^ESEARCH \(TAG "t\d+"\)$/);
    await told(t, client, 'STORE 1 +FLAGS.SILENT (\\Deleted)');
    await told(t, client, 'EXPUNGE');
    t.equal(await found(t, client, 'ALL'), 'SEARCH 1 2');
    t.same(await told(t, client, 'UID SEARCH 1:2'), ['SEARCH 2 3']);
    t.match(
      (await told(t, client, 'UID SEARCH RETURN (ALL) 1:*'))[0],
      /^ESEARCH \(TAG "t\d+"\) UID ALL 2:3$/,
    );
  },
);

t.test(
  'UTF-8, US-ASCII and ISO-8859-1 are charsets of SEARCH, another is NO [BADCHARSET] with those named',
  async (t) => {
    const client = await selected(t);
    await told(t, client, 'SELECT INBOX');
    t.equal(await found(t, client, 'CHARSET UTF-8 SUBJECT {7+}\r\nGr\xc3\xbc\xc3\x9fe'), 'SEARCH 2');
    t.equal(await found(t, client, 'CHARSET us-ascii SUBJECT folded'), 'SEARCH 1');
    t.equal(await found(t, client, 'CHARSET iso-8859-1 SUBJECT {5+}\r\nGr\xfc\xdfe'), 'SEARCH 2');
    t.match(await outcome(client, 'SEARCH CHARSET X-KLINGON ALL'), /^NO \[BADCHARSET \(.*UTF-8.*\)\]/);
    client.send('c SEARCH CHARSET UTF-8 BODY {5}\r\n');
    t.match(await client.line(), /^\+ /);
    client.send('\xc3\x9cber\r\n');
    t.equal(await client.line(), '* SEARCH 3');
  },
);

t.test(
  'texts are found in headers and bodies as a reader sees them, in any case, across folds',
  async (t) => {
    const client = await selected(t);
    await told(t, client, 'SELECT INBOX');
    const table = [
      ['SUBJECT "FOLDED OVER"', '1'],
      ['SUBJECT old', '1'],
      ['FROM {7+}\r\nJ\xc3\xbcrgen', '1'],
      ['CHARSET UTF-8 FROM {7+}\r\nJ\xc3\x9cRGEN', '1'],
      ['BODY "plain body"', '1'],
      ['CHARSET UTF-8 BODY {6+}\r\nna\xc3\xafve', '2'],
      ['CHARSET UTF-8 TEXT {5+}\r\nCAF\xc3\x89', '2'],
      ['CHARSET UTF-8 BODY {5+}\r\n\xc3\xbcber', '3'],
      ['HEADER X-Empty ""', '3'],
      ['HEADER Subject ""', '1 2'],
      ['BODY "=EF"', ''],
      ['TEXT "PHA+w5xi"', ''],
    ] as const;
    for (const [keys, numbers] of table)
      t.equal(await found(t, client, keys), `SEARCH${numbers === '' ? '' : ` ${numbers}`}`, keys);
  },
);

t.test(
  'ON, BEFORE and SINCE go by the internal date in its own zone, SENT* by the Date field, if it is one',
  async (t) => {
    const client = await selected(t);
    await told(t, client, 'SELECT INBOX');
    const table = [
      ['ON 10-Feb-2024', '1'],
      ['SINCE 11-Feb-2024', '2 3'],
      ['BEFORE 11-Feb-2024', '1'],
      ['BEFORE 1-Feb-2024', ''],
      ['SENTON 9-Feb-2024', '1'],
      ['SENTON 10-Feb-2024', ''],
      ['SENTSINCE 1-Jan-1970', '1'],
      ['SENTBEFORE 1-Jan-2100', '1'],
    ] as const;
    for (const [keys, numbers] of table)
      t.equal(await found(t, client, keys), `SEARCH${numbers === '' ? '' : ` ${numbers}`}`, keys);
  },
);

t.test(
  'keys join with AND, OR, NOT and parentheses, sets and sizes count exactly, MODSEQ adds its own',
  async (t) => {
    const client = await selected(t);
    await told(t, client, 'SELECT INBOX');
    await told(t, client, 'STORE 2 +FLAGS.SILENT (\\Flagged Key)');
    const size = MESSAGES[1]?.length ?? 0;
    const table = [
      ['NOT FLAGGED', '1 3'],
      ['OR 1 3', '1 3'],
      ['OR (1:2 FLAGGED) 3', '2 3'],
      ['NOT (OR 1 NOT 2)', '2'],
      ['1:2 KEYWORD key', '2'],
      ['UNKEYWORD Key UID 2:*', '3'],
      ['NEW', '1 2 3'],
      ['OLD', ''],
      ['RECENT UNFLAGGED', '1 3'],
      [`LARGER ${size} SMALLER ${size + 1}`, ''],
      [`LARGER ${size - 1} SMALLER ${size + 1}`, '2'],
    ] as const;
    for (const [keys, numbers] of table)
      t.equal(await found(t, client, keys), `SEARCH${numbers === '' ? '' : ` ${numbers}`}`, keys);
    t.match(await found(t, client, 'MODSEQ 1 FLAGGED'), /^SEARCH 2 \(MODSEQ \d+\)$/);
  },
);

t.test(
  'any SEARCH of an empty mailbox is OK, and a number that is not there is BAD, a UID is not',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('INBOX');
    for (const keys of ['ALL', 'UNSEEN 1:*', 'UID 1:*', 'UID 7', 'NOT UID 7', '*'])
      t.equal(await found(t, client, keys), 'SEARCH', keys);
    await site.put(['INBOX'], 'Subject: x\r\n\r\nx\r\n');
    await told(t, client, 'NOOP');
    for (const keys of ['2', '1:2', 'NOT 7', 'OR 1 2'])
      t.match(await outcome(client, `SEARCH ${keys}`), /^BAD/, keys);
    t.equal(await found(t, client, 'UID 7:9'), 'SEARCH');
  },
);

const NEVER_CHANGES = {
  contentId: 1 as ContentId,
  internalDate: { at: 0 as UnixMs, zoneMinutes: 0 },
  octets: 1,
  pop3Octets: 1,
  savedAt: undefined,
};

t.test('what flags decide is decided alike, by functions and by the criteria themselves', async () => {
  const isSet = fc.boolean();
  const { criterion } = fc.letrec<{ criterion: Criterion }>((tie) => ({
    criterion: fc.oneof(
      { maxDepth: 4 },
      fc.constant({ kind: 'all' as const }),
      fc.record({ kind: fc.constant('systemFlag' as const), bit: fc.constantFrom(1, 2, 4, 8, 16), isSet }),
      fc.record({ kind: fc.constant('recent' as const), isSet }),
      fc.record({ kind: fc.constant('keyword' as const), folded: fc.constantFrom('work', 'other'), isSet }),
      fc.record({
        kind: fc.constant('numbers' as const),
        ranges: fc.constantFrom(
          [],
          [{ first: 2, last: 4 }],
          [
            { first: 1, last: 1 },
            { first: 3, last: 9 },
          ],
        ),
      }),
      fc.record({ kind: fc.constant('modSeq' as const), atLeast: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ kind: fc.constant('not' as const), criterion: tie('criterion') }),
      fc.record({
        kind: fc.constantFrom('some' as const, 'every' as const),
        criteria: fc.array(tie('criterion')),
      }),
    ),
  }));
  const message = fc.record({
    uid: fc.integer({ min: 1, max: 9 }).map((uid) => uid as Uid),
    modSeq: fc.integer({ min: 1, max: 9 }).map((modSeq) => modSeq as ModSeq),
    flags: fc.record({ system: fc.nat(31), keywords: fc.subarray(['Work', 'OTHER', 'third']) }),
  });
  fc.assert(
    fc.property(
      criterion,
      message,
      fc.integer({ min: 1, max: 9 }),
      isSet,
      (asked, flags, number, isRecent) => {
        const entry = { ...flags, ...NEVER_CHANGES };
        const candidate = { number, entry, isRecent, emailId: undefined, answers: [] };
        assert.equal(flagTestOf(asked, () => isRecent)?.(entry, number), meets(asked, candidate));
      },
    ),
    { numRuns: 3000 },
  );
  const size: Criterion = { kind: 'octets', above: 1, below: 9 };
  const inside: Criterion = { kind: 'every', criteria: [{ kind: 'all' }, { kind: 'not', criterion: size }] };
  for (const other of [size, inside])
    assert.equal(
      flagTestOf(other, () => true),
      undefined,
    );
});
