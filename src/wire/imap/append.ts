/**
 * APPEND, whose messages are streamed.
 *
 * RFC 3501 section 6.3.11 and section 9: append; RFC 3502 (MULTIAPPEND): append-message; RFC 3516 section 7: literal8;
 * RFC 6855 section 4: UTF8 (literal8).
 * The framer hands out the command in pieces, each of which ends by announcing a message: the first piece goes to parseAppend(),
 * each later one to parseAppendNext(), the end (`commandEnd`) to parseAppendEnd(). Nothing of a message is kept.
 * Trust: flags and date are checked here; the octets that follow are the message, whatever they are.
 */

import { parseDateTime } from './dates.ts';
import type { DateTime } from './dates.ts';
import type { CommandDecoder } from './decoder.ts';
import { NO_FLAGS, parseFlagList } from './flags.ts';
import type { FlagList } from './flags.ts';
import { parseMailbox } from './mailboxName.ts';
import type { CommandLiteral, CommandSegment } from './segment.ts';

/** A message that is about to be streamed. */
export interface AppendMessage {
  readonly flags: FlagList;
  /** Undefined: now. */
  readonly internalDate: DateTime | undefined;
  /** How many octets follow, and whether the client waits for a continuation. */
  readonly literal: CommandLiteral;
  /** Whether it came as UTF8 (literal8), so that a ")" follows it. */
  readonly isUtf8: boolean;
}

/** APPEND's arguments up to its first message. */
export interface AppendArguments {
  readonly mailbox: string;
  readonly message: AppendMessage;
}

const DQUOTE = 0x22;
const PARENTHESIS_OPEN = 0x28;
const TILDE_OR_BRACE = -1; // a literal announces itself at the end of the line

/** Takes APPEND's arguments up to the first message's announcement. */
export function parseAppend(decoder: CommandDecoder): AppendArguments {
  decoder.sp();
  const mailbox = parseMailbox(decoder);
  return { mailbox, message: parseMessage(decoder) };
}

/** Takes what stands between `previous` message and the next. */
export function parseAppendNext(decoder: CommandDecoder, previous: AppendMessage): AppendMessage {
  closeMessage(decoder, previous);
  return parseMessage(decoder);
}

/** Takes what stands after the last message. */
export function parseAppendEnd(decoder: CommandDecoder, previous: AppendMessage): void {
  closeMessage(decoder, previous);
  decoder.eof();
}

/**
 * Whether the literal announced at the end of `segments` is an APPEND's message, so that it is streamed, rather than its
 * mailbox or any other command's string. For CommandFramer's isStreamedLiteral.
 */
export function isAppendMessage(segments: readonly CommandSegment[]): boolean {
  const line = segments[0]?.line ?? Buffer.alloc(0);
  const tagEnd = line.indexOf(0x20);
  const nameEnd = tagEnd + 1 + APPEND.length;
  if (tagEnd === -1 || line.toString('latin1', tagEnd + 1, nameEnd).toUpperCase() !== APPEND) return false;
  return segments.length > 1 || line.length > nameEnd;
}

const APPEND = 'APPEND ';

function parseMessage(decoder: CommandDecoder): AppendMessage {
  decoder.sp();
  let flags = NO_FLAGS;
  if (decoder.peek() === PARENTHESIS_OPEN) {
    flags = parseFlagList(decoder);
    decoder.sp();
  }
  let internalDate: DateTime | undefined;
  if (decoder.peek() === DQUOTE) {
    internalDate = parseDateTime(decoder);
    decoder.sp();
  }
  const isUtf8 = decoder.peek() !== TILDE_OR_BRACE;
  if (isUtf8) parseUtf8Start(decoder);
  return { flags, internalDate, literal: decoder.announcedLiteral(), isUtf8 };
}

function parseUtf8Start(decoder: CommandDecoder): void {
  const start = decoder.offset;
  if (decoder.label('literal') !== 'UTF8') throw decoder.error('literal', start);
  decoder.sp();
  decoder.special('(');
}

function closeMessage(decoder: CommandDecoder, message: AppendMessage): void {
  if (message.isUtf8) decoder.special(')');
}
