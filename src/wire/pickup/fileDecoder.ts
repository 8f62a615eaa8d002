/**
 * A file as some program wrote it, as the octets of a message: UTF-8 or whatever 8-bit octets it holds, every line ending with CRLF.
 *
 * Byte order marks go (.NET writes them), UTF-16 becomes UTF-8 (PowerShell's `>` writes it, with a mark or without), bare LF and
 * CR become CRLF, CR CR LF too, which is what writing CRLF in text mode leaves on Windows, and a last line without line end gets one.
 * Everything else stays octet for octet. What a UTF-16 file says of its charset may so become untrue; nobody could tell it.
 * Blocks may be cut anywhere. Never throws: half a surrogate pair or an odd last octet becomes U+FFFD.
 * Trust: nothing; work is linear and memory a few times a block.
 */

import { createCrlfConverter } from '../mime/crlf.ts';

/** What was changed beside nothing. */
export type FileChange = 'byteOrderMark' | 'utf16' | 'lineEnds';

/** Decodes one file. What comes out may share the block's memory. */
export interface FileDecoder {
  push(block: Buffer): Buffer;
  /** What is still owed; nothing may be pushed after it. */
  end(): Buffer;
  /** `utf8` stands for any octets that are not UTF-16; certain after SNIFFED_OCTETS octets or `end`. */
  readonly encoding: 'utf8' | 'utf16le' | 'utf16be';
  /** Each once, so far. */
  readonly changes: readonly FileChange[];
}

/** Octets that tell the encoding: three characters in UTF-16, as many as the shortest field that a message begins with (`To:`). */
const SNIFFED_OCTETS = 6;
const UTF8_MARK = Buffer.of(0xef, 0xbb, 0xbf);
const UTF16LE_MARK = Buffer.of(0xff, 0xfe);
const UTF16BE_MARK = Buffer.of(0xfe, 0xff);
const LF = 0x0a;
const CR = 0x0d;
const DOUBLED_RETURN = Buffer.from('\r\r\n');
const NOTHING = Buffer.alloc(0);

/** A decoder at the start of a file. */
export function createFileDecoder(): FileDecoder {
  const lineEnds = createLineEnds();
  const changes = new Set<FileChange>();
  let encoding: FileDecoder['encoding'] = 'utf8';
  let opening: Buffer | undefined = NOTHING;
  let utf16: ReturnType<typeof createUtf16> | undefined;
  /** Looks at the first octets; what stands behind the mark. */
  const begin = (first: Buffer): Buffer => {
    const found = sniff(first);
    opening = undefined;
    encoding = found.encoding;
    if (found.markOctets > 0) changes.add('byteOrderMark');
    if (encoding !== 'utf8') {
      changes.add('utf16');
      utf16 = createUtf16(encoding);
    }
    return first.subarray(found.markOctets);
  };
  return {
    push(block) {
      let octets = block;
      if (opening !== undefined) {
        opening = opening.length === 0 ? block : Buffer.concat([opening, block]);
        if (opening.length < SNIFFED_OCTETS) {
          opening = Buffer.from(opening);
          return NOTHING;
        }
        octets = begin(opening);
      }
      return lineEnds.push(utf16 === undefined ? octets : utf16.push(octets));
    },
    end() {
      const first = opening === undefined ? NOTHING : begin(opening);
      const octets = utf16 === undefined ? first : Buffer.concat([utf16.push(first), utf16.end()]);
      return Buffer.concat([lineEnds.push(octets), lineEnds.end()]);
    },
    get encoding() {
      return encoding;
    },
    get changes() {
      if (lineEnds.isChanged) changes.add('lineEnds');
      return [...changes];
    },
  };
}

interface Sniffed {
  readonly encoding: FileDecoder['encoding'];
  readonly markOctets: number;
}

function sniff(first: Buffer): Sniffed {
  if (beginsWith(first, UTF8_MARK)) return { encoding: 'utf8', markOctets: UTF8_MARK.length };
  if (beginsWith(first, UTF16LE_MARK)) return { encoding: 'utf16le', markOctets: UTF16LE_MARK.length };
  if (beginsWith(first, UTF16BE_MARK)) return { encoding: 'utf16be', markOctets: UTF16BE_MARK.length };
  if (isAsciiInUtf16(first, 0)) return { encoding: 'utf16le', markOctets: 0 };
  if (isAsciiInUtf16(first, 1)) return { encoding: 'utf16be', markOctets: 0 };
  return { encoding: 'utf8', markOctets: 0 };
}

function beginsWith(octets: Buffer, mark: Buffer): boolean {
  return octets.subarray(0, mark.length).equals(mark);
}

/** Whether a field name could begin so: each octet that is even (`odd` 1: odd) is US-ASCII, and each other one NUL. */
function isAsciiInUtf16(first: Buffer, odd: 0 | 1): boolean {
  if (first.length < SNIFFED_OCTETS) return false;
  return first
    .subarray(0, SNIFFED_OCTETS)
    .every((octet, at) => (at % 2 === odd ? octet > 0 && octet < 0x80 : octet === 0));
}

function createUtf16(encoding: 'utf16le' | 'utf16be') {
  const decoder = new TextDecoder(encoding === 'utf16le' ? 'utf-16le' : 'utf-16be', { ignoreBOM: true });
  return {
    push: (octets: Buffer) => Buffer.from(decoder.decode(octets, { stream: true })),
    end: () => Buffer.from(decoder.decode()),
  };
}

/** CRLF for every line end. */
function createLineEnds() {
  const converter = createCrlfConverter();
  /** CRs at the end of a block, two at most, before it is known whether LF follows. */
  let held: Buffer = NOTHING;
  let isChanged = false;
  const convert = (octets: Buffer): Buffer => {
    const converted = converter.push(octets);
    if (converted.length !== octets.length) isChanged = true;
    return converted;
  };
  return {
    push(block: Buffer): Buffer {
      const octets = held.length === 0 ? block : Buffer.concat([held, block]);
      const end = octets.length - returnsAtEnd(octets);
      held = end === octets.length ? NOTHING : Buffer.from(octets.subarray(end));
      const known = octets.subarray(0, end);
      if (!known.includes(DOUBLED_RETURN)) return convert(known);
      isChanged = true;
      return convert(withoutDoubledReturns(known));
    },
    end(): Buffer {
      const last = convert(held);
      const owed = converter.end();
      if (owed.length > 0) isChanged = true;
      return Buffer.concat([last, owed]);
    },
    get isChanged() {
      return isChanged;
    },
  };
}

/** How many octets at the end may be of a CR CR LF that the next block ends. */
function returnsAtEnd(octets: Buffer): number {
  if (octets.at(-1) !== CR) return 0;
  return octets.at(-2) === CR ? 2 : 1;
}

function withoutDoubledReturns(octets: Buffer): Buffer {
  const out = Buffer.allocUnsafe(octets.length);
  let length = 0;
  for (let at = 0; at < octets.length; at += 1) {
    const octet = octets[at] as number;
    if (octet !== CR || octets[at + 1] !== CR || octets[at + 2] !== LF) out[length++] = octet;
  }
  return out.subarray(0, length);
}
