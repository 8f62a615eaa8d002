/** The walker: structure, ranges and sections of odd messages, the same for any split, within time and memory; and its blobs. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import t from 'tap';

import { formatBodyStructure } from '../../src/wire/imap/bodyStructure.ts';
import { formatEnvelope } from '../../src/wire/imap/envelope.ts';
import { ENCODING_VERSION, encodeMessage, openMessage } from '../../src/wire/mime/encoding.ts';
import { MAX_DEPTH, MAX_PARTS } from '../../src/wire/mime/limits.ts';
import { locateInOctets, locatePart, locateSection } from '../../src/wire/mime/section.ts';
import type { SectionText } from '../../src/wire/mime/section.ts';
import type { MimeMessage, MimePart } from '../../src/wire/mime/structure.ts';
import { createMimeWalker, walkMessage } from '../../src/wire/mime/walker.ts';
import { ODD_MIME } from '../support/oddMime.ts';
import { threadMs } from '../support/threadTime.ts';
import { ODD_MESSAGES } from './mimeMessages.ts';

const CORPUS = new URL('../../../shared/corpus/', import.meta.url);
const hasCorpus = existsSync(CORPUS);

function octets(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** A message of the table, with CRLF. */
function oddOctets(message: string): Buffer {
  return octets(message.replaceAll('\n', '\r\n'));
}

function corpus(): [name: string, content: Buffer][] {
  const names = readdirSync(CORPUS).filter((name) => name.endsWith('.eml'));
  return names.map((name) => [name, readFileSync(new URL(name, CORPUS))]);
}

function textOf(content: Buffer, range: { start: number; end: number } | undefined): string | undefined {
  return range === undefined ? undefined : content.toString('latin1', range.start, range.end);
}

function bodyOf(content: Buffer, part: MimePart): string {
  return content.toString('latin1', part.bodyStart, part.bodyEnd);
}

/** Types in lower case, bodies as JSON strings: `multipart/mixed [text/plain "one", message/rfc822 {subject: ...}]`. */
function outline(content: Buffer, part: MimePart): string {
  const type = `${part.type}/${part.subtype}`.toLowerCase();
  switch (part.kind) {
    case 'multipart':
      return `${type} [${part.parts.map((child) => outline(content, child)).join(', ')}]`;
    case 'message': {
      const { envelope, structure } = part.message;
      return `${type} {${envelope.subject ?? '-'}: ${outline(content, structure)}}`;
    }
    case 'text':
    case 'leaf':
      return `${type} ${JSON.stringify(bodyOf(content, part))}`;
  }
}

/** Walks `content` cut at `cuts`. */
function walkInPieces(content: Buffer, cuts: readonly number[]): MimeMessage {
  const walker = createMimeWalker();
  const ends = [...cuts].sort((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, content.length]) {
    // A copy that is overwritten afterwards: chunks are the caller's again when push returns.
    const piece = Uint8Array.prototype.slice.call(content, start, end);
    walker.push(piece);
    piece.fill(0x2d);
    start = end;
  }
  return walker.end();
}

function countLineFeeds(text: string): number {
  return text.split('\n').length - 1;
}

/** What holds for every part of every message. */
function checkPart(content: Buffer, part: MimePart, inside: { start: number; end: number }): void {
  const { headerStart, bodyStart, bodyEnd } = part;
  const isOrdered = inside.start <= headerStart && headerStart <= bodyStart && bodyStart <= bodyEnd;
  assert.ok(isOrdered && bodyEnd <= inside.end, `ranges nest: ${headerStart} ${bodyStart} ${bodyEnd}`);
  assert.ok(part.type !== '' && part.subtype !== '' && part.encoding !== '', 'words are there');
  if (part.kind === 'text' || part.kind === 'message') {
    assert.equal(part.lines, countLineFeeds(bodyOf(content, part)), 'lines are the LFs of the body');
  }
  if (part.kind === 'message') checkPart(content, part.message.structure, { start: bodyStart, end: bodyEnd });
  if (part.kind !== 'multipart') return;
  assert.ok(part.parts.length > 0, 'a multipart has a part');
  let start = bodyStart;
  for (const child of part.parts) {
    checkPart(content, child, { start, end: bodyEnd });
    start = child.bodyEnd;
  }
}

