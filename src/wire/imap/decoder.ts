/**
 * A cursor over one command, with a method for each lexical rule of the grammar.
 *
 * RFC 3501 section 9, in its order: astring, atom, literal, nil, nstring, number, nz-number, quoted, string, tag; RFC 4466
 * section 3: tagged-ext-label. Rules with a meaning of their own (dates, flags, mailboxes, sequence sets, sections) stand in
 * files of their own and take a decoder.
 * A method takes what its rule says or throws WireError with the offset in the command (a line end counts as two octets).
 * Trust: nothing is believed; what is looked at was bounded by framing.ts.
 */

import { WireError } from '../../base/error.ts';
import { ASTRING_CHAR, ATOM_CHAR, DIGIT, LABEL_CHAR, OCTET_CLASSES, TAG_CHAR } from './octetClass.ts';
import type { CommandLiteral, CommandSegment } from './segment.ts';

const SP = 0x20;
const DQUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUL = 0x00;
const ZERO = 0x30;
const NINE = 0x39;
const CR = 0x0d;
const LF = 0x0a;

/** The largest number (RFC 3501 section 9). */
export const NUMBER_MAX = 0xffff_ffff;
/** The largest number64 and mod-sequence-value (RFC 7162 section 7, RFC 8438 section 3): 2^63 - 1. */
const NUMBER64_MAX = 2n ** 63n - 1n;

const NOTHING: CommandSegment = { line: Buffer.alloc(0), offset: 0, literal: undefined };

/** Reads one command from its first octet to its last. */
export class CommandDecoder {
  readonly #segments: readonly CommandSegment[];
  #segmentIndex = 0;
  #segment: CommandSegment;
  #line: Buffer;
  #position = 0;

  /** The segments of a whole command, or of its beginning up to an announced literal, as framing.ts hands them out. */
  constructor(segments: readonly CommandSegment[]) {
    this.#segments = segments;
    this.#segment = segments[0] ?? NOTHING;
    this.#line = this.#segment.line;
  }

  /** Offset in the command of what comes next. */
  get offset(): number {
    return this.#segment.offset + this.#position;
  }

  /** A WireError here, or at `offset`, for the caller to throw. */
  error(expected: string, offset: number = this.offset): WireError {
    return new WireError(offset, expected);
  }

  /** The octet that comes next, or -1 at the end of the line, whether a literal follows there or not. */
  peek(): number {
    return this.#line[this.#position] ?? -1;
  }

  /** Whether `text` (US-ASCII in upper case) comes next, in any case; takes nothing. */
  comesNext(text: string): boolean {
    const end = this.#position + text.length;
    return this.#line.toString('latin1', this.#position, end).toUpperCase() === text;
  }

