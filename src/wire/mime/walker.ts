/**
 * The walker: finds out a message's structure while its octets pass.
 *
 * RFC 2046 section 5.1 (multipart) and 5.2.1 (message/rfc822), RFC 7103 for what is odd. Fed by the store's writer with every
 * content, in chunks of any size; the result does not depend on where chunks end. CRLF and bare LF both end a line. A part
 * ends before the line end that stands before its delimiter. The header of a part ends at a blank line, or before a
 * delimiter; a line without colon doesn't end it. Where mail is odd the answers are Dovecot's (message-parser.c), but where the
 * tables of test/wire give a reason.
 * Trust: nothing; any octets are a message. Linear time, memory by limits.ts, never throws. Chunks are not kept: what has to
 * wait for the next one is copied (less than a delimiter line, or the header so far).
 */

import type { Boundaries, Delimiter } from './boundaries.ts';
import { createBoundaries, NEEDS_MORE } from './boundaries.ts';
import { pop3Octets } from './crlf.ts';
import { EMPTY_ENVELOPE } from './envelope.ts';
import { createHeaderOctets } from './headerOctets.ts';
import { MAX_DEPTH, MAX_KEPT_WEIGHT, MAX_PARTS } from './limits.ts';
import type { WordView } from './lineTally.ts';
import { createLineTally, tallyLines, wordView } from './lineTally.ts';
import { asBuffer } from './octets.ts';
import type { OpenPart } from './openPart.ts';
import { closePart, openPart } from './openPart.ts';
import type { PartHeader, PartPlace } from './partHeader.ts';
import { asOpaque, parsePartHeader } from './partHeader.ts';
import type { FetchEnvelope, MimeMessage, MimePart } from './structure.ts';

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;
const NOTHING = Buffer.alloc(0);

/** Takes a content in pieces and tells its structure at the end. */
export interface MimeWalker {
  /** Takes the next octets. The chunk is the caller's again when this returns. */
  push(chunk: Uint8Array): void;
  /** The content has ended. Nothing may be pushed after this. */
  end(): MimeMessage;
}

/** A walker at the start of a content. */
export function createMimeWalker(): MimeWalker {
  return new Walker();
}

/** The structure of a content that is at hand as a whole. */
export function walkMessage(content: Uint8Array): MimeMessage {
  const walker = createMimeWalker();
  walker.push(content);
  return walker.end();
}

/** Where the walker is: in a part's header, in a body (preamble and epilogue included), or in a delimiter line. */
type State = 'header' | 'body' | 'delimiter';

class Walker implements MimeWalker {
  readonly #tally = createLineTally();
  readonly #header = createHeaderOctets();
  readonly #boundaries: Boundaries<OpenPart> = createBoundaries();
  /** The parts that the next octet is in, the root first. */
  readonly #open: OpenPart[] = [];
  #state: State = 'header';
  /** Octets at the start of a line that were too few to tell whether it is a delimiter. */
  #waiting: Uint8Array = NOTHING;
  #parts = 0;
  #weight = 0;
  /** The envelope of the message itself, and its structure once it has ended. */
  #envelope: FetchEnvelope = EMPTY_ENVELOPE;
  #structure: MimePart | undefined;

  constructor() {
    this.#beginPart('message', 0);
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#waiting.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#waiting, chunk]);
    const used = this.#walk(wordView(bytes), false);
    this.#waiting = used === bytes.length ? NOTHING : Uint8Array.prototype.slice.call(bytes, used);
  }

  end(): MimeMessage {
    this.#walk(wordView(this.#waiting), true);
    const { octets, lineFeeds } = this.#tally;
    this.#endHeaders(octets, lineFeeds);
    this.#endPartsAbove(0, octets, lineFeeds);
    const structure = this.#structure as MimePart;
    return { structure, envelope: this.#envelope, octets, pop3Octets: pop3Octets(this.#tally) };
  }

  /** Walks over the octets and returns how many it took; the rest is to come again with more behind it. */
  #walk(view: WordView, isEnd: boolean): number {
    let at = 0;
    while (at < view.bytes.length) {
      const next = this.#step(view, at, isEnd);
      if (next === NEEDS_MORE) break;
      at = next;
    }
    return at;
  }