/** Messages made of the pieces that structure depends on, in any order. */
const oddContent = fc
  .array(
    fc.constantFrom(
      'Content-Type: multipart/mixed; boundary=b',
      'Content-Type: multipart/digest; boundary="b1"',
      'Content-Type: multipart/alternative; boundary=--',
      'Content-Type: message/rfc822',
      'Content-Type: text/html',
      'Content-Type: multipart/mixed;\r\n\tboundary=c',
      'Content-Transfer-Encoding: base64',
      'MIME-Version: 1.0',
      'Subject: x',
      '--b',
      '--b--',
      '--b1',
      '--b1--',
      '--c',
      '----',
      '------',
      '-',
      '--',
      '\r\n\r\n',
      '\n\n',
      '\r\n',
      '\n',
      '\r',
      ' ',
      'text',
      '\0',
      ': ',
    ),
    { maxLength: 60 },
  )
  .map((pieces) => octets(pieces.join('')));

t.test('odd messages have the structure that clients can work with', async (t) => {
  for (const { name, message, outline: wanted } of ODD_MESSAGES) {
    const content = oddOctets(message);
    const walked = walkMessage(content);
    t.equal(outline(content, walked.structure), wanted, name);
    checkPart(content, walked.structure, { start: 0, end: content.length });
    t.equal(walked.octets, content.length, `${name}: octets`);
  }
});

t.test('bare LF gives the same structure as CRLF', async (t) => {
  for (const { name, message, outline: wanted } of ODD_MESSAGES) {
    const content = octets(message);
    t.equal(outline(content, walkMessage(content).structure), wanted.replaceAll('\\r\\n', '\\n'), name);
  }
});

t.test('the structure does not depend on how the octets come', async (t) => {
  const cutContent = oddContent.chain((content) =>
    fc.tuple(fc.constant(content), fc.array(fc.nat(content.length), { maxLength: 30 })),
  );
  fc.assert(
    fc.property(cutContent, ([content, cuts]) => {
      assert.deepEqual(walkInPieces(content, cuts), walkMessage(content));
    }),
    { numRuns: 1000 },
  );
  for (const { name, message } of ODD_MESSAGES) {
    const content = oddOctets(message);
    const singly = Array.from({ length: content.length }, (_, index) => index);
    t.strictSame(walkInPieces(content, singly), walkMessage(content), `${name}, octet by octet`);
  }
});

t.test('any octets are a message whose parts nest and whose lines are counted', async () => {
  const any = fc.oneof(
    oddContent,
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(any, (content) => {
      const { structure, octets: counted } = walkMessage(content);
      checkPart(content, structure, { start: 0, end: content.length });
      assert.equal(counted, content.length);
    }),
    { numRuns: 2000 },
  );
});

t.test('the corpus: structure, splits, blobs', { skip: !hasCorpus && 'no corpus here' }, async (t) => {
  for (const [name, content] of corpus()) {
    const walked = walkMessage(content);
    checkPart(content, walked.structure, { start: 0, end: content.length });
    const cuts = Array.from({ length: Math.floor(content.length / 7) }, (_, index) => index * 7);
    t.strictSame(walkInPieces(content, cuts), walked, `${name}, by seven octets`);
    t.strictSame(reopened(walked), walked, `${name}, from its blobs`);
  }
});

t.test('the corpus: outlines', { skip: !hasCorpus && 'no corpus here' }, async (t) => {
  const shape = (part: MimePart): string => {
    if (part.kind === 'multipart') return `${part.subtype}(${part.parts.map(shape).join(' ')})`;
    if (part.kind === 'message') return `rfc822{${shape(part.message.structure)}}`;
    return `${part.type}/${part.subtype}:${part.bodyEnd - part.bodyStart}`.toLowerCase();
  };
  const table: [name: string, shape: string][] = [
    ['delivery-status.eml', 'report(message/delivery-status:194 rfc822{text/plain:11})'],
    ['missing-subtype.eml', 'application/octet-stream:16'],
    ['multipart-no-end-boundary.eml', 'alternative(text/plain:44 text/html:73)'],
    ['simple-embedded-message.eml', 'mixed(text/plain:27 rfc822{text/plain:36})'],
    ['empty-multipart.eml', 'mixed(alternative(text/plain:0) text/plain:85)'],
  ];
  const found = new Map(corpus().map(([name, content]) => [name, shape(walkMessage(content).structure)]));
  for (const [name, wanted] of table) t.equal(found.get(name), wanted, name);
});

