/**
 * Messages as they come in the wild and worse, for every test that has to leave octets alone.
 *
 * `ODD_MESSAGES` are made here. `readCorpus` reads the odd real messages that lie beside the repository in shared/corpus (from
 * MimeKit's test data; they are not ours to copy), and answers undefined where that folder is absent: tests skip with
 * NO_CORPUS as the reason then. Octets may be anything; a client that cannot take one is noted where the client is.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A message and what is odd about it. */
export interface OddMessage {
  readonly name: string;
  readonly octets: Buffer;
}

const CORPUS = new URL('../../../shared/corpus/', import.meta.url);

/** Why a test is skipped that wants the corpus. */
export const NO_CORPUS = 'no corpus of real messages beside the repository';

/** The corpus, by file name; undefined where it is absent. */
export function readCorpus(): readonly OddMessage[] | undefined {
  if (!existsSync(CORPUS)) return undefined;
  return readdirSync(CORPUS)
    .filter((name) => name.endsWith('.eml'))
    .sort()
    .map((name) => ({ name, octets: readFileSync(new URL(name, CORPUS)) }));
}

/** Header fields that most messages here begin with. */
const HEADER =
  'From: Sender <sender@example.org>\r\nTo: in@app.example.com\r\nSubject: odd\r\n' +
  'Date: Thu, 15 Jan 2026 10:00:00 +0000\r\nMessage-ID: <odd@example.org>\r\n';
const TEXT = `${HEADER}\r\n`;

function odd(name: string, text: string | Buffer): OddMessage {
  // Latin-1, so that \x80 to \xff are single octets.
  return { name, octets: typeof text === 'string' ? Buffer.from(text, 'latin1') : text };
}