  #step(view: WordView, at: number, isEnd: boolean): number | typeof NEEDS_MORE {
    switch (this.#state) {
      case 'header':
        return this.#walkHeader(view, at, isEnd);
      case 'body':
        return this.#walkBody(view, at, isEnd);
      case 'delimiter':
        return this.#walkDelimiter(view, at);
    }
  }

  /** Walks to the end of the header, to a delimiter in it, or as far as the octets go. */
  #walkHeader(view: WordView, start: number, isEnd: boolean): number | typeof NEEDS_MORE {
    const { bytes } = view;
    let isLineStart = this.#tally.last === LF;
    let at = start;
    while (at < bytes.length) {
      const found = isLineStart ? this.#lookAtHeaderLine(bytes, at, isEnd) : undefined;
      if (found !== undefined) {
        if (found === NEEDS_MORE && at === start) return NEEDS_MORE;
        this.#takeHeader(view, start, at);
        if (found === NEEDS_MORE) return at;
        if (typeof found !== 'number') return this.#meetDelimiter(found, at);
        this.#takeHeader(view, at, at + found);
        this.#endHeader(this.#tally.octets, this.#tally.lineFeeds);
        return at + found;
      }
      const lineFeed = bytes.indexOf(LF, at);
      isLineStart = lineFeed !== -1;
      at = isLineStart ? lineFeed + 1 : bytes.length;
    }
    this.#takeHeader(view, start, at);
    return at;
  }

  /** What begins at the start of a line of a header: a blank line (its octets), a delimiter, or nothing of note. */
  #lookAtHeaderLine(
    bytes: Uint8Array,
    at: number,
    isEnd: boolean,
  ): number | Delimiter<OpenPart> | typeof NEEDS_MORE | undefined {
    const octet = bytes[at];
    if (octet === LF) return 1;
    if (octet === CR) {
      if (at + 1 < bytes.length) return bytes[at + 1] === LF ? 2 : undefined;
      return isEnd ? undefined : NEEDS_MORE;
    }
    return this.#lookForDelimiter(bytes, at, isEnd);
  }

  #lookForDelimiter(
    bytes: Uint8Array,
    at: number,
    isEnd: boolean,
  ): Delimiter<OpenPart> | typeof NEEDS_MORE | undefined {
    if (bytes[at] !== DASH || this.#boundaries.size === 0) return undefined;
    return this.#boundaries.match(bytes, at, isEnd);
  }

  #takeHeader(view: WordView, from: number, to: number): void {
    this.#header.add(view.bytes, from, to);
    tallyLines(this.#tally, view, from, to, false);
  }

  /** Walks to the next line that may be a delimiter, or meets the one that begins here. */
  #walkBody(view: WordView, at: number, isEnd: boolean): number | typeof NEEDS_MORE {
    const { bytes } = view;
    if (this.#tally.last === LF) {
      const found = this.#lookForDelimiter(bytes, at, isEnd);
      if (found === NEEDS_MORE) return NEEDS_MORE;
      if (found !== undefined) return this.#meetDelimiter(found, at);
    }
    return tallyLines(this.#tally, view, at, bytes.length, this.#boundaries.size > 0);
  }

  /** Walks over the rest of a delimiter line. */
  #walkDelimiter(view: WordView, at: number): number {
    const lineFeed = view.bytes.indexOf(LF, at);
    if (lineFeed === -1) return tallyLines(this.#tally, view, at, view.bytes.length, false);
    tallyLines(this.#tally, view, at, lineFeed + 1, false);
    const owner = this.#open.at(-1);
    this.#state = 'body';
    if (owner?.hasOpenBoundary === true) {
      const isDigest = owner.header?.fields.subtype.toLowerCase() === 'digest';
      this.#beginPart(isDigest ? 'digest' : 'multipart', this.#tally.octets);
    }
    return lineFeed + 1;
  }

  /** A delimiter begins at the present octet: everything inside its multipart ends before the line end before it. */
  #meetDelimiter(delimiter: Delimiter<OpenPart>, at: number): number {
    const { owner, isClosing } = delimiter;
    const { octets, lineFeeds, lineEndOctets } = this.#tally;
    const inner = this.#open.at(-1);
    const innerStart = (this.#state === 'header' ? inner?.headerStart : inner?.bodyStart) ?? octets;
    const isAtStart = innerStart === octets;
    const end = isAtStart ? octets : octets - lineEndOctets;
    const lineFeedsBefore = isAtStart ? lineFeeds : lineFeeds - 1;
    this.#endHeaders(end, lineFeedsBefore);
    this.#endPartsAbove(this.#open.indexOf(owner) + 1, end, lineFeedsBefore);
    if (isClosing) this.#closeBoundary(owner);
    this.#state = 'delimiter';
    return at;
  }

  #beginPart(place: PartPlace, headerStart: number): void {
    this.#parts += 1;
    this.#open.push(openPart(place, headerStart));
    this.#header.clear();
    this.#state = 'header';
    if (this.#parts >= MAX_PARTS) this.#boundaries.clear();
  }

  /** Ends the header that the walker is in, if any, and those of the messages that begin with its body. */
  #endHeaders(end: number, lineFeeds: number): void {
    while (this.#state === 'header') this.#endHeader(end, lineFeeds);
  }

  /** The present part's header ends, and its body begins. */
  #endHeader(bodyStart: number, lineFeeds: number): void {
    const part = this.#open.at(-1) as OpenPart;
    const parsed = this.#admit(parsePartHeader(this.#header.text(), part.place));
    part.header = parsed;
    part.bodyStart = bodyStart;
    part.lineFeedsBefore = lineFeeds;
    if (part.place === 'message') this.#keepEnvelope(parsed.envelope ?? EMPTY_ENVELOPE);
    this.#state = 'body';
    if (parsed.boundary !== undefined) {
      this.#boundaries.add(parsed.boundary, part);
      part.hasOpenBoundary = true;
    }
    if (parsed.kind === 'message') this.#beginPart('message', bodyStart);
  }

  /** The header as it is, or as an opaque one where a limit forbids to look inside the part. */
  #admit(header: PartHeader): PartHeader {
    this.#weight += header.weight;
    if (this.#weight > MAX_KEPT_WEIGHT) this.#boundaries.clear();
    if (header.kind !== 'multipart' && header.kind !== 'message') return header;
    const isFull =
      this.#weight > MAX_KEPT_WEIGHT || this.#parts >= MAX_PARTS || this.#open.length >= MAX_DEPTH;
    return isFull ? asOpaque(header) : header;
  }

  #keepEnvelope(envelope: FetchEnvelope): void {
    const outer = this.#open.at(-2);
    if (outer === undefined) this.#envelope = envelope;
    else outer.envelope = envelope;
  }

  /** Ends all parts from this depth on. */
  #endPartsAbove(depth: number, bodyEnd: number, lineFeeds: number): void {
    while (this.#open.length > depth) {
      const part = this.#open.pop() as OpenPart;
      this.#closeBoundary(part);
      const closed = closePart(part, bodyEnd, lineFeeds);
      const outer = this.#open.at(-1);
      if (outer === undefined) this.#structure = closed;
      else outer.parts.push(closed);
    }
  }

  #closeBoundary(part: OpenPart): void {
    if (part.hasOpenBoundary) this.#boundaries.removeLast();
    part.hasOpenBoundary = false;
  }
}
