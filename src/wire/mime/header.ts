/**
 * Header fields: splitting, looking up, and the subsets that BODY[HEADER.FIELDS (...)] asks for.
 *
 * RFC 5322 section 2.2 (fields, folding) with RFC 7103 section 7.4 (space before the colon), RFC 3501 section 6.4.5 (subsets).
 * A field reaches over its folded lines; a line without colon is a field whose name is the whole line and whose value is empty.
 * Invariants: fields and the final blank line cover the header without gaps, so any subset is exact bytes. Linear time.
 * Trust: nothing. Any octets are a header; the caller bounds their number.
 */

import { asBuffer } from './octets.ts';
import type { OctetString } from './structure.ts';
import { octetString } from './structure.ts';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** Where a field stands in its header. Offsets count octets of the header. */
export interface HeaderField {
  /** In lower case, without the space before the colon. */
  readonly name: string;
  readonly start: number;
  /** After the colon. */
  readonly valueStart: number;
  /** After the line end of its last line. */
  readonly end: number;
}

/** A header taken apart. */
export interface Header {
  readonly octets: Buffer;
  readonly fields: readonly HeaderField[];
  /** Where the blank line begins; the text's length when there is none. */
  readonly fieldsEnd: number;
}

/** Takes a header apart; it ends with its blank line or without one. */
export function splitHeader(header: Uint8Array): Header {
  const octets = asBuffer(header);
  const text = octets.toString('latin1');
  const fields: HeaderField[] = [];
  let at = 0;
  while (at < text.length && !isBlankLine(text, at)) {
    const end = fieldEnd(text, at);
    fields.push(fieldAt(text, at, end));
    at = end;
  }
  return { octets, fields, fieldsEnd: at };
}

/** The field's value, unfolded and without space around it. It has memory of its own: it doesn't keep the header alive. */
export function fieldValue(header: Header, field: HeaderField): OctetString {
  return unfold(header.octets.toString('latin1', field.valueStart, field.end));
}

/** The values of all fields with this name, in the header's order. */
export function fieldValues(header: Header, name: string): OctetString[] {
  const wanted = name.toLowerCase();
  return header.fields.filter((field) => field.name === wanted).map((field) => fieldValue(header, field));
}

/**
 * The octets of those fields of `header` that are in `names` (with `isNot`: that are not), in the header's order and
 * folding, and of its blank line. Names are compared without case, but otherwise exactly.
 */
export function selectFields(header: Uint8Array, names: readonly string[], isNot: boolean): Buffer {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const { octets, fields, fieldsEnd } = splitHeader(header);
  const pieces = fields
    .filter((field) => wanted.has(field.name) !== isNot)
    .map((field) => octets.subarray(field.start, field.end));
  return Buffer.concat([...pieces, octets.subarray(fieldsEnd)]);
}

/**
 * Text with its folds undone: each fold, with the space around it, becomes one space; space at both ends goes. What no IMAP
 * string can hold goes with it: bare CR becomes space, NUL becomes U+FFFD in UTF-8 (as Dovecot 2.3 answers it).
 */
export function unfold(text: string): OctetString {
  if (!/[\r\n\0]/.test(text)) return octetString(trimSpace(text));
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const piece = trimSpace(line.replaceAll('\r', ' ').replaceAll('\0', '\xef\xbf\xbd'));
    if (piece !== '') lines.push(piece);
  }
  return octetString(lines.join(' '));
}

/** `text` without SP and HTAB at its ends. Not String.trim: that takes U+00A0 and U+0085, which are octets of UTF-8 letters here. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isSpace(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}

function isBlankLine(text: string, at: number): boolean {
  const octet = text.charCodeAt(at);
  return octet === LF || (octet === CR && text.charCodeAt(at + 1) === LF);
}

/** After the last line of the field that begins at `start`: its next lines begin with space. */
function fieldEnd(text: string, start: number): number {
  let end = lineEnd(text, start);
  while (end < text.length && isSpace(text.charCodeAt(end))) end = lineEnd(text, end);
  return end;
}

function lineEnd(text: string, at: number): number {
  const lineFeed = text.indexOf('\n', at);
  return lineFeed === -1 ? text.length : lineFeed + 1;
}

function fieldAt(text: string, start: number, end: number): HeaderField {
  let colon = start;
  while (colon < end && text.charCodeAt(colon) !== COLON) colon += 1;
  const name = trimSpace(text.slice(start, colon)).toLowerCase();
  if (colon < end) return { name, start, valueStart: colon + 1, end };
  return { name: name.replace(/[\r\n]+$/, ''), start, valueStart: end, end };
}
