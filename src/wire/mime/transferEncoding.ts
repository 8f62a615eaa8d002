/**
 * Content-Transfer-Encodings taken off, piece by piece (RFC 2045 section 6).
 *
 * Lenient as readers of real mail have to be: what is not base64 is skipped and padding in the middle starts anew (several
 * encoders joined their outputs), a quoted-printable `=` without two hexadecimal digits stands for itself. Unknown encodings
 * pass unchanged; whoever must not guess asks transferEncodingOf first (RFC 3516 section 4.3).
 * Invariant: the same octets come out whatever the pieces. Memory is that of a piece.
 * Trust: nothing; any octets decode to something, in linear time.
 */

import { KIB } from '../../base/units.ts';

/** Decodes one body. One user; `end` comes last. */
export interface TransferDecoder {
  /** The octets that are certain after `piece`. */
  push(piece: Uint8Array): Buffer;
  /** The rest. */
  end(): Buffer;
}

/** What a Content-Transfer-Encoding does to the octets; 'identity' is 7bit, 8bit and binary. */
export type TransferEncoding = 'identity' | 'base64' | 'quotedPrintable';

/** White space at the end of a quoted-printable line that is taken for padding; RFC 2045 allows 76 octets a line, mail 998. */
const PADDING_LIMIT_OCTETS = KIB;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const EQUALS = 0x3d;
const NOTHING = Buffer.alloc(0);

/** What the encoding called `name`, in any case, does; undefined where nobody here knows (x-uuencode and the like). */
export function transferEncodingOf(name: string): TransferEncoding | undefined {
  return ENCODINGS.get(name.trim().toLowerCase());
}

/** A decoder for Content-Transfer-Encoding `name`, in any case. */
export function createTransferDecoder(name: string): TransferDecoder {
  switch (transferEncodingOf(name)) {
    case 'base64':
      return base64Decoder();
    case 'quotedPrintable':
      return quotedPrintableDecoder();
    default:
      return {
        push: (piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.length),
        end: () => NOTHING,
      };
  }
}

const ENCODINGS: ReadonlyMap<string, TransferEncoding> = new Map([
  ['7bit', 'identity'],
  ['8bit', 'identity'],
  ['binary', 'identity'],
  ['base64', 'base64'],
  ['quoted-printable', 'quotedPrintable'],
]);

/** The value of each octet as base64, 64 for what is none; "=" is EQUALS as everywhere. */
const SEXTETS = sextets();

function sextets(): Uint8Array {
  const values = new Uint8Array(256).fill(64);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  for (let value = 0; value < alphabet.length; value += 1) values[alphabet.charCodeAt(value)] = value;
  return values;
}

function base64Decoder(): TransferDecoder {
  const state: Base64State = { group: 0, characters: 0 };
  return {
    push: (piece) => decodeBase64(piece, state),
    end: () => decodeBase64(PADDING, state),
  };
}

/** The group of up to four characters that has begun. */
interface Base64State {
  group: number;
  characters: number;
}

const PADDING = Buffer.of(EQUALS);

/** Four characters are three octets; a group that padding cuts short is two, one or none. */
function decodeBase64(piece: Uint8Array, state: Base64State): Buffer {
  let { group, characters } = state;
  const output = Buffer.allocUnsafe(Math.ceil(((piece.length + characters) * 3) / 4) + 3);
  let length = 0;
  for (let index = 0; index < piece.length; index += 1) {
    const octet = piece[index] as number;
    const sextet = SEXTETS[octet] as number;
    if (sextet < 64) {
      group = (group << 6) | sextet;
      characters += 1;
      if (characters < 4) continue;
      output[length] = group >> 16;
      output[length + 1] = group >> 8;
      output[length + 2] = group;
      length += 3;
    } else if (octet === EQUALS) {
      if (characters >= 2) output[length++] = group >> (characters === 2 ? 4 : 10);
      if (characters === 3) output[length++] = group >> 2;
    } else {
      continue;
    }
    group = 0;
    characters = 0;
  }
  state.group = group;
  state.characters = characters;
  return output.subarray(0, length);
}

