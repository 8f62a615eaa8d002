/**
 * The third part of a report: the header of the message that it is about, or the message.
 *
 * RFC 3461 sections 4.3 and 6.2 (what RET asks for, and that a large message may come back as its header), RFC 6522 section 3
 * (text/rfc822-headers), RFC 6533 sections 4.2 to 4.5 (their UTF-8 forms, and how they pass servers without SMTPUTF8).
 */

import { isUtf8 } from 'node:buffer';

import { KIB } from '../../base/units.ts';
import { encodeQuotedPrintable } from '../mime/quotedPrintable.ts';
import { splitHeader } from '../mime/header.ts';

/** Octets of a header that come back: Exchange Online's header blocks have some 14 KB, but a header may have a megabyte. */
export const RETURNED_HEADER_LIMIT_OCTETS = 64 * KIB;
/** Octets of the largest message that comes back whole where RET=FULL asks for it; of a larger one the header does. */
export const RETURNED_MESSAGE_LIMIT_OCTETS = 256 * KIB;

/** RFC 5321 section 4.5.3.1.6, without CRLF. */
const LINE_LIMIT_OCTETS = 998;

/** What comes back. `isWhole` is false where a header was cut. */
export type Returned =
  | { readonly kind: 'header'; readonly octets: Buffer; readonly isWhole: boolean }
  | { readonly kind: 'message'; readonly octets: Buffer };

/** What of a header comes back: whole fields, as many as the limit has room for. */
export function returnedHeader(header: Buffer, isWhole = true): Returned {
  const { fields, fieldsEnd } = splitHeader(header);
  const beyond = fields.find(({ end }) => end > RETURNED_HEADER_LIMIT_OCTETS);
  const end = beyond === undefined ? fieldsEnd : beyond.start;
  return { kind: 'header', octets: header.subarray(0, end), isWhole: isWhole && beyond === undefined };
}

/** Whether these octets may stand in a report as a message: lines that end with CRLF and are not too long, no NUL. */
export function mayReturnWhole(message: Buffer): boolean {
  if (message.length > RETURNED_MESSAGE_LIMIT_OCTETS || message.includes(0)) return false;
  const text = message.toString('latin1');
  if (/\r(?!\n)|(?<!\r)\n/.test(text)) return false;
  return text.split('\r\n').every((line) => line.length <= LINE_LIMIT_OCTETS);
}

/** The part with its header. */
export function returnedPart(returned: Returned, isSmtpUtf8: boolean): Buffer {
  if (returned.kind === 'message') {
    const isEightBit = !isAscii(returned.octets);
    return part('message/rfc822', isEightBit ? '8bit' : '7bit', returned.octets);
  }
  const octets = Buffer.from(lines(returned.octets), 'latin1');
  if (isAscii(octets)) return part('text/rfc822-headers', '7bit', octets);
  const type = isUtf8(octets) ? 'message/global-headers' : 'text/rfc822-headers';
  if (isSmtpUtf8 && type === 'message/global-headers') return part(type, '8bit', octets);
  return part(type, 'quoted-printable', Buffer.from(encodeQuotedPrintable(octets)));
}

function part(type: string, encoding: string, octets: Buffer): Buffer {
  const header = `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  return Buffer.concat([Buffer.from(header), octets]);
}

/** With CRLF behind each line, whatever ended it, and without NUL, which no server takes (RFC 5321 section 4.5.2). */
function lines(octets: Buffer): string {
  return octets
    .toString('latin1')
    .replace(/\r?\n|\r/g, '\r\n')
    .replaceAll('\0', '?');
}

function isAscii(octets: Buffer): boolean {
  return !octets.some((octet) => octet > 0x7f);
}