t.test('sections are ranges of the content (RFC 3501 section 6.4.5)', async (t) => {
  const inner = 'Subject: inner\n\ninner text\n';
  const signed =
    'Content-Type: multipart/mixed; boundary=i\nSubject: deep\n\n--i\nX: 1\n\nfirst\n--i\nX: 2\n\nsecond\n--i--\n';
  const content = oddOctets(
    `Subject: outer\nContent-Type: multipart/mixed; boundary=o\n\npre\n` +
      `--o\nContent-Type: text/plain\n\none\n` +
      `--o\nContent-Type: message/rfc822\n\n${inner}` +
      `--o\nContent-Type: message/rfc822\n\n${signed}` +
      `--o\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\nplain\n--a\nContent-Type: text/html\n\n<p>\n--a--\n\n--o--\n`,
  );
  const message = walkMessage(content);
  const table: [path: number[], text: SectionText | undefined, wanted: string | undefined][] = [
    [[], undefined, content.toString('latin1').replaceAll('\r\n', '\n')],
    [[], 'HEADER', 'Subject: outer\nContent-Type: multipart/mixed; boundary=o\n\n'],
    [[], 'MIME', undefined],
    [[1], undefined, 'one'],
    [[1], 'MIME', 'Content-Type: text/plain\n\n'],
    [[1], 'HEADER', undefined],
    [[1], 'TEXT', undefined],
    [[1, 1], undefined, undefined],
    [[2], undefined, inner.slice(0, -1)],
    [[2], 'MIME', 'Content-Type: message/rfc822\n\n'],
    [[2], 'HEADER', 'Subject: inner\n\n'],
    [[2], 'TEXT', 'inner text'],
    [[2, 1], undefined, 'inner text'],
    [[2, 1], 'MIME', 'Subject: inner\n\n'],
    [[2, 1], 'HEADER', undefined],
    [[2, 2], undefined, undefined],
    [[2, 1, 1], undefined, undefined],
    [[3], 'HEADER', 'Content-Type: multipart/mixed; boundary=i\nSubject: deep\n\n'],
    [[3], 'TEXT', '--i\nX: 1\n\nfirst\n--i\nX: 2\n\nsecond\n--i--'],
    [[3, 1], undefined, 'first'],
    [[3, 1], 'MIME', 'X: 1\n\n'],
    [[3, 2], undefined, 'second'],
    [[3, 3], undefined, undefined],
    [[4], undefined, '--a\n\nplain\n--a\nContent-Type: text/html\n\n<p>\n--a--\n'],
    [[4], 'HEADER', undefined],
    [[4, 1], 'MIME', '\n'],
    [[4, 2], undefined, '<p>'],
    [[5], undefined, undefined],
    [[0], undefined, undefined],
    [[1.5], undefined, undefined],
    [[-1], undefined, undefined],
  ];
  for (const [path, text, wanted] of table) {
    const found = textOf(content, locateSection(message, path, text))?.replaceAll('\r\n', '\n');
    t.equal(found, wanted, `BODY[${[...path, ...(text === undefined ? [] : [text])].join('.')}]`);
  }
  t.equal(locatePart(message, [3, 2])?.kind, 'text');
  t.equal(locatePart(message, []), undefined);
});

t.test('a message that is not multipart is its own part 1', async (t) => {
  const content = oddOctets('Subject: x\n\nbody\n');
  const message = walkMessage(content);
  t.equal(textOf(content, locateSection(message, [1], undefined)), 'body\r\n');
  t.equal(textOf(content, locateSection(message, [1], 'MIME')), 'Subject: x\r\n\r\n');
  t.equal(locateSection(message, [2], undefined), undefined);
  const forwarded = oddOctets('Content-Type: message/rfc822\n\nSubject: x\n\nbody\n');
  const outer = walkMessage(forwarded);
  t.equal(textOf(forwarded, locateSection(outer, [1], 'HEADER')), 'Subject: x\r\n\r\n');
  t.equal(textOf(forwarded, locateSection(outer, [1, 1], undefined)), 'body\r\n');
});

t.test("the message's own sections are found in its octets as in its structure", async (t) => {
  const checkSame = (content: Uint8Array) => {
    const message = walkMessage(content);
    for (const text of [undefined, 'HEADER', 'TEXT', 'MIME'] as const)
      assert.deepEqual(locateInOctets(content, text), locateSection(message, [], text), `${text}`);
  };
  const lines = fc
    .array(fc.constantFrom('\n', '\r\n', '\r', 'A: b', ' c', '--b', ''))
    .map((all) => all.join(''));
  fc.assert(
    fc.property(lines, (text) => checkSame(octets(text))),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(oddContent, checkSame), { numRuns: 300 });
  for (const { message } of ODD_MESSAGES) {
    checkSame(oddOctets(message));
    checkSame(octets(message));
  }
  for (const [, content] of hasCorpus ? corpus() : []) checkSame(content);
  t.strictSame(locateInOctets(octets('A: b\n\r\nbody'), 'TEXT'), { start: 7, end: 11 });
});

