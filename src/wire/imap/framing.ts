/**
 * The incremental reader that cuts a client's octets into commands, raw lines and streamed literals.
 *
 * RFC 3501 section 2.2.1 and 4.3, RFC 2683 section 3.2.1.5 (long lines), RFC 7888 (LITERAL+ and LITERAL-), RFC 2177 (DONE).
 * The session pushes what arrives and pulls events one by one; nothing is read ahead of the session's decision, so that
 * STARTTLS, AUTHENTICATE, IDLE and a refused literal take effect at the very octet. A message that is appended passes
 * through in pieces and is never collected.
 * Invariant: octets of a literal are never taken for a command, whatever went wrong before them. Never throws.
 * Trust: nothing is believed; lines, literals and their number are bounded before anything is kept.
 */

import { KIB } from '../../base/units.ts';
import { findTag } from './command.ts';
import { DEFAULT_FRAMER_LIMITS } from './frame.ts';
import type { CommandFramer, FrameEvent, FrameLimit, FramerLimits, FramerOptions } from './frame.ts';
import { OctetQueue } from './octetQueue.ts';
import { parseLiteralAnnouncement } from './segment.ts';
import type { CommandLiteral, CommandSegment, LiteralAnnouncement } from './segment.ts';

/** A framer at the beginning of a command. */
export function createCommandFramer(options: FramerOptions = {}): CommandFramer {
  return new Framer(options);
}

type FramerState =
  | { readonly kind: 'line' }
  | { readonly kind: 'undecided'; readonly literal: CommandLiteral; readonly isStreamed: boolean }
  | { readonly kind: 'collect'; readonly literal: CommandLiteral }
  | { readonly kind: 'stream'; remaining: number }
  | { readonly kind: 'drop'; remaining: number }
  | { readonly kind: 'dropLine'; tail: Buffer; readonly isRaw: boolean };

const SP = 0x20;
const AT_LINE: FramerState = { kind: 'line' };
const LINE_END_OCTETS = 2; // offsets count a line end as CRLF
const TAG_SEARCH_OCTETS = 1 * KIB; // a tag beyond this is not worth echoing
const ANNOUNCEMENT_LIMIT_OCTETS = 64; // of an overlong line's end: any literal announcement that a real client writes

class Framer implements CommandFramer {
  readonly #queue: OctetQueue;
  readonly #isStreamedLiteral: (segments: readonly CommandSegment[]) => boolean;
  #limits: FramerLimits;
  #state: FramerState = AT_LINE;
  #command = newCommand();
  #expectsRawLine = false;

  constructor(options: FramerOptions) {
    const { toleratesBareLf = true, isStreamedLiteral = () => false, ...limits } = options;
    this.#queue = new OctetQueue(toleratesBareLf);
    this.#isStreamedLiteral = isStreamedLiteral;
    this.#limits = { ...DEFAULT_FRAMER_LIMITS, ...limits };
  }

  get waitingOctets(): number {
    return this.#queue.length;
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#queue.push(chunk);
  }

  next(): FrameEvent | undefined {
    for (;;) {
      const step = this.#step();
      if (step !== 'again') return step;
    }
  }

  acceptLiteral(): void {
    const state = this.#state;
    if (state.kind !== 'undecided') return;
    const { literal, isStreamed } = state;
    this.#state = isStreamed
      ? { kind: 'stream', remaining: literal.octetCount }
      : { kind: 'collect', literal };
  }

