/**
 * POP3 command lines, and the arguments of the commands that have any.
 *
 * RFC 1939 sections 3 to 7, RFC 2449 section 3 (command, keyword, param), RFC 5034 section 4 (AUTH), RFC 6856 (UTF8, LANG).
 * Keywords are in any case.
 * Deviates from the grammar where clients do: several blanks between parameters, blanks at the end of the line, HTAB for a
 * blank, TOP without its second number. PASS alone takes every octet after one blank, blanks included (RFC 1939 section 7).
 * Trust: a line within the session's limit, of any octets; what breaks the grammar throws WireError, whose offset counts from
 * the argument's start.
 */

import { isUtf8 as isUtf8Text } from 'node:buffer';

import { WireError } from '../../base/error.ts';
import { decodeCredentialText } from '../sasl/credentialText.ts';

/** Longest command line with its CRLF (RFC 2449 section 4). */
export const COMMAND_LINE_LIMIT_OCTETS = 255;
/** The same after UTF8. RFC 6856 names no figure; names and passwords take twice the octets in Greek or Cyrillic. */
export const UTF8_COMMAND_LINE_LIMIT_OCTETS = 512;
/** The same of USER, PASS and AUTH: a password of 1,024 octets, which every other protocol takes, has to get through. */
export const CREDENTIAL_LINE_LIMIT_OCTETS = 2048;

/** A command line taken apart. */
export interface CommandLine {
  /** In upper case, as is fit for a log: at most 32 characters, `?` for what cannot be printed. */
  readonly keyword: string;
  /** What follows, without blanks around it (PASS: what follows one blank, as it is); undefined when nothing does. */
  readonly argument: Buffer | undefined;
}

/** What TOP asks for. */
export interface TopArgument {
  readonly message: number;
  /** Lines of the body. */
  readonly lines: number;
}

/** What AUTH asks for. */
export interface AuthArgument {
  /** In upper case; perhaps one that nobody knows. */
  readonly mechanism: string;
  /** As sent: base64, or `=` for an empty one (wire/sasl/base64.ts decodes it). */
  readonly initialResponse: Buffer | undefined;
}

/** How long a line of `keyword` may be, with its CRLF. */
export function lineLimitOctets(keyword: string, isUtf8: boolean): number {
  if (CREDENTIAL_KEYWORDS.has(keyword)) return CREDENTIAL_LINE_LIMIT_OCTETS;
  return isUtf8 ? UTF8_COMMAND_LINE_LIMIT_OCTETS : COMMAND_LINE_LIMIT_OCTETS;
}

/** Takes apart `line`, which is without its line end. Throws WireError for a line without a keyword. */
export function parseCommand(line: Buffer): CommandLine {
  const end = blankFrom(line, 0);
  if (end === 0) throw new WireError(0, 'keyword');
  const keyword = line.toString('latin1', 0, end).toUpperCase();
  if (keyword === 'PASS')
    return { keyword, argument: end === line.length ? undefined : line.subarray(end + 1) };
  return { keyword: printable(keyword), argument: trimmed(line.subarray(end)) };
}

/** For commands without arguments. */
export function parseNothing(argument: Buffer | undefined): void {
  if (argument !== undefined) throw new WireError(0, 'CRLF');
}

/** A user name (USER). After UTF8 it must be UTF-8 (RFC 6856 section 2.2); before it an old client's code page will do. */
export function parseName(argument: Buffer | undefined, isUtf8 = false): string {
  if (argument === undefined) throw new WireError(0, 'name');
  return credentialText(argument, isUtf8);
}

/** A password (PASS), as a name; it may be empty, which fails like any wrong one. */
export function parsePassword(argument: Buffer | undefined, isUtf8 = false): string {
  if (argument === undefined) throw new WireError(0, 'password');
  return credentialText(argument, isUtf8);
}

/** A message number (RETR, DELE, and LIST and UIDL when they have one): 0 or more, perhaps larger than any maildrop. */
export function parseNumber(argument: Buffer | undefined): number {
  const [number, ...surplus] = parameters(argument);
  endOf(surplus);
  return digits(number, 'message number');
}