t.test('all fields of a part are told', async (t) => {
  const content = oddOctets(
    'MIME-Version: 1.0\nContent-Type: image/png; name=a\nContent-ID: <a@b>\nContent-ID: <c@d>\n' +
      'Content-Description: a\n picture\nContent-Transfer-Encoding: (c) BASE64 (d)\nContent-MD5: x==\n' +
      'Content-Disposition: attachment; filename="a b"; FILENAME=c\nContent-Language: en, (c) de-DE ,fr; x\n' +
      'Content-Location: http://x/\n y\n\nabc',
  );
  t.strictSame(walkMessage(content).structure, {
    kind: 'leaf',
    headerStart: 0,
    bodyStart: content.length - 3,
    bodyEnd: content.length,
    type: 'image',
    subtype: 'png',
    parameters: [{ name: 'name', value: 'a' }],
    id: '<a@b>',
    description: 'a picture',
    encoding: 'BASE64',
    md5: 'x==',
    disposition: {
      type: 'attachment',
      parameters: [
        { name: 'filename', value: 'a b' },
        { name: 'FILENAME', value: 'c' },
      ],
    },
    languages: ['en', 'de-DE', 'fr'],
    location: 'http://x/ y',
  });
});

t.test('the POP3 octets are those of the content with CRLF line ends', async (t) => {
  const table: [message: string, pop3Octets: number][] = [
    ['', 0],
    ['\r\n', 2],
    ['\n', 2],
    ['\r', 2],
    ['a', 3],
    ['a\r\n\r\nb\r\n', 8],
    ['a\n\nb\n', 8],
    ['a\r\n\r\nb', 8],
    ['a\rb\r\r\n', 8],
  ];
  for (const [message, wanted] of table) {
    t.equal(walkMessage(octets(message)).pop3Octets, wanted, JSON.stringify(message));
  }
});

t.test('blobs decode to what was encoded, and to nothing when they are of another version', async (t) => {
  fc.assert(
    fc.property(oddContent, (content) => {
      const message = walkMessage(content);
      const encoded = encodeMessage(message);
      const opened = openMessage(encoded);
      assert.deepEqual(reopened(message), message);
      assert.deepEqual(encodeMessage(opened ?? message), encoded);
      assert.equal(opened?.envelopeText, formatEnvelope(message.envelope));
      assert.equal(opened?.structureText, formatBodyStructure(message.structure));
    }),
    { numRuns: 500 },
  );
  const message = walkMessage(octets('From: "\xff" <a@b>\r\nSubject: \x80\xff\r\n\r\nx'));
  const { envelope, structure } = encodeMessage(message);
  const decoded = openMessage({ envelope, structure })?.envelope;
  t.strictSame(decoded, message.envelope, 'octets above 127 stay');
  t.equal(decoded?.sender, decoded?.from, 'a sender that is the author is kept once');
  t.strictSame(JSON.parse(JSON.stringify(message)), message, 'plain data');
  const other = Buffer.concat([Buffer.from([99]), envelope.subarray(1)]);
  t.equal(openMessage({ envelope: other, structure }), undefined, 'another version');
  t.equal(openMessage({ envelope, structure: Buffer.alloc(0) }), undefined, 'no octets');
  t.equal(openMessage({ envelope, structure: structure.subarray(0, -1) }), undefined, 'cut');
  t.equal(openMessage({ envelope: envelope.subarray(0, 5), structure }), undefined, 'cut in its head');
  const longer = Buffer.concat([structure, Buffer.from(' ')]);
  t.equal(openMessage({ envelope, structure: longer }), undefined, 'longer');
});

t.test('the version of the blobs is that of their octets', async (t) => {
  const hash = createHash('sha256');
  const messages = [
    ...ODD_MESSAGES.map(({ message }) => oddOctets(message)),
    ...ODD_MIME.map((odd) => odd.octets),
  ];
  for (const message of messages) {
    const { envelope, structure } = encodeMessage(walkMessage(message));
    hash.update(envelope.subarray(1)).update(structure.subarray(1));
  }
  // Other octets, of the walker or of a formatter, are another version: raise ENCODING_VERSION, and write both here.
  t.same([ENCODING_VERSION, hash.digest('hex').slice(0, 16)], [2, '404217a26df0e436']);
});