  refuseCommand(): void {
    const state = this.#state;
    if (state.kind === 'undecided' && state.literal.isSynchronising) this.#startCommand();
    else if (state.kind === 'undecided') this.#drop(state.literal.octetCount);
    else if (state.kind === 'stream') this.#drop(state.remaining);
    else if (state.kind === 'line' && this.#command.hasStreamed) this.#dropLine(false);
  }

  expectLine(): void {
    this.#expectsRawLine = true;
  }

  setLimits(limits: Partial<FramerLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
  }

  discardInput(): number {
    return this.#queue.clear();
  }

  takeInput(): Buffer {
    return this.#queue.takeSome(this.#queue.length);
  }

  /** One event, undefined for want of octets or a decision, or 'again' when only the state changed. */
  #step(): FrameEvent | undefined | 'again' {
    const state = this.#state;
    switch (state.kind) {
      case 'line':
        return this.#expectsRawLine ? this.#readRawLine() : this.#readLine();
      case 'undecided':
        return undefined;
      case 'collect':
        return this.#collect(state.literal);
      case 'stream':
        return this.#stream(state);
      case 'drop':
        return this.#dropLiteral(state);
      case 'dropLine':
        return this.#dropRestOfLine(state);
    }
  }

  #readLine(): FrameEvent | undefined | 'again' {
    const command = this.#command;
    const line = this.#queue.takeLine(this.#limits.lineLimitOctets - command.lineOctets);
    if (line === 'incomplete') return undefined;
    if (line === 'tooLong') {
      const tag = this.#tagOfStart();
      this.#dropLine(false);
      return { kind: 'tooLong', limit: 'line', tag, discardOctets: 0 };
    }
    command.tag = this.#tag(line);
    command.lineOctets += line.length;
    const announcement = parseLiteralAnnouncement(line);
    if (announcement !== undefined) return this.#announceLiteral(line, announcement);
    command.segments.push({ line, offset: command.offset, literal: undefined });
    const { segments, hasStreamed } = command;
    this.#startCommand();
    return { kind: hasStreamed ? 'commandEnd' : 'command', segments };
  }

  #readRawLine(): FrameEvent | undefined {
    const line = this.#queue.takeLine(this.#limits.lineLimitOctets);
    if (line === 'incomplete') return undefined;
    this.#expectsRawLine = false;
    if (line !== 'tooLong') return { kind: 'line', octets: line };
    this.#dropLine(true);
    return { kind: 'tooLong', limit: 'line', tag: undefined, discardOctets: 0 };
  }

  #announceLiteral(line: Buffer, announcement: LiteralAnnouncement): FrameEvent | 'again' {
    const command = this.#command;
    const literal: CommandLiteral = {
      octetCount: announcement.octetCount,
      isSynchronising: announcement.isSynchronising,
      isLiteral8: announcement.isLiteral8,
      offset: command.offset + line.length + LINE_END_OCTETS,
      octets: undefined,
    };
    command.segments.push({ line: line.subarray(0, announcement.start), offset: command.offset, literal });
    const isStreamed = command.hasStreamed || this.#isStreamedLiteral(command.segments);
    const limit = this.#passedLimit(literal, isStreamed);
    if (limit !== undefined) return this.#refuseLiteral(literal, limit);
    if (isStreamed) return this.#startStream(literal);
    if (!literal.isSynchronising) {
      this.#state = { kind: 'collect', literal };
      return 'again';
    }
    this.#state = { kind: 'undecided', literal, isStreamed };
    return { kind: 'needContinuation', segments: command.segments.slice(), literal };
  }

  #startStream(literal: CommandLiteral): FrameEvent {
    const command = this.#command;
    const { segments, hasStreamed } = command;
    command.segments = [];
    command.lineOctets = 0;
    command.hasStreamed = true;
    command.offset = literal.offset + literal.octetCount;
    this.#state = { kind: 'undecided', literal, isStreamed: true };
    return { kind: 'literalStart', segments, literal, isFirst: !hasStreamed };
  }

  #passedLimit(literal: CommandLiteral, isStreamed: boolean): FrameLimit | undefined {
    const { literalCountLimit, literalLimitOctets, nonSynchronisingLimitOctets } = this.#limits;
    if (!literal.isSynchronising && literal.octetCount > nonSynchronisingLimitOctets) return 'literal';
    if (isStreamed) return undefined;
    if (this.#command.literalOctets + literal.octetCount > literalLimitOctets) return 'literal';
    return this.#command.literalCount >= literalCountLimit ? 'literalCount' : undefined;
  }

  #refuseLiteral(literal: CommandLiteral, limit: FrameLimit): FrameEvent {
    const { tag } = this.#command;
    const discardOctets = literal.isSynchronising ? 0 : literal.octetCount;
    if (literal.isSynchronising) this.#startCommand();
    else this.#drop(discardOctets);
    return { kind: 'tooLong', limit, tag, discardOctets };
  }

  #collect(announced: CommandLiteral): undefined | 'again' {
    if (this.#queue.length < announced.octetCount) return undefined;
    const command = this.#command;
    const octets = this.#queue.takeSome(announced.octetCount);
    const last = command.segments.pop();
    if (last !== undefined) command.segments.push({ ...last, literal: { ...announced, octets } });
    command.literalOctets += octets.length;
    command.literalCount += 1;
    command.offset = announced.offset + octets.length;
    this.#state = AT_LINE;
    return 'again';
  }

  #stream(state: { remaining: number }): FrameEvent | undefined {
    if (state.remaining === 0) {
      this.#state = AT_LINE;
      return { kind: 'literalEnd' };
    }
    if (this.#queue.length === 0) return undefined;
    const octets = this.#queue.takeSome(state.remaining);
    state.remaining -= octets.length;
    return { kind: 'literalData', octets };
  }

  #dropLiteral(state: { remaining: number }): undefined | 'again' {
    if (state.remaining === 0) {
      this.#dropLine(false);
      return 'again';
    }
    if (this.#queue.length === 0) return undefined;
    state.remaining -= this.#queue.takeSome(state.remaining).length;
    return 'again';
  }

  /** A line of a command that was given up may itself announce a literal, which belongs to that command. */
  #dropRestOfLine(state: { tail: Buffer; readonly isRaw: boolean }): undefined | 'again' {
    const { isWhole, tail } = this.#queue.dropLine(ANNOUNCEMENT_LIMIT_OCTETS);
    if (tail.length > 0) {
      const joined = state.tail.length === 0 ? tail : Buffer.concat([state.tail, tail]);
      state.tail = joined.subarray(-ANNOUNCEMENT_LIMIT_OCTETS);
    }
    if (!isWhole) return undefined;
    const announcement = state.isRaw ? undefined : parseLiteralAnnouncement(state.tail);
    // A client that waits for a continuation gets the command's tagged answer instead, and does not send the literal.
    if (announcement === undefined || announcement.isSynchronising) this.#startCommand();
    else this.#drop(announcement.octetCount);
    return 'again';
  }

  #startCommand(): void {
    this.#command = newCommand();
    this.#state = AT_LINE;
  }

  #drop(octetCount: number): void {
    this.#command = newCommand();
    this.#state = { kind: 'drop', remaining: octetCount };
  }

  #dropLine(isRaw: boolean): void {
    this.#command = newCommand();
    this.#state = { kind: 'dropLine', tail: Buffer.alloc(0), isRaw };
  }

  /** The tag of a command whose line is not whole: no more of it is looked at than has arrived however it was split. */
  #tagOfStart(): string | undefined {
    const start = this.#queue.peek(Math.min(TAG_SEARCH_OCTETS, this.#limits.lineLimitOctets));
    return this.#command.offset > 0 || start.includes(SP) ? this.#tag(start) : undefined;
  }

  #tag(line: Buffer): string | undefined {
    return this.#command.offset > 0 ? this.#command.tag : findTag(line.subarray(0, TAG_SEARCH_OCTETS));
  }
}

/** What is known of the command in hand. */
interface PendingCommand {
  segments: CommandSegment[];
  tag: string | undefined;
  /** Offset of the next line. */
  offset: number;
  lineOctets: number;
  literalOctets: number;
  literalCount: number;
  hasStreamed: boolean;
}

function newCommand(): PendingCommand {
  return {
    segments: [],
    tag: undefined,
    offset: 0,
    lineOctets: 0,
    literalOctets: 0,
    literalCount: 0,
    hasStreamed: false,
  };
}