function quotedPrintableDecoder(): TransferDecoder {
  const state: QuotedPrintableState = { isInLongRun: false };
  let rest: Buffer = NOTHING;
  const decode = (input: Uint8Array, isLast: boolean): Buffer => {
    const { output, taken } = decodeQuotedPrintable(input, isLast, state);
    rest = Buffer.from(input.subarray(taken));
    return output;
  };
  return {
    push: (piece) => decode(rest.length === 0 ? piece : Buffer.concat([rest, piece]), false),
    end: () => decode(rest, true),
  };
}

interface QuotedPrintableState {
  /** Within white space that is too long to be padding: the rest of it is text as well. */
  isInLongRun: boolean;
}

/** What stands behind an octet or a run of white space: a line end or the body's, text, or what the next piece will tell. */
type Follower = 'lineEnd' | 'text' | 'unknown';

/** Decodes up to what only the next piece can explain. Rules by their numbers in RFC 2045 section 6.7. */
function decodeQuotedPrintable(
  input: Uint8Array,
  isLast: boolean,
  state: QuotedPrintableState,
): { output: Buffer; taken: number } {
  const output = Buffer.allocUnsafe(input.length);
  let length = 0;
  let index = 0;
  while (index < input.length) {
    const octet = input[index] as number;
    const isSpace = octet === SP || octet === TAB;
    if (isSpace ? state.isInLongRun : octet !== EQUALS) {
      state.isInLongRun = isSpace;
      output[length++] = octet;
      index += 1;
      continue;
    }
    state.isInLongRun = false;
    const runStart = isSpace ? index : index + 1;
    const runEnd = endOfSpace(input, runStart);
    const isPadding = runEnd - runStart <= PADDING_LIMIT_OCTETS;
    const follower = isPadding ? followerAt(input, runEnd, isLast) : 'text';
    if (follower === 'unknown') break;
    if (isSpace) {
      // Rule 3: white space at the end of a line was added on the way.
      if (follower === 'lineEnd') index = runEnd;
      else state.isInLongRun = true;
    } else if (follower === 'lineEnd') {
      index = afterLineEnd(input, runEnd); // rule 5: a soft line break
    } else {
      const value = hexAt(input, index + 1);
      if (value === undefined && mayBecomeHex(input, index + 1) && !isLast) break;
      output[length++] = value ?? EQUALS; // rule 1
      index += value === undefined ? 1 : 3;
    }
  }
  return { output: output.subarray(0, length), taken: index };
}

/** The end of the white space at `start`; beyond PADDING_LIMIT_OCTETS nobody needs to know. */
function endOfSpace(input: Uint8Array, start: number): number {
  const limit = Math.min(input.length, start + PADDING_LIMIT_OCTETS + 1);
  let end = start;
  while (end < limit && (input[end] === SP || input[end] === TAB)) end += 1;
  return end;
}

function followerAt(input: Uint8Array, at: number, isLast: boolean): Follower {
  const octet = input[at];
  if (octet === undefined) return isLast ? 'lineEnd' : 'unknown';
  if (octet === LF) return 'lineEnd';
  if (octet !== CR) return 'text';
  const next = input[at + 1];
  if (next === undefined) return isLast ? 'text' : 'unknown';
  return next === LF ? 'lineEnd' : 'text';
}

function afterLineEnd(input: Uint8Array, at: number): number {
  return at + (input[at] === CR ? 2 : 1);
}

function hexAt(input: Uint8Array, at: number): number | undefined {
  const [high, low] = [hexDigit(input[at]), hexDigit(input[at + 1])];
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

/** Whether the input ends after one hexadecimal digit. */
function mayBecomeHex(input: Uint8Array, at: number): boolean {
  return at + 1 === input.length && hexDigit(input[at]) !== undefined;
}

function hexDigit(octet: number | undefined): number | undefined {
  if (octet === undefined) return undefined;
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}