/** Our own odd messages. */
export const ODD_MESSAGES: readonly OddMessage[] = [
  odd('plain', `${TEXT}Hello\r\n`),
  odd('empty', ''),
  odd('one line end', '\r\n'),
  odd('header only', HEADER),
  odd('header and an empty line', TEXT),
  odd('body only', '\r\nNo header at all\r\n'),
  odd('no header and no empty line', 'This is not a header field\r\nnor this\r\n'),
  odd('no final line end', `${TEXT}The end`),
  odd('a bare LF at the end', `${TEXT}The end\n`),
  odd('a bare CR at the end', `${TEXT}The end\r`),
  odd('bare LFs', `${TEXT}one\ntwo\n\nthree\r\nfour\n`),
  odd('bare CRs', `${TEXT}one\rtwo\r\rthree\r\nfour\r\r\n`),
  odd('line ends the wrong way round', `${TEXT}one\n\rtwo\n\r\n\rthree\r\n`),
  odd('a header with bare LFs', `${HEADER.replaceAll('\r\n', '\n')}\nbody\n`),
  odd('only dots', `${TEXT}.\r\n..\r\n...\r\n....\r\n.\r\n.\r\n`),
  odd('a dot first of all', '.\r\nSubject: behind a dot\r\n\r\n.\r\n'),
  odd('dots in the middle', `${TEXT}a.b\r\n .\r\n.x\r\nx.\r\n..x\r\n`),
  odd('many stuffed dots', `${TEXT}${'.\r\n'.repeat(20_000)}`),
  odd('LF dot LF', `${TEXT}one\n.\nMAIL FROM:<evil@example.org>\r\n`),
  odd('LF dot CRLF', `${TEXT}one\n.\r\nMAIL FROM:<evil@example.org>\r\n`),
  odd('CRLF dot LF', `${TEXT}one\r\n.\nMAIL FROM:<evil@example.org>\r\n`),
  odd('CR dot CR', `${TEXT}one\r.\rtwo\r\n`),
  odd('CRLF dot CR', `${TEXT}one\r\n.\rtwo\r\n`),
  odd('CR CRLF dot CR CRLF', `${TEXT}one\r\r\n.\r\r\ntwo\r\n`),
  odd('a POP3 answer inside', `${TEXT}one\n.\n+OK 7 octets\n-ERR\r\n.\r\n+OK\r\n`),
  odd('an IMAP answer inside', `${TEXT})\r\na1 OK FETCH completed\r\n* BYE\r\n{5}\r\n`),
  odd('NULs', `Subject: a\0b\r\nX-Nul: \0\r\n\r\nbefore\0after\r\n\0\0\0\r\n`),
  odd('every octet', Buffer.concat([Buffer.from(TEXT), everyOctet(), Buffer.from('\r\n')])),
  odd('8-bit header', `From: J\xf6rg <j@example.org>\r\nSubject: \xc3\xa4\xff\xfe\r\n\r\n\xe4\xf6\xfc\r\n`),
  odd('UTF-8 everywhere', Buffer.from(`From: Jörg <jörg@example.org>\r\nSubject: ✉️ 件名\r\n\r\n漢字 😀\r\n`)),
  odd('a byte order mark first', `\xef\xbb\xbfSubject: bom\r\n\r\nbody\r\n`),
  odd('control characters', `${TEXT}\x01\x02\x07\x08\x0b\x0c\x1a\x1b[2J\x7f\r\n`),
  odd('a line of 998', `${TEXT}${'x'.repeat(998)}\r\n`),
  odd('a line of 2048', `${TEXT}${'x'.repeat(2046)}\r\n`),
  odd('lines of 10 kB', `${TEXT}${`${'y'.repeat(10_000)}\r\n`.repeat(3)}`),
  odd('a line of 100 kB of dots', `${TEXT}${'.'.repeat(100_000)}\r\n`),
  odd('a long header field', `${HEADER}X-Long: ${'z'.repeat(10_000)}\r\n\r\nbody\r\n`),
  odd('a long folded header field', `${HEADER}X-Folded:${'\r\n word'.repeat(2_000)}\r\n\r\nbody\r\n`),
  odd('many header fields', `${HEADER}${manyFields(500)}\r\nbody\r\n`),
  odd('folding with nothing in it', `${HEADER}X-Empty:\r\n \r\n\t\r\nX-After: 1\r\n\r\nbody\r\n`),
  odd('a header that begins folded', ` folded\r\n${TEXT}body\r\n`),
  odd('fields without a colon', `${HEADER}no colon here\r\nX: 1\r\n\r\nbody\r\n`),
  odd('blanks before a colon', `Subject : odd\r\nX-Blank\t: 1\r\n\r\nbody\r\n`),
  odd('lines that mbox quotes', `${TEXT}From the start\r\n>From the start\r\n>>From here\r\n`),
  odd('an mbox line first', `From sender Thu Jan 15 10:00:00 2026\r\n${TEXT}body\r\n`),
  odd(
    'trace fields of others',
    `Return-Path: <x@example.org>\r\nReceived: from a by b; now\r\n${TEXT}body\r\n`,
  ),
  odd('twice the same fields', `${HEADER}${HEADER}\r\nbody\r\n`),
  odd('deep MIME', deepMime(60)),
  odd('MIME without an end', `${HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\npart\r\n`),
  odd(
    'a boundary of dots',
    `${HEADER}Content-Type: multipart/mixed; boundary=.\r\n\r\n--.\r\n\r\n.\r\n--.--\r\n`,
  ),
  odd(
    'lies about the length',
    `${HEADER}Content-Length: 3\r\nLines: 1\r\nStatus: RO\r\nX-UID: 9\r\n\r\nlonger\r\n`,
  ),
  odd('500 kB of base64', `${TEXT}${`${'QUJD'.repeat(19)}\r\n`.repeat(6_600)}`),
  odd('700 kB without a line end', `${TEXT}${'n'.repeat(700_000)}`),
];

function everyOctet(): Buffer {
  const octets = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
  return Buffer.concat([octets, Buffer.from(octets).reverse()]);
}

function manyFields(count: number): string {
  return Array.from({ length: count }, (_, index) => `X-Field-${index}: value ${index}\r\n`).join('');
}

function deepMime(depth: number): string {
  let text = 'Content-Type: text/plain\r\n\r\nat the bottom\r\n';
  for (let level = 0; level < depth; level += 1) {
    const boundary = `level${level}`;
    text =
      `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\npreamble\r\n` +
      `--${boundary}\r\n${text}\r\n--${boundary}--\r\nepilogue\r\n`;
  }
  return HEADER + text;
}
