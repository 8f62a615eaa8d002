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
/** Blank lines, behind the end of the line before. */
const BLANK_CRLF_LINE = Buffer.from('\n\r\n');
const BLANK_LF_LINE = Buffer.from('\n\n');

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

/** A header taken apart. Values that are read from it share its text's memory. */
export interface Header {
  readonly text: string;
  readonly fields: readonly HeaderField[];
  /** Where the blank line begins; the text's length when there is none. */
  readonly fieldsEnd: number;
}

/** Takes a header apart that is at hand as octets; it ends with its blank line or without one. */
export function splitHeader(header: Uint8Array): Header {
  return splitHeaderText(octetString(asBuffer(header).toString('latin1')));
}

/** Takes a header apart that has been made text. */
export function splitHeaderText(text: OctetString): Header {
  const fields: HeaderField[] = [];
  let colon = -1;
  let at = 0;
  while (at < text.length && !isBlankLine(text, at)) {
    const end = fieldEnd(text, at);
    // Looked for only when the last one found has been passed, or lines without colon would make this quadratic.
    if (colon < at) colon = indexOrEnd(text, ':', at);
    fields.push(fieldAt(text, at, colon, end));
    at = end;
  }
  return { text, fields, fieldsEnd: at };
}

/** The field's value, unfolded and without space around it. */
export function fieldValue(header: Header, field: HeaderField): OctetString {
  const { text } = header;
  let end = field.end;
  if (end > field.valueStart && text.charCodeAt(end - 1) === LF) end -= 1;
  if (end > field.valueStart && text.charCodeAt(end - 1) === CR) end -= 1;
  return unfold(text.slice(field.valueStart, end));
}

/** The values of all fields with this name, in the header's order. */
export function fieldValues(header: Header, name: string): OctetString[] {
  const wanted = name.toLowerCase();
  return header.fields.filter((field) => field.name === wanted).map((field) => fieldValue(header, field));
}

/** Where the header at the start of a message ends, behind its blank line; with the octets where there is none. */
export function headerEnd(message: Uint8Array): number {
  if (message[0] === LF) return 1;
  if (message[0] === CR && message[1] === LF) return 2;
  const octets = asBuffer(message);
  const crlf = octets.indexOf(BLANK_CRLF_LINE);
  const end = crlf === -1 ? octets.length : crlf + BLANK_CRLF_LINE.length;
  const lf = octets.subarray(0, end).indexOf(BLANK_LF_LINE);
  return lf === -1 ? end : lf + BLANK_LF_LINE.length;
}

/**
 * Those fields of `header` whose names are in `names` (with `isNot`: are not), in the header's order and folding, and its
 * blank line. Names are compared without case, but otherwise exactly; `names` has them in lower case.
 */
export function selectFields(header: OctetString, names: ReadonlySet<string>, isNot: boolean): OctetString {
  const { fields, fieldsEnd } = splitHeaderText(header);
  let selected = '';
  for (const { name, start, end } of fields) {
    if (names.has(name) !== isNot) selected += header.slice(start, end);
  }
  return octetString(selected + header.slice(fieldsEnd));
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
  return Math.min(indexOrEnd(text, '\n', at) + 1, text.length);
}

function fieldAt(text: string, start: number, colon: number, end: number): HeaderField {
  if (colon < end) return { name: lowerName(text, start, colon), start, valueStart: colon + 1, end };
  const line = text.slice(start, end).replace(/[\r\n]+$/, '');
  return { name: lowerName(line, 0, line.length), start, valueStart: end, end };
}

function lowerName(text: string, start: number, end: number): string {
  return trimSpace(text.slice(start, end)).toLowerCase();
}

function indexOrEnd(text: string, wanted: string, at: number): number {
  const index = text.indexOf(wanted, at);
  return index === -1 ? text.length : index;
}