  /** Takes `octet` if it comes next. */
  accept(octet: number): boolean {
    if (this.#line[this.#position] !== octet) return false;
    this.#position += 1;
    return true;
  }

  /** Takes `char` (one US-ASCII character). */
  special(char: string): void {
    if (!this.accept(char.charCodeAt(0))) throw this.error(`"${char}"`);
  }

  /** SP: exactly one. */
  sp(): void {
    if (!this.accept(SP)) throw this.error('SP');
  }

  /** The end of the command. */
  eof(): void {
    if (this.#position < this.#line.length || this.#segment.literal !== undefined) throw this.error('CRLF');
  }

  /** astring. */
  astring(): Buffer {
    if (this.atString()) return this.string();
    return this.run(ASTRING_CHAR, 'astring');
  }

  /**
   * astring as LOGIN gets it.
   *
   * Deviates from RFC 3501 section 9 because clients of Exchange and hMailServer send `DOMAIN\user` without doubling the
   * backslash, quoted or not: a backslash that escapes nothing stands for itself.
   */
  looseAstring(): Buffer {
    if (this.peek() === DQUOTE) return this.#quoted(true);
    if (this.atString()) return this.string();
    const start = this.#position;
    while (this.#is(ASTRING_CHAR) || this.peek() === BACKSLASH) this.#position += 1;
    if (this.#position === start) throw this.error('astring');
    return this.#line.subarray(start, this.#position);
  }

  /** atom, in the case that it was sent in. */
  atom(): string {
    return this.run(ATOM_CHAR, 'atom').toString('latin1');
  }

  /** tagged-ext-label, or a name that looks like one, in upper case. `expected` is what the error calls it. */
  label(expected: string): string {
    return this.run(LABEL_CHAR, expected).toString('latin1').toUpperCase();
  }

  /** A list of one or more items in parentheses. */
  list<Item>(item: () => Item): readonly Item[] {
    this.special('(');
    return this.#listItems(item);
  }

  /** A list of any number of items in parentheses. */
  listOrEmpty<Item>(item: () => Item): readonly Item[] {
    this.special('(');
    return this.accept(0x29) ? [] : this.#listItems(item);
  }

  /** Whether a string comes next. */
  atString(): boolean {
    return this.peek() === DQUOTE || this.atLiteral();
  }

  /** Whether a literal comes next, of any kind. */
  atLiteral(): boolean {
    return this.#position === this.#line.length && this.#segment.literal !== undefined;
  }

  /** The announcement of a streamed literal or literal8, which comes last in what was handed in so far. */
  announcedLiteral(): CommandLiteral {
    const { literal } = this.#segment;
    if (!this.atLiteral() || literal === undefined) throw this.error('literal');
    return literal;
  }

  /** nstring; undefined for NIL. */
  nstring(): Buffer | undefined {
    if (this.atString()) return this.string();
    if (!this.nil()) throw this.error('nstring');
    return undefined;
  }

  /** Takes NIL if it comes next. */
  nil(): boolean {
    const end = this.#runEnd(ATOM_CHAR);
    if (end - this.#position !== 3) return false;
    if (this.#line.toString('latin1', this.#position, end).toUpperCase() !== 'NIL') return false;
    this.#position = end;
    return true;
  }

  /** number: at most 32 bits. */
  number(): number {
    const start = this.#position;
    let value = 0;
    while (this.#is(DIGIT)) {
      value = value * 10 + this.peek() - ZERO;
      if (value > NUMBER_MAX) throw this.error('number below 2^32', this.#segment.offset + start);
      this.#position += 1;
    }
    if (this.#position === start) throw this.error('number');
    return value;
  }

  /** number64 or mod-sequence-valzer: at most 63 bits. What exceeds 2^53 - 1 becomes that: no value of ours ever does. */
  number64(): number {
    const start = this.offset;
    const digits = this.run(DIGIT, 'number64').toString('latin1');
    const value = Number(digits);
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    if (BigInt(digits) > NUMBER64_MAX) throw this.error('number64 below 2^63', start);
    return Number.MAX_SAFE_INTEGER;
  }

  /** nz-number. */
  nzNumber(): number {
    const digit = this.peek();
    if (digit <= ZERO || digit > NINE) throw this.error('nz-number');
    return this.number();
  }

  /** quoted. 8-bit is taken as it is: clients send it, and no rule makes it ambiguous. */
  quoted(): Buffer {
    return this.#quoted(false);
  }

  /** One or more octets of `octetClass` (octetClass.ts). `expected` is what the error calls them. */
  run(octetClass: number, expected: string): Buffer {
    const start = this.#position;
    const end = this.#runEnd(octetClass);
    if (end === start) throw this.error(expected);
    this.#position = end;
    return this.#line.subarray(start, end);
  }

  /** string. */
  string(): Buffer {
    if (this.peek() === DQUOTE) return this.#quoted(false);
    if (this.atLiteral()) return this.#literal();
    throw this.error('string');
  }

  /** tag. */
  tag(): string {
    return this.run(TAG_CHAR, 'tag').toString('latin1');
  }

  #listItems<Item>(item: () => Item): readonly Item[] {
    const items = [item()];
    while (!this.accept(0x29)) {
      if (!this.accept(SP)) throw this.error('SP or ")"');
      items.push(item());
    }
    return items;
  }

  #literal(): Buffer {
    const literal = this.announcedLiteral();
    if (literal.isLiteral8) throw this.error('literal');
    if (literal.octets === undefined) throw this.error('octets of the literal', literal.offset);
    const nul = literal.octets.indexOf(NUL);
    if (nul !== -1) throw this.error('CHAR8', literal.offset + nul);
    this.#segmentIndex += 1;
    this.#segment = this.#segments[this.#segmentIndex] ?? {
      ...NOTHING,
      offset: literal.offset + literal.octetCount,
    };
    this.#line = this.#segment.line;
    this.#position = 0;
    return literal.octets;
  }

  #quoted(mayLeaveBackslash: boolean): Buffer {
    const line = this.#line;
    if (this.peek() !== DQUOTE) throw this.error('DQUOTE');
    const start = this.#position + 1;
    let escapes = 0;
    let index = start;
    for (; line[index] !== DQUOTE; index += 1) {
      const octet = line[index];
      if (octet === undefined || octet === NUL || octet === CR || octet === LF) {
        throw this.error('QUOTED-CHAR or DQUOTE', this.#segment.offset + index);
      }
      if (octet !== BACKSLASH) continue;
      if (isQuotedSpecial(line[index + 1])) {
        escapes += 1;
        index += 1;
      } else if (!mayLeaveBackslash) {
        throw this.error('quoted-specials', this.#segment.offset + index + 1);
      }
    }
    this.#position = index + 1;
    const content = line.subarray(start, index);
    return escapes === 0 ? content : withoutEscapes(content, escapes);
  }

  #is(octetClass: number): boolean {
    const octet = this.#line[this.#position];
    return octet !== undefined && ((OCTET_CLASSES[octet] as number) & octetClass) !== 0;
  }

  #runEnd(octetClass: number): number {
    const line = this.#line;
    let index = this.#position;
    while (index < line.length && ((OCTET_CLASSES[line[index] as number] as number) & octetClass) !== 0) {
      index += 1;
    }
    return index;
  }
}

function isQuotedSpecial(octet: number | undefined): boolean {
  return octet === DQUOTE || octet === BACKSLASH;
}

function withoutEscapes(content: Buffer, escapes: number): Buffer {
  const plain = Buffer.allocUnsafe(content.length - escapes);
  let length = 0;
  for (let index = 0; index < content.length; index += 1) {
    if (content[index] === BACKSLASH && isQuotedSpecial(content[index + 1])) index += 1;
    plain[length] = content[index] as number;
    length += 1;
  }
  return plain;
}
