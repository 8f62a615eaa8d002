/**
 * Strings of responses: quoted, literal, nstring, astring, lists of flags, text for humans.
 *
 * RFC 3501 section 4.3 and section 9: astring, flag-list, literal, nil, nstring, quoted, string, text.
 * Formatters answer strings whose characters are octets (U+0000 to U+00FF), so that pieces are put together as text and become
 * octets once, by encodeOctets(); counts of literals are therefore counts of octets. Text of Unicode never comes here: mailbox
 * names come as modified UTF-7 (mailboxName.ts), everything else as US-ASCII or as the octets of a header.
 */

import { ASTRING_CHAR, isMadeOf } from './octetClass.ts';

/** Quoted strings longer than this are sent as literals: clients with fixed line buffers exist (RFC 2683 section 3.2.1.5 names 1,000). */
export const QUOTED_LIMIT_CHARS = 1000;
/** More escapes than this in one string are sent as a literal, as Dovecot does: it is shorter, and hand-made parsers trip less. */
export const QUOTED_ESCAPE_LIMIT = 4;

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DQUOTE = 0x22;
const BACKSLASH = 0x5c;

/** NIL. */
export const NIL = 'NIL';

/** The octets of what the formatters answered. */
export function encodeOctets(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** string: quoted where that is allowed and short, else a literal (CR, LF, NUL and 8-bit, RFC 3501 section 4.3). */
export function formatString(octets: string): string {
  if (octets.length > QUOTED_LIMIT_CHARS) return formatLiteral(octets);
  let escapes = 0;
  for (let index = 0; index < octets.length; index += 1) {
    const octet = octets.charCodeAt(index);
    if (octet >= 0x80 || octet === NUL || octet === CR || octet === LF) return formatLiteral(octets);
    if (octet === DQUOTE || octet === BACKSLASH) escapes += 1;
  }
  if (escapes === 0) return `"${octets}"`;
  return escapes > QUOTED_ESCAPE_LIMIT ? formatLiteral(octets) : formatQuoted(octets);
}

/** nstring: NIL for null. */
export function formatNstring(octets: string | null): string {
  return octets === null ? NIL : formatString(octets);
}

/** astring: without quotes where every octet is an ASTRING-CHAR of US-ASCII and the whole does not read NIL. */
export function formatAstring(octets: string): string {
  const isPlain =
    isMadeOf(octets, ASTRING_CHAR) && !/[\x80-\xff]/.test(octets) && octets.toUpperCase() !== NIL;
  return isPlain ? octets : formatString(octets);
}

/** quoted, for US-ASCII without CR and LF whatever its length. */
export function formatQuoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** literal with its octets. */
export function formatLiteral(octets: string): string {
  return `{${octets.length}}\r\n${octets}`;
}

/** What comes before `octetCount` octets that are written after it: a literal's announcement, or `""` for none. */
export function formatLiteralStart(octetCount: number): string {
  return octetCount === 0 ? '""' : `{${octetCount}}\r\n`;
}

/** The same where NUL is among the octets: literal8 (RFC 3516 section 7), which clients of BINARY know. */
export function formatLiteral8Start(octetCount: number): string {
  return `~{${octetCount}}\r\n`;
}

/** Flags, system flags and keywords alike, in parentheses. */
export function formatFlagList(flags: readonly string[]): string {
  return `(${flags.join(' ')})`;
}

/** text: what a human reads after a condition. Anything but printable US-ASCII becomes "?"; never empty, for clients trip over that. */
export function formatText(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, '?');
  return clean === '' ? '-' : clean;
}