/** A message from its blobs, as plain data. */
function reopened(message: MimeMessage): MimeMessage | undefined {
  const opened = openMessage(encodeMessage(message));
  if (opened === undefined) return undefined;
  const { structure, envelope, octets, pop3Octets } = opened;
  return { structure, envelope, octets, pop3Octets };
}

/** Milliseconds of processor time for walking `content` so many times in chunks of 64 KiB, the best of two, and at least one. */
function walkingTime(content: Buffer, times: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 2; run += 1) {
    const start = threadMs();
    for (let walk = 0; walk < times; walk += 1) {
      const walker = createMimeWalker();
      for (let at = 0; at < content.length; at += 65_536) walker.push(content.subarray(at, at + 65_536));
      walker.end();
    }
    best = Math.min(best, threadMs() - start);
  }
  return Math.max(best, 1);
}

/** A message of about `size` octets, by the kind of bomb. */
const BOMBS: Readonly<Record<string, (size: number) => string>> = {
  'empty parts': (size) => `Content-Type: multipart/mixed; boundary=b\n\n${'--b\n'.repeat(size / 4)}`,
  'parts with a header': (size) =>
    `Content-Type: multipart/mixed; boundary=b\n\n${'--b\nContent-Type: text/plain; a=b\n\nx\n'.repeat(size / 40)}`,
  'nested messages': (size) => 'Content-Type: message/rfc822\n\n'.repeat(size / 30),
  'nested multiparts': (size) =>
    Array.from(
      { length: size / 50 },
      (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\n\n--b${n}\n`,
    ).join(''),
  'boundaries alike': (size) => {
    const prefix = 'x'.repeat(190);
    const open = Array.from(
      { length: 90 },
      (_, n) => `Content-Type: multipart/mixed; boundary=${prefix}${n}\n\n--${prefix}${n}\n`,
    );
    return `${open.join('')}\n${`--${prefix}\n`.repeat(size / 190)}`;
  },
  'a header line': (size) => `Subject: ${'x'.repeat(size)}\n\n`,
  'header fields': (size) => `${'a:b\n'.repeat(size / 4)}\n`,
  'header lines without colon': (size) => `${'x\n'.repeat(size / 2)}\n`,
  'blank folds': (size) => `Subject: x\n${' \n'.repeat(size / 2)}\n`,
  'spaces in a field': (size) => `Subject: x${' '.repeat(size)}y\n\n`,
  'recipient fields': (size) => `${'To: a\n'.repeat(size / 6)}\n`,
  addresses: (size) => `To: ${'a,'.repeat(size / 2)}\n\n`,
  'groups in groups': (size) => `To: ${'a:'.repeat(size / 2)}\n\n`,
  'open angle brackets': (size) => `To: ${'<a,'.repeat(size / 3)}\n\n`,
  'open comments': (size) => `To: ${'('.repeat(size)}\n\n`,
  'open comments between words': (size) => `To: ${'a (b '.repeat(size / 5)}\n\n`,
  'nested comments': (size) => `To: ${'('.repeat(size / 2)}${')'.repeat(size / 2)}\n\n`,
  'open quotes': (size) => `To: ${'"\\"'.repeat(size / 3)}\n\n`,
  'quotes behind backslashes': (size) => `To: ${'\\"'.repeat(size / 2)}\n\n`,
  'quotes in commas': (size) => `To: ${'"a" ,'.repeat(size / 5)}\n\n`,
  'encoded words that are none': (size) => `To: ${'=?a?q?b,'.repeat(size / 8)}\n\n`,
  'dots and spaces': (size) => `To: ${'a . '.repeat(size / 4)}@b${' . c'.repeat(size / 4)}\n\n`,
  routes: (size) => `To: <${'@a,'.repeat(size / 3)}:b@c>\n\n`,
  parameters: (size) => `Content-Type: image/png${';a=b'.repeat(size / 4)}\n\n`,
  'parameters that are none': (size) => `Content-Type: image/png${'; a'.repeat(size / 3)}\n\n`,
  'open quoted parameters': (size) => `Content-Type: image/png${';a="b'.repeat(size / 5)}\n\n`,
  'continuations of a boundary': (size) =>
    `Content-Type: multipart/mixed${Array.from({ length: size / 15 }, (_, n) => `;boundary*${n}*=%41`).join('')}\n\n`,
  'a boundary without end': (size) =>
    `Content-Type: multipart/mixed; boundary="${'x'.repeat(size)}"\n\n--x\n`,
  languages: (size) => `MIME-Version: 1.0\nContent-Language: ${'en,'.repeat(size / 3)}\n\n`,
  'empty lines': (size) => `\n${'\n'.repeat(size)}`,
  'lines of a dash': (size) => `Content-Type: multipart/mixed; boundary=b\n\n${'-\n'.repeat(size / 2)}`,
  'a body line': (size) => `\n${'x'.repeat(size)}`,
};

t.test('time grows with the octets, not faster, whatever the message', async (t) => {
  const small = 120_000;
  const factor = 10;
  for (const [name, bomb] of Object.entries(BOMBS)) {
    const [short, long] = [octets(bomb(small)), octets(bomb(small * factor))];
    let ratio = Number.POSITIVE_INFINITY;
    // What is quadratic takes a hundred times as long in the quietest of moments, too; what a busy machine did is gone by then. The
    // kernel may count in steps of 4 ms, so that the small one alone would take nothing. A large one makes more garbage than caches
    // hold: beside a loaded machine one took 34 times as long that is not quadratic.
    for (let tries = 0; tries < 10 && ratio >= factor * 5; tries += 1) {
      ratio = Math.min(ratio, (walkingTime(long, 1) * factor) / walkingTime(short, factor));
    }
    t.ok(ratio < factor * 5, `${name}: ${factor} times the octets took ${ratio.toFixed(1)} times as long`);
  }
});

t.test('limits end the looking inside, not the message', async (t) => {
  const deep = octets('Content-Type: message/rfc822\r\n\r\n'.repeat(10_000));
  let depth = 1;
  let part = walkMessage(deep).structure;
  while (part.kind === 'message') {
    part = part.message.structure;
    depth += 1;
  }
  t.equal(depth, MAX_DEPTH, 'depth');
  t.match(part, { kind: 'leaf', type: 'APPLICATION', subtype: 'OCTET-STREAM', bodyEnd: deep.length });

  const wide = octets(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(50_000)}--b--\r\n`,
  );
  const { structure } = walkMessage(wide);
  const parts = structure.kind === 'multipart' ? structure.parts : [];
  t.equal(parts.length, MAX_PARTS - 1, 'parts');
  t.equal(parts[0]?.bodyEnd, (parts[0]?.bodyStart ?? 0) + 1);
  t.equal(parts.at(-1)?.bodyEnd, wide.length, 'the last part has the rest');
  t.equal(structure.bodyEnd, wide.length);

  const long = octets(`Subject: first\r\nX: ${'x'.repeat(3_000_000)}\r\nTo: a@b\r\n\r\nbody`);
  const message = walkMessage(long);
  t.equal(message.envelope.subject, 'first');
  t.equal(message.envelope.to, null, 'a field behind the limit is not told');
  t.equal(textOf(long, locateSection(message, [], 'TEXT')), 'body', 'but it is in the ranges');

  const many = octets(`To: ${'a@b,'.repeat(100_000)}\r\n\r\n`);
  t.equal(walkMessage(many).envelope.to?.length, 10_000, 'addresses');
  const fields = octets(`Content-Type: image/png${';a=b'.repeat(1000)}\r\n\r\n`);
  t.equal(walkMessage(fields).structure.parameters.length, 200, 'parameters');

  const heavy = Array.from(
    { length: 100 },
    () => `--b\r\nContent-Type: image/png; a="${'x'.repeat(500_000)}"\r\n\r\nx\r\n`,
  );
  const weighed = walkMessage(octets(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${heavy.join('')}`));
  const kept = weighed.structure.kind === 'multipart' ? weighed.structure.parts.length : 0;
  t.ok(kept > 20 && kept < 40, `${kept} of 100 heavy headers are kept`);
});

t.test('memory stays bounded while a large message passes', async (t) => {
  const chunk = Buffer.alloc(262_144, 'x');
  const before = process.memoryUsage();
  for (const start of ['\r\n', 'Subject: ', `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n`]) {
    const walker = createMimeWalker();
    walker.push(octets(start));
    for (let count = 0; count < 400; count += 1) walker.push(chunk);
    t.equal(walker.end().octets, start.length + 400 * chunk.length);
  }
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  t.ok(grown < 30_000_000, `${grown} octets more after three times 100 MiB`);
});
