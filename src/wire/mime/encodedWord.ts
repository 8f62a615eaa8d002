/**
 * Encoded words: the text of a header field's body (RFC 2047, RFC 2231 section 5 for the language suffix).
 *
 * Lenient where real mail is: encoded words anywhere in the field, neighbours of one charset joined before they are decoded
 * (mailers cut multi-octet characters in two), raw 8-bit octets decoded as charset.ts guesses. What does not parse stands for
 * itself. Never throws.
 */

import { decodeCharset } from './charset.ts';
import { createTransferDecoder } from './transferEncoding.ts';

const WORD = /=\?([^?\s*]{1,100})(?:\*[^?\s]{0,100})?\?([BbQq])\?([^?\r\n]*)\?=/g;

/** The text of `octets`, unfolded or not; white space between neighbouring encoded words is not part of it. */
export function decodeEncodedWords(octets: Uint8Array): string {
  const raw = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
  let text = '';
  let end = 0;
  let run: Run | undefined;
  for (const match of raw.matchAll(WORD)) {
    const [word, charset = '', encoding = '', encoded = ''] = match;
    const between = raw.slice(end, match.index);
    const joins = run !== undefined && /^[ \t\r\n]*$/.test(between);
    if (!joins || run?.charset !== charset.toLowerCase()) {
      text += textOf(run);
      run = { charset: charset.toLowerCase(), octets: [] };
    }
    if (!joins) text += plain(between);
    run?.octets.push(decodeWord(encoding, encoded));
    end = match.index + word.length;
  }
  return text + textOf(run) + plain(raw.slice(end));
}

interface Run {
  readonly charset: string;
  readonly octets: Buffer[];
}

function textOf(run: Run | undefined): string {
  return run === undefined ? '' : decodeCharset(Buffer.concat(run.octets), run.charset);
}

function plain(raw: string): string {
  return decodeCharset(Buffer.from(raw, 'latin1'), undefined);
}

/** RFC 2047 section 4.2: Q is quoted-printable in which `_` is a space. */
function decodeWord(encoding: string, encoded: string): Buffer {
  const isBase64 = encoding.toLowerCase() === 'b';
  const decoder = createTransferDecoder(isBase64 ? 'base64' : 'quoted-printable');
  const octets = Buffer.from(isBase64 ? encoded : encoded.replaceAll('_', '=20'), 'latin1');
  return Buffer.concat([Buffer.from(decoder.push(octets)), decoder.end()]);
}
