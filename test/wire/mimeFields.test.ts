/** Header fields: addresses, content fields, envelope, subsets; and the line ends, tallies and boundaries below the walker. */

import assert from 'node:assert/strict';

import fc from 'fast-check';
import t from 'tap';

import { parseAddressList } from '../../src/wire/mime/address.ts';
import { createBoundaries, NEEDS_MORE } from '../../src/wire/mime/boundaries.ts';
import { joinedParameter } from '../../src/wire/mime/contentFields.ts';
import { createCrlfConverter, createCrlfCounter } from '../../src/wire/mime/crlf.ts';
import { fieldValues, selectFields, splitHeader, unfold } from '../../src/wire/mime/header.ts';
import { createLineTally, tallyLines, wordView } from '../../src/wire/mime/lineTally.ts';
import type { EnvelopeAddress, FetchEnvelope } from '../../src/wire/mime/structure.ts';
import { octetString } from '../../src/wire/mime/structure.ts';
import { walkMessage } from '../../src/wire/mime/walker.ts';
import { ADDRESS_LISTS, CONTENT_TYPES, ENVELOPES } from './mimeFieldValues.ts';

function octets(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** `name|adl|mailbox|host` for each address, `~` for null. */
function addresses(list: readonly EnvelopeAddress[]): string {
  return list
    .map(({ name, adl, mailbox, host }) => [name, adl, mailbox, host].map((text) => text ?? '~').join('|'))
    .join(', ');
}

/** Octets among which line ends are frequent. */
const lines = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', 'a', '-', '.', 'abcdefgh', '\0', '\xff'), { maxLength: 40 })
  .map((pieces) => octets(pieces.join('')));
const cutLines = lines.chain((content) =>
  fc.tuple(fc.constant(content), fc.array(fc.nat(content.length), { maxLength: 8 })),
);

function pieces(content: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [0, ...[...cuts].sort((a, b) => a - b), content.length];
  return ends.slice(1).map((end, index) => content.subarray(ends[index], end));
}

t.test('address lists are read as ENVELOPE tells them', async (t) => {
  for (const { value, meaning } of ADDRESS_LISTS) {
    t.equal(addresses(parseAddressList(unfold(value))), meaning, JSON.stringify(value));
  }
});

t.test('any text is an address list of which each group ends', async () => {
  const text = fc
    .array(
      fc.constantFrom(
        'a',
        '@',
        '<',
        '>',
        '"',
        '(',
        ')',
        ',',
        ';',
        ':',
        ' ',
        '\\',
        '[',
        ']',
        '.',
        '=?u?q?x?=',
      ),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (value) => {
      let isInGroup = false;
      for (const { name, adl, mailbox, host } of parseAddressList(value)) {
        const isEnd = mailbox === null;
        if (host === null) {
          assert.ok(name === null && adl === null && isEnd === isInGroup);
          isInGroup = !isEnd;
        } else assert.ok(!isEnd);
      }
      assert.equal(isInGroup, false);
    }),
    { numRuns: 3000 },
  );
});

t.test('Content-Type keeps what the message says, and has a type in any case', async (t) => {
  for (const { value, meaning } of CONTENT_TYPES) {
    const { structure } = walkMessage(octets(`Content-Type: ${value}\r\n\r\nbody\r\n`));
    const found = structure.parameters.map((parameter) => `; ${parameter.name}=${parameter.value}`);
    t.equal(`${structure.type}/${structure.subtype}${found.join('')}`, meaning, JSON.stringify(value));
  }
});

t.test('the transfer encoding is one word or 7BIT', async (t) => {
  const table: [value: string, encoding: string][] = [
    ['base64', 'base64'],
    ['BASE64', 'BASE64'],
    ['(c) base64 (d)', 'base64'],
    ['base64;', 'base64'],
    ['"base64"', 'base64'],
    ['x-uuencode', 'x-uuencode'],
    ['8 bit', '7BIT'],
    ['', '7BIT'],
    ['(c)', '7BIT'],
  ];
  for (const [value, wanted] of table) {
    const header = `Content-Type: text/plain\r\nContent-Transfer-Encoding: ${value}\r\n\r\n`;
    t.equal(walkMessage(octets(header)).structure.encoding, wanted, JSON.stringify(value));
  }
});

t.test('a disposition has a type when it has parameters', async (t) => {
  const table: [value: string, disposition: unknown][] = [
    ['inline', { type: 'inline', parameters: [] }],
    ['', null],
    ['; filename=a', { type: 'ATTACHMENT', parameters: [{ name: 'filename', value: 'a' }] }],
    ['"attachment"; filename=a', { type: 'attachment', parameters: [{ name: 'filename', value: 'a' }] }],
    ['attachment filename=a', { type: 'attachment', parameters: [{ name: 'filename', value: 'a' }] }],
  ];
  for (const [value, wanted] of table) {
    const header = `Content-Type: text/plain\r\nContent-Disposition: ${value}\r\n\r\n`;
    t.strictSame(walkMessage(octets(header)).structure.disposition, wanted, JSON.stringify(value));
  }
});

