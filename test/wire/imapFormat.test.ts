/**
 * Tests of wire/imap's formatters: format.ts, responses.ts, responseCode.ts, envelope.ts, bodyStructure.ts, fetchData.ts,
 * listData.ts, statusData.ts.
 *
 * Structures are written by hand here; what a message's structure is, is wire/mime's to test.
 */

import fc from 'fast-check';
import t from 'tap';

import { unixMs } from '../../src/base/clock.ts';
import { formatBody, formatBodyStructure } from '../../src/wire/imap/bodyStructure.ts';
import type { CommandDecoder } from '../../src/wire/imap/decoder.ts';
import { formatEnvelope } from '../../src/wire/imap/envelope.ts';
import {
  FETCH_END,
  formatBinaryName,
  formatBinarySizeItem,
  formatBinarySizeName,
  formatBinaryStart,
  formatBodyItem,
  formatBodyStructureItem,
  formatEnvelopeItem,
  formatFetch,
  formatFetchStart,
  formatFlagsItem,
  formatInternalDateItem,
  formatModSeqItem,
  formatOctetsItem,
  formatOctetsStart,
  formatSectionName,
  formatSizeItem,
  formatUidItem,
} from '../../src/wire/imap/fetchData.ts';
import {
  encodeOctets,
  formatAstring,
  formatLiteralStart,
  formatNstring,
  formatQuoted,
  formatString,
  formatText,
  QUOTED_LIMIT_CHARS,
} from '../../src/wire/imap/format.ts';
import { formatList, formatLsub } from '../../src/wire/imap/listData.ts';
import * as code from '../../src/wire/imap/responseCode.ts';
import * as response from '../../src/wire/imap/responses.ts';
import { formatQuota, formatQuotaRoot } from '../../src/wire/imap/quotaData.ts';
import { rangesOfNumbers } from '../../src/wire/imap/sequenceSet.ts';
import { formatStatus } from '../../src/wire/imap/statusData.ts';
import { octetString } from '../../src/wire/mime/structure.ts';
import type {
  EnvelopeAddress,
  FetchEnvelope,
  MimePart,
  MultipartPart,
  OctetString,
  PartFields,
  TextPart,
} from '../../src/wire/mime/structure.ts';
import { decoderOf } from './imapDecoding.ts';