/** TOP. Without its second number the header alone is asked for, as some old clients mean it. */
export function parseTop(argument: Buffer | undefined): TopArgument {
  const [message, lines, ...surplus] = parameters(argument);
  endOf(surplus);
  return {
    message: digits(message, 'message number'),
    lines: lines === undefined ? 0 : digits(lines, 'number of lines'),
  };
}

/** AUTH; undefined when the client asks which mechanisms there are, as old ones do (RFC 1734 knew no such form). */
export function parseAuth(argument: Buffer | undefined): AuthArgument | undefined {
  const [name, initialResponse, ...surplus] = parameters(argument);
  if (name === undefined) return undefined;
  const mechanism = name.octets.toString('latin1').toUpperCase();
  if (!SASL_MECH.test(mechanism)) throw new WireError(name.offset, 'sasl-mech');
  endOf(surplus);
  return { mechanism, initialResponse: initialResponse?.octets };
}

/** LANG: a language range (RFC 4647 section 2.1), `*` among them; undefined when the client asks which languages there are. */
export function parseLanguageRange(argument: Buffer | undefined): string | undefined {
  const [range, ...surplus] = parameters(argument);
  if (range === undefined) return undefined;
  const text = range.octets.toString('latin1');
  if (!LANGUAGE_RANGE.test(text)) throw new WireError(range.offset, 'language-range');
  endOf(surplus);
  return text;
}

const CREDENTIAL_KEYWORDS: ReadonlySet<string> = new Set(['USER', 'PASS', 'AUTH']);
/** RFC 2449 section 3 has keywords of 3 or 4 characters; more is kept for the log only. */
const KEYWORD_LIMIT_CHARS = 32;
/** Parameters that are told apart; no command has more than two, and what is third is an error already. */
const PARAMETER_LIMIT = 3;
/** Digits that a number may have and still be exact; what is longer is larger than any maildrop. */
const EXACT_DIGITS = 15;
/** RFC 4422 section 3.1: sasl-mech. */
const SASL_MECH = /^[A-Z0-9_-]{1,20}$/;
/** RFC 4647 section 2.1. */
const LANGUAGE_RANGE = /^(?:\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)$/;
const SP = 0x20;
const HTAB = 0x09;

function credentialText(octets: Buffer, isUtf8: boolean): string {
  if (isUtf8 && !isUtf8Text(octets)) throw new WireError(0, 'UTF-8');
  return decodeCredentialText(octets);
}

interface Parameter {
  readonly offset: number;
  readonly octets: Buffer;
}

function parameters(argument: Buffer | undefined): Parameter[] {
  const found: Parameter[] = [];
  if (argument === undefined) return found;
  for (let offset = 0; offset < argument.length && found.length < PARAMETER_LIMIT; ) {
    const end = blankFrom(argument, offset);
    if (end > offset) found.push({ offset, octets: argument.subarray(offset, end) });
    offset = end + 1;
  }
  return found;
}

function digits(parameter: Parameter | undefined, expected: string): number {
  const text = parameter?.octets.toString('latin1') ?? '';
  if (!/^[0-9]+$/.test(text)) throw new WireError(parameter?.offset ?? 0, expected);
  return text.length > EXACT_DIGITS ? Number.MAX_SAFE_INTEGER : Number(text);
}

function endOf(surplus: readonly Parameter[]): void {
  if (surplus[0] !== undefined) throw new WireError(surplus[0].offset, 'CRLF');
}

function trimmed(octets: Buffer): Buffer | undefined {
  let start = 0;
  let end = octets.length;
  while (start < end && isBlank(octets[start])) start += 1;
  while (end > start && isBlank(octets[end - 1])) end -= 1;
  return start === end ? undefined : octets.subarray(start, end);
}

function printable(keyword: string): string {
  return keyword.slice(0, KEYWORD_LIMIT_CHARS).replace(/[^\x21-\x7e]/g, '?');
}

function blankFrom(octets: Buffer, offset: number): number {
  let end = offset;
  while (end < octets.length && !isBlank(octets[end])) end += 1;
  return end;
}

function isBlank(octet: number | undefined): boolean {
  return octet === SP || octet === HTAB;
}
