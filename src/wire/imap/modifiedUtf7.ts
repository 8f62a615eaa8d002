/**
 * Modified UTF-7, the form of mailbox names outside US-ASCII.
 *
 * RFC 3501 section 5.1.3. Decoding is strict, so that each name has one form only: `&` opens base64 of UTF-16BE with "," for
 * "/", `-` closes it, `&-` is "&"; no printable US-ASCII and no empty shift inside, zero padding bits, whole code points.
 * Trust: nothing is believed; the length was bounded by framing.ts.
 */

import { WireError } from '../../base/error.ts';

const AMPERSAND = 0x26;
const HYPHEN = 0x2d;
const COMMA = 0x2c;
const SLASH = 0x2f;

/** The text of `octets`. Throws WireError with `offset` added to the index of what is wrong. */
export function decodeModifiedUtf7(octets: Buffer, offset = 0): string {
  let text = '';
  let index = 0;
  while (index < octets.length) {
    const shift = octets.indexOf(AMPERSAND, index);
    const plainEnd = shift === -1 ? octets.length : shift;
    text += plainText(octets, index, plainEnd, offset);
    if (shift === -1) break;
    const close = octets.indexOf(HYPHEN, shift);
    if (close === -1) throw new WireError(offset + octets.length, '"-" that ends modified base64');
    text += close === shift + 1 ? '&' : shiftedText(octets, shift + 1, close, offset);
    index = close + 1;
    if (close > shift + 1 && isAtShift(octets, index)) {
      throw new WireError(offset + index, 'no superfluous shift');
    }
  }
  return text;
}

/** `text` in modified UTF-7: US-ASCII. A lone surrogate becomes U+FFFD, for there is no form for it. */
export function encodeModifiedUtf7(text: string): string {
  return text
    .toWellFormed()
    .replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${base64Of(run)}-`));
}

function plainText(octets: Buffer, start: number, end: number, offset: number): string {
  for (let index = start; index < end; index += 1) {
    const octet = octets[index] as number;
    if (octet < 0x20 || octet > 0x7e) throw new WireError(offset + index, 'printable US-ASCII');
  }
  return octets.toString('latin1', start, end);
}

/** Base64 right after base64 ("-&") could have been one run; "&-" after it is an ampersand and stands. */
function isAtShift(octets: Buffer, index: number): boolean {
  return octets[index] === AMPERSAND && octets[index + 1] !== HYPHEN;
}

function shiftedText(octets: Buffer, start: number, end: number, offset: number): string {
  const text = utf16Of(octets, start, end, offset);
  if (!text.isWellFormed()) throw new WireError(offset + start, 'whole UTF-16 code points');
  if (/[\x20-\x7e]/.test(text))
    throw new WireError(offset + start, 'no printable US-ASCII in modified base64');
  return text;
}

function utf16Of(octets: Buffer, start: number, end: number, offset: number): string {
  let text = '';
  let bits = 0;
  let bitCount = 0;
  for (let index = start; index < end; index += 1) {
    const value = sextetOf(octets[index] as number);
    if (value === undefined) throw new WireError(offset + index, 'modified base64');
    bits = (bits << 6) | value;
    bitCount += 6;
    if (bitCount < 16) continue;
    bitCount -= 16;
    text += String.fromCharCode(bits >> bitCount);
    bits &= (1 << bitCount) - 1;
  }
  if (bitCount >= 6 || bits !== 0) throw new WireError(offset + end, 'zero padding bits of modified base64');
  return text;
}

function sextetOf(octet: number): number | undefined {
  if (octet >= 0x41 && octet <= 0x5a) return octet - 0x41;
  if (octet >= 0x61 && octet <= 0x7a) return octet - 0x61 + 26;
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30 + 52;
  if (octet === 0x2b) return 62;
  return octet === COMMA ? 63 : undefined;
}

function base64Of(run: string): string {
  const base64 = Buffer.from(run, 'utf16le').swap16().toString('base64');
  return base64.replace(/=+$/, '').replaceAll(String.fromCharCode(SLASH), String.fromCharCode(COMMA));
}