t.test('a string is quoted where that is allowed and short, else a literal', async (t) => {
  const cases: readonly [octets: string, expected: string][] = [
    ['', '""'],
    ['plain text', '"plain text"'],
    ['tab\tand\x01', '"tab\tand\x01"'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['"""""', '{5}\r\n"""""'],
    ['a\rb', '{3}\r\na\rb'],
    ['a\nb', '{3}\r\na\nb'],
    ['a\0b', '{3}\r\na\0b'],
    ['\xe4', '{1}\r\n\xe4'],
    ['\xc3\xa4', '{2}\r\n\xc3\xa4'],
    ['x'.repeat(QUOTED_LIMIT_CHARS), `"${'x'.repeat(QUOTED_LIMIT_CHARS)}"`],
    [
      'x'.repeat(QUOTED_LIMIT_CHARS + 1),
      `{${QUOTED_LIMIT_CHARS + 1}}\r\n${'x'.repeat(QUOTED_LIMIT_CHARS + 1)}`,
    ],
  ];
  for (const [octets, expected] of cases) {
    t.equal(formatString(octets), expected, JSON.stringify(octets.slice(0, 20)));
    t.equal(formatNstring(octets), expected);
  }
  t.equal(formatNstring(null), 'NIL');
  t.same(encodeOctets('{1}\r\n\xe4'), Buffer.from([0x7b, 0x31, 0x7d, 0x0d, 0x0a, 0xe4]));
});

t.test('an astring goes bare where it can and never reads NIL', async (t) => {
  const cases: readonly [octets: string, expected: string][] = [
    ['Subject', 'Subject'],
    ['a]b', 'a]b'],
    ['1', '1'],
    ['nil', '"nil"'],
    ['', '""'],
    ['a b', '"a b"'],
    ['a%', '"a%"'],
    ['a\xe4', '{2}\r\na\xe4'],
  ];
  for (const [octets, expected] of cases) t.equal(formatAstring(octets), expected);
  t.equal(formatQuoted('a"\\'), '"a\\"\\\\"');
  t.equal(formatLiteralStart(5), '{5}\r\n');
  t.equal(formatLiteralStart(0), '""');
});

t.test('text for humans is printable and never empty', async (t) => {
  t.equal(formatText('Done'), 'Done');
  t.equal(formatText(''), '-');
  t.equal(formatText('a\r\n* BYE ä😀'), 'a??* BYE ???');
});

/** More numbers than one piece of a response has. */
const MANY = Array.from({ length: 2001 }, (_, index) => index + 1);

t.test('responses are lines', async (t) => {
  const cases: readonly [found: string, expected: string][] = [
    [response.formatTagged('a1', 'OK', 'Done'), 'a1 OK Done\r\n'],
    [
      response.formatTagged('a1', 'NO', 'No such mailbox', 'TRYCREATE'),
      'a1 NO [TRYCREATE] No such mailbox\r\n',
    ],
    [response.formatTagged('a1', 'BAD', ''), 'a1 BAD -\r\n'],
    [response.formatUntagged('BYE', 'Gone'), '* BYE Gone\r\n'],
    [
      response.formatUntagged('OK', 'Ready', code.formatCapabilityCode(['IMAP4rev1', 'IDLE'])),
      '* OK [CAPABILITY IMAP4rev1 IDLE] Ready\r\n',
    ],
    [response.formatContinuation('idling'), '+ idling\r\n'],
    [response.formatContinuation(''), '+ -\r\n'],
    [response.formatChallenge(''), '+ \r\n'],
    [response.formatChallenge('VXNlcm5hbWU6'), '+ VXNlcm5hbWU6\r\n'],
    [response.formatCapability(['IMAP4rev1', 'LITERAL+']), '* CAPABILITY IMAP4rev1 LITERAL+\r\n'],
    [response.formatEnabled([]), '* ENABLED\r\n'],
    [response.formatEnabled(['CONDSTORE']), '* ENABLED CONDSTORE\r\n'],
    [response.formatExists(0), '* 0 EXISTS\r\n'],
    [response.formatRecent(2), '* 2 RECENT\r\n'],
    [response.formatExpunge(3), '* 3 EXPUNGE\r\n'],
    [response.formatVanished(rangesOfNumbers([4, 5, 7]), false), '* VANISHED 4:5,7\r\n'],
    [response.formatVanished(rangesOfNumbers([1]), true), '* VANISHED (EARLIER) 1\r\n'],
    [response.formatFlags(['\\Seen', 'x']), '* FLAGS (\\Seen x)\r\n'],
    [[...response.formatFound('SEARCH', [])].join(''), '* SEARCH\r\n'],
    [[...response.formatFound('SORT', [84, 2])].join(''), '* SORT 84 2\r\n'],
    [[...response.formatFound('SEARCH', [2], 917)].join(''), '* SEARCH 2 (MODSEQ 917)\r\n'],
    [[...response.formatFound('SEARCH', [], 917)].join(''), '* SEARCH\r\n'],
    [[...response.formatFound('SEARCH', MANY)].join(''), `* SEARCH ${MANY.join(' ')}\r\n`],
    [
      [...response.formatEsearch('a"1', false, { count: 0, all: [] })].join(''),
      '* ESEARCH (TAG "a\\"1") COUNT 0\r\n',
    ],
    [
      [...response.formatEsearch('a', true, { min: 1, max: 9, count: 4, all: [1, 2, 3, 9], modSeq: 7 })].join(
        '',
      ),
      '* ESEARCH (TAG "a") UID MIN 1 MAX 9 COUNT 4 ALL 1:3,9 MODSEQ 7\r\n',
    ],
    [
      [...response.formatEsearch('a', false, { all: MANY.map((number) => 2 * number) })].join(''),
      `* ESEARCH (TAG "a") ALL ${MANY.map((number) => 2 * number).join(',')}\r\n`,
    ],
    [response.formatNamespace('/'), '* NAMESPACE (("" "/")) NIL NIL\r\n'],
    [response.formatNamespace('\\'), '* NAMESPACE (("" "\\\\")) NIL NIL\r\n'],
    [response.formatId(new Map()), '* ID NIL\r\n'],
    [
      response.formatId(
        new Map([
          ['name', 'Hauspost'],
          ['version', null],
        ]),
      ),
      '* ID ("name" "Hauspost" "version" NIL)\r\n',
    ],
    [code.formatBadCharset(['UTF-8', 'US-ASCII']), 'BADCHARSET (UTF-8 US-ASCII)'],
    [code.formatPermanentFlags(['\\Seen', '\\*']), 'PERMANENTFLAGS (\\Seen \\*)'],
    [code.formatUidNext(8), 'UIDNEXT 8'],
    [code.formatUidValidity(9), 'UIDVALIDITY 9'],
    [code.formatFirstUnseen(3), 'UNSEEN 3'],
    [code.formatAppendUid(9, [4]), 'APPENDUID 9 4'],
    [code.formatCopyUid(9, [1, 2, 5], [7, 8, 9]), 'COPYUID 9 1:2,5 7:9'],
    [code.formatHighestModSeq(12), 'HIGHESTMODSEQ 12'],
    [code.formatMailboxId('Fab_9-'), 'MAILBOXID (Fab_9-)'],
    [code.formatModified([7, 9]), 'MODIFIED 7,9'],
    [
      formatList({
        attributes: ['\\HasNoChildren', '\\Sent'],
        delimiter: '/',
        name: 'Gesendet/Äpfel & "Birnen"',
      }),
      '* LIST (\\HasNoChildren \\Sent) "/" "Gesendet/&AMQ-pfel &- \\"Birnen\\""\r\n',
    ],
    [formatList({ attributes: ['\\Noselect'], delimiter: '/', name: '' }), '* LIST (\\Noselect) "/" ""\r\n'],
    [
      formatList({ attributes: [], delimiter: undefined, name: 'a', childInfo: ['SUBSCRIBED'] }),
      '* LIST () NIL "a" ("CHILDINFO" ("SUBSCRIBED"))\r\n',
    ],
    [formatQuota('a b', [{ name: 'STORAGE', usage: 3, limit: 4 }]), '* QUOTA "a b" (STORAGE 3 4)\r\n'],
    [formatQuota('', []), '* QUOTA "" ()\r\n'],
    [formatQuotaRoot('ä', ['', 'x']), '* QUOTAROOT "&AOQ-" "" x\r\n'],
    [formatQuotaRoot('INBOX', []), '* QUOTAROOT "INBOX"\r\n'],
    [formatLsub({ attributes: [], delimiter: '.', name: 'INBOX' }), '* LSUB () "." "INBOX"\r\n'],
    [
      formatStatus(
        'a b',
        new Map<'UNSEEN' | 'MESSAGES' | 'MAILBOXID', number | string>([
          ['UNSEEN', 1],
          ['MESSAGES', 2],
          ['MAILBOXID', '(F1)'],
        ]),
      ),
      '* STATUS "a b" (UNSEEN 1 MESSAGES 2 MAILBOXID (F1))\r\n',
    ],
  ];
  for (const [found, expected] of cases) t.equal(found, expected);
});

function address(
  name: string | null,
  adl: string | null,
  mailbox: string | null,
  host: string | null,
): EnvelopeAddress {
  const octets = (text: string | null) => (text === null ? null : octetString(text));
  return { name: octets(name), adl: octets(adl), mailbox: octets(mailbox), host: octets(host) };
}

const NO_ENVELOPE: FetchEnvelope = {
  date: null,
  subject: null,
  from: null,
  sender: null,
  replyTo: null,
  to: null,
  cc: null,
  bcc: null,
  inReplyTo: null,
  messageId: null,
};

t.test('an envelope has ten fields in their order', async (t) => {
  t.equal(formatEnvelope(NO_ENVELOPE), '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)');
  const ann = [address('Ann "A" Bee', null, 'ann', 'example.com')];
  const group = [
    address(null, null, 'friends', null),
    address(null, '@a,@b', 'bob', 'example.com'),
    address(null, null, null, null),
  ];
  const envelope: FetchEnvelope = {
    date: octetString('Wed, 17 Jul 1996 02:23:25 -0700 (PDT)'),
    subject: octetString('=?utf-8?Q?=C3=A4?= and raw \xe4'),
    from: ann,
    sender: ann,
    replyTo: ann,
    to: group,
    cc: [...ann, ...ann],
    bcc: [],
    inReplyTo: octetString(''),
    messageId: octetString('<B27397-0100000@cac.washington.edu>'),
  };
  const annText = '("Ann \\"A\\" Bee" NIL "ann" "example.com")';
  t.equal(
    formatEnvelope(envelope),
    `("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" {28}\r\n=?utf-8?Q?=C3=A4?= and raw \xe4 (${annText}) (${annText}) (${annText}) ` +
      `((NIL NIL "friends" NIL)(NIL "@a,@b" "bob" "example.com")(NIL NIL NIL NIL)) (${annText}${annText}) NIL "" ` +
      `"<B27397-0100000@cac.washington.edu>")`,
  );
});

function fields(type: string, subtype: string, octets: number, more: Partial<PartFields> = {}): PartFields {
  return {
    headerStart: 0,
    bodyStart: 100,
    bodyEnd: 100 + octets,
    type: octetString(type),
    subtype: octetString(subtype),
    parameters: [],
    id: null,
    description: null,
    encoding: octetString('7BIT'),
    md5: null,
    disposition: null,
    languages: null,
    location: null,
    ...more,
  };
}

function parameter(name: string, value: string): { name: OctetString; value: OctetString } {
  return { name: octetString(name), value: octetString(value) };
}

function textPart(octets: number, lines: number, more?: Partial<PartFields>): TextPart {
  const charset = [parameter('charset', 'us-ascii')];
  return { ...fields('text', 'plain', octets, { parameters: charset, ...more }), kind: 'text', lines };
}

t.test('a body structure has the fields of its kind, extension data only in BODYSTRUCTURE', async (t) => {
  const text = textPart(1152, 23);
  t.equal(formatBody(text), '("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 1152 23)');
  t.equal(
    formatBodyStructure(text),
    '("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 1152 23 NIL NIL NIL NIL)',
  );
  const leaf: MimePart = {
    ...fields('IMAGE', 'png', 4554, {
      parameters: [parameter('name', 'a"b.png'), parameter('name*0*', "utf-8''%C3%A4")],
      id: octetString('<1@x>'),
      description: octetString('Bild \xe4'),
      encoding: octetString('base64'),
      md5: octetString('Q2hlY2s='),
      disposition: { type: octetString('attachment'), parameters: [parameter('filename', 'a.png')] },
      languages: [octetString('de'), octetString('en')],
      location: octetString('http://x/'),
    }),
    kind: 'leaf',
  };
  const leafBody =
    '"IMAGE" "png" ("name" "a\\"b.png" "name*0*" "utf-8\'\'%C3%A4") "<1@x>" {6}\r\nBild \xe4 "base64" 4554';
  t.equal(formatBody(leaf), `(${leafBody})`);
  t.equal(
    formatBodyStructure(leaf),
    `(${leafBody} "Q2hlY2s=" ("attachment" ("filename" "a.png")) ("de" "en") "http://x/")`,
  );
  const bare: MimePart = {
    ...fields('application', 'x', 0, { disposition: { type: octetString('inline'), parameters: [] } }),
    kind: 'leaf',
  };
  t.equal(formatBodyStructure(bare), '("application" "x" NIL NIL NIL "7BIT" 0 NIL ("inline" NIL) NIL NIL)');
});

t.test('parts of a multipart and an embedded message stand inside', async (t) => {
  const mixed: MultipartPart = {
    ...fields('multipart', 'mixed', 9, { parameters: [parameter('boundary', 'b')] }),
    kind: 'multipart',
    parts: [textPart(1, 1), textPart(2, 2)],
  };
  const first = '"text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 1 1';
  const second = '"text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 2 2';
  t.equal(formatBody(mixed), `((${first})(${second}) "mixed")`);
  const mixedStructure = `((${first} NIL NIL NIL NIL)(${second} NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`;
  t.equal(formatBodyStructure(mixed), mixedStructure);
  const message: MimePart = {
    ...fields('message', 'rfc822', 300),
    kind: 'message',
    lines: 12,
    message: { structure: mixed, envelope: NO_ENVELOPE },
  };
  const head = '"message" "rfc822" NIL NIL NIL "7BIT" 300 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)';
  t.equal(formatBody(message), `(${head} ((${first})(${second}) "mixed") 12)`);
  t.equal(formatBodyStructure(message), `(${head} ${mixedStructure} 12 NIL NIL NIL NIL)`);
});

t.test('FETCH lines are put together from items', async (t) => {
  const whole = { part: [], text: undefined };
  const names = { kind: 'headerFields', fields: ['From', 'X Y'], isInverted: false } as const;
  t.equal(formatFetch(7, [formatUidItem(9), formatFlagsItem([])]), '* 7 FETCH (UID 9 FLAGS ())\r\n');
  t.equal(formatFetchStart(7) + FETCH_END, '* 7 FETCH ()\r\n');
  const cases: readonly [found: string, expected: string][] = [
    [formatFlagsItem(['\\Seen', 'x']), 'FLAGS (\\Seen x)'],
    [formatSizeItem(5_000_000_000), 'RFC822.SIZE 5000000000'],
    [formatModSeqItem(12), 'MODSEQ (12)'],
    [
      formatInternalDateItem({ at: unixMs(Date.UTC(2026, 10, 3, 4, 5, 6)), zoneMinutes: 60 }),
      'INTERNALDATE " 3-Nov-2026 05:05:06 +0100"',
    ],
    [formatEnvelopeItem(formatEnvelope(NO_ENVELOPE)), 'ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)'],
    [formatBodyItem(textPart(1, 1)), 'BODY ("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 1 1)'],
    [
      formatBodyStructureItem(formatBodyStructure({ ...fields('a', 'b', 0), kind: 'leaf' })),
      'BODYSTRUCTURE ("a" "b" NIL NIL NIL "7BIT" 0 NIL NIL NIL NIL)',
    ],
    [formatSectionName(whole, undefined), 'BODY[]'],
    [formatSectionName(whole, 0), 'BODY[]<0>'],
    [formatSectionName({ part: [1, 2], text: names }, 5), 'BODY[1.2.HEADER.FIELDS (From "X Y")]<5>'],
    [formatBinaryName([1, 2], undefined), 'BINARY[1.2]'],
    [formatBinaryName([], 3), 'BINARY[]<3>'],
    [formatBinarySizeItem(formatBinarySizeName([1]), 30), 'BINARY.SIZE[1] 30'],
    [formatBinaryStart('BINARY[]', 2, true), 'BINARY[] ~{2}\r\n'],
    [formatBinaryStart('BINARY[]', 2, false), 'BINARY[] {2}\r\n'],
    [formatBinaryStart('BINARY[]', 0, false), 'BINARY[] ""'],
    [formatOctetsStart('BODY[]', 150_000_000), 'BODY[] {150000000}\r\n'],
    [formatOctetsStart('BODY[]<0>', 0), 'BODY[]<0> ""'],
    [formatOctetsItem('RFC822.HEADER', 'a\xe4\r\n'), 'RFC822.HEADER {4}\r\na\xe4\r\n'],
    [formatOctetsItem('BODY[9]', null), 'BODY[9] NIL'],
    [formatOctetsItem('BODY[9]', ''), 'BODY[9] ""'],
  ];
  for (const [found, expected] of cases) t.equal(found, expected);
});

/** Reads nstrings and lists of them, as a client does. */
function readValue(decoder: CommandDecoder): unknown {
  if (decoder.peek() !== 0x28) return decoder.nstring()?.toString('latin1') ?? null;
  decoder.special('(');
  const values: unknown[] = [];
  for (;;) {
    values.push(readValue(decoder));
    if (decoder.accept(0x29)) return values;
    if (decoder.peek() !== 0x28) decoder.sp();
  }
}

t.test('property: a client reads from an envelope what was put in', async () => {
  const octets = fc
    .uint8Array({ maxLength: 20 })
    .map((array) => octetString(Buffer.from(array.filter((octet) => octet !== 0)).toString('latin1')));
  const field = fc.option(octets);
  const addresses = fc.option(
    fc.array(fc.record({ name: field, adl: field, mailbox: field, host: field }), {
      minLength: 1,
      maxLength: 3,
    }),
  );
  const envelopes = fc.record({
    date: field,
    subject: field,
    from: addresses,
    sender: addresses,
    replyTo: addresses,
    to: addresses,
    cc: addresses,
    bcc: addresses,
    inReplyTo: field,
    messageId: field,
  });
  fc.assert(
    fc.property(envelopes, (envelope) => {
      const plain = Object.values(envelope).map((value) =>
        Array.isArray(value)
          ? value.map(({ name, adl, mailbox, host }) => [name, adl, mailbox, host])
          : value,
      );
      return JSON.stringify(readValue(decoderOf(formatEnvelope(envelope)))) === JSON.stringify(plain);
    }),
  );
});
