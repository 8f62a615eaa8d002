/** What comes off a message for SEARCH: transfer encodings, charsets, encoded words. */

import fc from 'fast-check';
import t from 'tap';

import { createCharsetDecoder, decodeCharset } from '../../../src/wire/mime/charset.ts';
import { dayOfDateField } from '../../../src/wire/mime/dateField.ts';
import { decodeEncodedWords } from '../../../src/wire/mime/encodedWord.ts';
import { createTransferDecoder, transferEncodingOf } from '../../../src/wire/mime/transferEncoding.ts';

function decode(encoding: string, pieces: readonly Uint8Array[]): string {
  const decoder = createTransferDecoder(encoding);
  const parts = pieces.map((piece) => decoder.push(piece).toString('latin1'));
  return parts.join('') + decoder.end().toString('latin1');
}

function octets(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** `text` cut into pieces of one octet. */
function singly(text: string): Buffer[] {
  return [...text].map(octets);
}

t.test('transfer encodings come off, whatever the pieces', async (t) => {
  const table: [encoding: string, body: string, decoded: string][] = [
    ['base64', 'SGVsbG8s\r\nIHdvcmxkIQ==\r\n', 'Hello, world!'],
    ['BASE64 ', 'SGVs bG8', 'Hello'],
    ['base64', 'SGk=SGk=', 'HiHi'],
    ['base64', 'SGk', 'Hi'],
    ['base64', '-- no --', '\x9e'],
    ['base64', '', ''],
    ['quoted-printable', 'caf=E9 =3d=\r\n joined=\nonce more', 'caf\xe9 = joinedonce more'],
    ['base64', 'SGk=\r\nS', 'Hi'],
    ['base64', 'S=G=kk====', '\x92'],
    ['Quoted-Printable', 'a=ZZ =', 'a=ZZ '],
    ['quoted-printable', '=4', '=4'],
    ['quoted-printable', '=\r', '=\r'],
    ['quoted-printable', '=\rx', '=\rx'],
    ['quoted-printable', 'at the end=', 'at the end'],
    ['quoted-printable', 'a \t\r\nb  \nc =20 \r\nd \re \t', 'a\r\nb\nc  \r\nd \re'],
    ['quoted-printable', 'soft= \t\r\nly= \njoined, = not', 'softlyjoined, = not'],
    ['quoted-printable', `${' '.repeat(1024)}\r\n`, '\r\n'],
    ['quoted-printable', `${' '.repeat(1025)}\r\n`, `${' '.repeat(1025)}\r\n`],
    ['quoted-printable', `=${' '.repeat(2000)}\r\n`, `=${' '.repeat(2000)}\r\n`],
    ['quoted-printable', '==41', '=A'],
    ['7bit', 'a=41', 'a=41'],
    ['x-unknown', 'SGk=', 'SGk='],
  ];
  for (const [encoding, body, decoded] of table) {
    t.equal(decode(encoding, [octets(body)]), decoded, `${encoding}: ${JSON.stringify(body)}`);
    t.equal(decode(encoding, singly(body)), decoded, `${encoding}, octet by octet: ${JSON.stringify(body)}`);
  }
});

t.test('a decoder gives the same octets for any cut', async () => {
  const body = fc.string({
    unit: fc.constantFrom('=', '4', '1', '\r', '\n', 'A', '/', 'g', ' ', '\t', ' '.repeat(1020)),
    maxLength: 60,
  });
  fc.assert(
    fc.property(body, fc.nat(60), fc.constantFrom('base64', 'quoted-printable'), (text, cut, encoding) => {
      const whole = decode(encoding, [octets(text)]);
      return whole === decode(encoding, [octets(text.slice(0, cut)), octets(text.slice(cut))]);
    }),
    { seed: 2045, numRuns: 1000 },
  );
});

t.test('encodings that are known, and those that nobody may guess', async (t) => {
  const table: [name: string, encoding: string | undefined][] = [
    ['7BIT', 'identity'],
    ['8bit', 'identity'],
    ['binary ', 'identity'],
    ['Base64', 'base64'],
    ['QUOTED-PRINTABLE', 'quotedPrintable'],
    ['x-uuencode', undefined],
    ['toString', undefined],
    ['', undefined],
  ];
  for (const [name, encoding] of table) t.equal(transferEncodingOf(name), encoding, name);
});

t.test('charsets', async (t) => {
  const table: [charset: string | undefined, octets: string, text: string][] = [
    ['utf-8', 'caf\xc3\xa9', 'café'],
    ['ISO-8859-1', 'caf\xe9', 'café'],
    ['iso-2022-jp', '\x1b$B$3$s\x1b(B', 'こん'],
    ['koi8-r', '\xf0\xf2', 'ПР'],
    [undefined, 'caf\xe9', 'café'],
    [undefined, 'caf\xc3\xa9', 'café'],
    ['us-ascii', 'caf\xc3\xa9', 'café'],
    ['x-no-such-charset', 'caf\xe9', 'café'],
    ['utf-8', 'a\xff', 'a\ufffd'],
    [undefined, '\xe2\x82', 'â‚'],
    [undefined, '\xe2\x82\xac', '€'],
  ];
  for (const [charset, raw, text] of table) {
    t.equal(decodeCharset(octets(raw), charset), text, `${charset} whole`);
    const decoder = createCharsetDecoder(charset);
    const pieces = singly(raw).map((piece) => decoder.push(piece));
    t.equal(pieces.join('') + decoder.end(), text, `${charset} octet by octet`);
  }
});

t.test('encoded words', async (t) => {
  const table: [raw: string, text: string][] = [
    ['plain', 'plain'],
    ['=?utf-8?q?caf=C3=A9?=', 'café'],
    ['=?ISO-8859-1?Q?a_b?= c', 'a b c'],
    ['=?utf-8?Q?a_?= =?utf-8?Q?b_?=', 'a b '],
    ['Re: =?utf-8?B?w7xiZXI=?= x', 'Re: über x'],
    ['=?utf-8?q?a?=\r\n =?utf-8?q?b?=', 'ab'],
    ['=?utf-8?q?a?= =?iso-8859-1?q?=E9?=', 'aé'],
    ['=?utf-8?q?=C3?= =?utf-8?q?=A9?=', 'é'],
    ['=?utf-8?q?a?= b =?utf-8?q?c?=', 'a b c'],
    ['=?utf-8*de?q?a?=', 'a'],
    ['"=?utf-8?q?a=2C?=" <a@b>', '"a," <a@b>'],
    ['=?utf-8?x?a?=', '=?utf-8?x?a?='],
    ['=?broken', '=?broken'],
    ['=?no-such?q?caf=E9?=', 'café'],
    ['raw caf\xe9 =?utf-8?q?=C3=A9?=', 'raw café é'],
    ['', ''],
  ];
  for (const [raw, text] of table) t.equal(decodeEncodedWords(octets(raw)), text, raw);
});

t.test('encoded words by the thousand take no more than their length', async (t) => {
  t.equal(decodeEncodedWords(octets('=?utf-8?q?a?= '.repeat(20_000))).length, 20_001);
  t.equal(decodeEncodedWords(octets('=?utf-8?q?'.repeat(50_000))).length, 500_000);
});

t.test('the day of a Date field', async (t) => {
  const table: [value: string, day: [number, number, number] | undefined][] = [
    ['Fri, 9 Feb 2024 12:00:00 +0100', [2024, 2, 9]],
    ['09 Feb 2024 23:59:59 -1200', [2024, 2, 9]],
    ['Fri, 9 February 2024 12:00', [2024, 2, 9]],
    ['Fri,9 Feb 24 12:00:00 GMT', [2024, 2, 9]],
    ['9 feb 99', [1999, 2, 9]],
    ['9 Feb 124', [2024, 2, 9]],
    ['Fri (the 13th) , 9 (comment) Feb 2024 12:00:00 +0000', [2024, 2, 9]],
    ['9-Feb-2024 12:00:00', [2024, 2, 9]],
    ['2024-02-09', undefined],
    ['32 Feb 2024', undefined],
    ['9 Foo 2024', undefined],
    ['', undefined],
  ];
  for (const [value, day] of table) {
    const [year, month, date] = day ?? [];
    t.same(dayOfDateField(value), day && { year, month, day: date }, value);
  }
});