t.test('the envelope is told from the header, absent as null and empty as empty', async (t) => {
  for (const { value, meaning } of ENVELOPES) {
    const { envelope } = walkMessage(octets(`${value}\r\n\r\nbody`));
    const told: Record<string, unknown> = {};
    for (const [member, found] of Object.entries(envelope)) {
      if (found !== null) told[member] = Array.isArray(found) ? addresses(found) : found;
    }
    t.strictSame(told, JSON.parse(meaning), JSON.stringify(value));
  }
});

t.test('an envelope of nothing has no member', async (t) => {
  const nothing: FetchEnvelope = {
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
  t.strictSame(walkMessage(octets('')).envelope, nothing);
});

t.test('RFC 2231 pieces of a parameter are joined', async (t) => {
  const parameters = (pairs: Readonly<Record<string, string>>) =>
    Object.entries(pairs).map(([name, value]) => ({ name: octetString(name), value: octetString(value) }));
  t.equal(joinedParameter(parameters({ BOUNDARY: 'x', 'boundary*0': 'y' }), 'boundary'), 'x');
  t.equal(
    joinedParameter(parameters({ 'boundary*1': 'b', 'boundary*0': 'a', 'boundary*3': 'd' }), 'boundary'),
    'ab',
  );
  t.equal(joinedParameter(parameters({ 'boundary*': "us-ascii'en'%41%2" }), 'boundary'), 'A%2');
  t.equal(
    joinedParameter(parameters({ 'boundary*0*': "us-ascii''%41", 'boundary*1*': "%42'" }), 'boundary'),
    "AB'",
  );
  t.equal(joinedParameter(parameters({ name: 'x' }), 'boundary'), undefined);
});

t.test('HEADER.FIELDS gives the exact octets of the fields asked for, and the blank line', async (t) => {
  const select = (text: string, names: readonly string[], isNot: boolean) =>
    selectFields(octetString(text), new Set(names.map((name) => name.toLowerCase())), isNot);
  const header = 'From: a@b\r\nSUBJECT : x\r\n\ty\r\nbroken line\r\nX-Subject: z\nsubject:w\r\n  \r\n\r\n';
  const table: [names: string[], isNot: boolean, wanted: string][] = [
    [['Subject'], false, 'SUBJECT : x\r\n\ty\r\nsubject:w\r\n  \r\n\r\n'],
    [['sUBJECT', 'from'], false, 'From: a@b\r\nSUBJECT : x\r\n\ty\r\nsubject:w\r\n  \r\n\r\n'],
    [['Subject', 'From'], true, 'broken line\r\nX-Subject: z\n\r\n'],
    [['To'], false, '\r\n'],
    [['To'], true, header],
    [[], false, '\r\n'],
    [['ubject'], false, '\r\n'],
  ];
  for (const [names, isNot, wanted] of table) {
    t.equal(select(header, names, isNot), wanted, `${names.join(' ')} ${isNot}`);
  }
  t.equal(select('A: b\nC: d\n\n', ['c'], false), 'C: d\n\n', 'bare LF');
  t.equal(select('A: b\r\nC: d', ['C'], false), 'C: d', 'no line end, no blank line');
  t.equal(select('', ['C'], true), '');
  t.equal(select('A:\xff', ['a'], false), 'A:\xff', '8-bit');
});

t.test('fields cover the header without gaps, and their values are unfolded', async (t) => {
  const header = splitHeader(octets('A: 1\r\nnothing\r\nB: \xa0 2 \r\n\t3\r\n\r\nbody: no'));
  t.strictSame(
    header.fields.map(({ name }) => name),
    ['a', 'nothing', 'b'],
  );
  t.strictSame(fieldValues(header, 'B'), ['\xa0 2 3'], 'U+00A0 is an octet of a letter, not space');
  t.strictSame(fieldValues(header, 'nothing'), ['']);
  t.strictSame(fieldValues(header, 'body'), [], 'what stands behind the blank line is no field');
  fc.assert(
    fc.property(lines, (content) => {
      const { fields, fieldsEnd } = splitHeader(content);
      let at = 0;
      for (const field of fields) {
        assert.equal(field.start, at);
        assert.ok(field.end > field.start && field.valueStart <= field.end);
        at = field.end;
      }
      assert.equal(at, fieldsEnd);
    }),
  );
});

t.test('POP3 gets CRLF line ends only, counted rightly, whatever the split', async (t) => {
  const table: [content: string, wanted: string][] = [
    ['', ''],
    ['a', 'a\r\n'],
    ['a\r\n', 'a\r\n'],
    ['a\nb\r\nc\rd', 'a\r\nb\r\nc\r\nd\r\n'],
    ['\r\r\n\n', '\r\n\r\n\r\n'],
    ['a\r', 'a\r\n'],
    ['\n', '\r\n'],
  ];
  for (const [content, wanted] of table) {
    const converter = createCrlfConverter();
    const out = Buffer.concat([converter.push(octets(content)), converter.end()]);
    t.equal(out.toString('latin1'), wanted, JSON.stringify(content));
  }
  fc.assert(
    fc.property(cutLines, ([content, cuts]) => {
      const [converter, counter] = [createCrlfConverter(), createCrlfCounter()];
      const out: Buffer[] = [];
      for (const piece of pieces(content, cuts)) {
        out.push(Buffer.from(converter.push(piece)));
        counter.push(piece);
      }
      const converted = Buffer.concat([...out, converter.end()]).toString('latin1');
      const wanted = content
        .toString('latin1')
        .replace(/\r\n|\r|\n/g, '\r\n')
        .replace(/([^\n])$/, '$1\r\n');
      assert.equal(converted, wanted);
      assert.equal(counter.octets, wanted.length);
      assert.equal(walkMessage(content).pop3Octets, wanted.length);
    }),
    { numRuns: 3000 },
  );
  const clean = octets('all\r\nright\r\n');
  t.equal(createCrlfConverter().push(clean), clean, 'a chunk that needs nothing is passed on as it is');
  const converter = createCrlfConverter();
  t.equal(converter.push(octets('a\r')).toString(), 'a\r');
  t.equal(converter.push(new Uint8Array(0)).toString(), '');
  t.equal(
    converter.push(octets('b')).toString(),
    '\nb',
    'a CR at the end of a chunk waits for the next octet',
  );
});

t.test('the line tally counts the same by words and by octets', async () => {
  const shifted = fc.tuple(cutLines, fc.nat(7));
  fc.assert(
    fc.property(shifted, ([[content, cuts], shift]) => {
      // The same octets at another place in memory, so that words begin elsewhere.
      const moved = Buffer.alloc(content.length + shift + 8).subarray(shift, shift + content.length);
      content.copy(moved);
      const tally = createLineTally();
      for (const piece of pieces(moved, cuts)) {
        const view = wordView(piece);
        for (let at = 0; at < piece.length; )
          at = tallyLines(tally, view, at, piece.length, cuts.length % 2 === 0);
      }
      const text = content.toString('latin1');
      const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
      assert.equal(tally.octets, text.length);
      assert.equal(tally.lineFeeds, count(/\n/g));
      assert.equal(tally.returns, count(/\r/g));
      assert.equal(tally.pairs, count(/\r\n/g));
    }),
    { numRuns: 3000 },
  );
});

t.test('the walk stops at each line that begins with a dash', async (t) => {
  const content = octets('-a\r\nbcdef\n-g\nhijk-\r\n\n-\n--\n');
  const view = wordView(content);
  const stops: number[] = [];
  const tally = createLineTally();
  for (let at = 0; at < content.length; ) {
    at = tallyLines(tally, view, at, content.length, true);
    stops.push(at);
  }
  t.strictSame(stops, [10, 21, 23, content.length]);
});

t.test('the longest open boundary counts, and of equal ones the innermost', async (t) => {
  const boundaries = createBoundaries<string>();
  const match = (line: string) => {
    const found = boundaries.match(octets(line), 0, true);
    return found === NEEDS_MORE || found === undefined
      ? found
      : `${found.owner}${found.isClosing ? ' closes' : ''}`;
  };
  boundaries.add('ab', 'outer');
  boundaries.add('abc', 'middle');
  boundaries.add('ab', 'inner');
  boundaries.add('x', 'other');
  t.equal(boundaries.size, 4);
  t.equal(match('--ab'), 'inner');
  t.equal(match('--ab--'), 'inner closes');
  t.equal(match('--abc'), 'middle');
  t.equal(match('--abcd'), 'middle');
  t.equal(match('--a'), undefined);
  t.equal(match('-ab'), undefined);
  t.equal(match('-'), undefined);
  t.equal(match('--x-'), 'other');
  boundaries.removeLast();
  t.equal(match('--x'), undefined);
  boundaries.removeLast();
  t.equal(match('--ab'), 'outer');
  boundaries.removeLast();
  t.equal(match('--abc'), 'outer');
  t.equal(boundaries.match(octets('--a'), 0, false), NEEDS_MORE, 'a beginning has to wait');
  t.equal(boundaries.match(octets('--ab'), 0, false), NEEDS_MORE, 'two dashes may follow');
  t.equal(boundaries.match(octets('-'), 0, false), NEEDS_MORE);
  t.strictSame(boundaries.match(octets('--ab\n'), 0, false), { owner: 'outer', isClosing: false });
  boundaries.clear();
  boundaries.removeLast();
  t.equal(boundaries.size, 0);
  t.equal(match('--ab'), undefined);
});
