/**
 * Response lines, each with its CRLF: conditions, continuation requests, and untagged data that need no file of their own.
 *
 * RFC 3501 section 7 and section 9: continue-req, resp-cond-*, response-*, capability-data, mailbox-data, message-data;
 * RFC 2342 section 6 (NAMESPACE), RFC 2971 section 4 (ID), RFC 4466 section 3 and RFC 4731 section 4 (ESEARCH), RFC 5161
 * section 3.2 (ENABLED), RFC 7162 section 7 (VANISHED).
 * All answer strings of octets (format.ts).
 */

import { formatFlagList, formatNstring, formatQuoted, formatString, formatText, NIL } from './format.ts';
import { formatSequenceSet, rangesOfNumbers } from './sequenceSet.ts';
import type { NumberRange } from './sequenceSet.ts';

/** How a command ended. */
export type Condition = 'OK' | 'NO' | 'BAD';
/** A condition of an untagged response; BYE before the end of the connection, PREAUTH in place of a greeting's OK. */
export type UntaggedCondition = Condition | 'BYE' | 'PREAUTH';

/** The answer to the command `tag`; `code` is what stands between the brackets (responseCode.ts). */
export function formatTagged(tag: string, condition: Condition, text: string, code?: string): string {
  return `${tag} ${formatCondition(condition, text, code)}`;
}

/** A condition that answers no command: greeting, BYE, information, or BAD for a line without a tag. */
export function formatUntagged(condition: UntaggedCondition, text: string, code?: string): string {
  return `* ${formatCondition(condition, text, code)}`;
}

/** The invitation to send a literal, or IDLE's. */
export function formatContinuation(text: string): string {
  return `+ ${formatText(text)}\r\n`;
}

/** A SASL challenge in base64, which may be empty; the space stays (a bare "+" stops clients). */
export function formatChallenge(base64: string): string {
  return `+ ${base64}\r\n`;
}

/** CAPABILITY. */
export function formatCapability(capabilities: readonly string[]): string {
  return `* CAPABILITY ${capabilities.join(' ')}\r\n`;
}

/** ENABLED; with nothing newly enabled the list is empty. */
export function formatEnabled(capabilities: readonly string[]): string {
  return `${['* ENABLED', ...capabilities].join(' ')}\r\n`;
}

/** EXISTS. */
export function formatExists(messages: number): string {
  return `* ${messages} EXISTS\r\n`;
}

/** RECENT. */
export function formatRecent(messages: number): string {
  return `* ${messages} RECENT\r\n`;
}

/** EXPUNGE. */
export function formatExpunge(sequenceNumber: number): string {
  return `* ${sequenceNumber} EXPUNGE\r\n`;
}

/** VANISHED, or VANISHED (EARLIER) in answer to what a client remembers; at least one range of UIDs. */
export function formatVanished(uids: readonly NumberRange[], isEarlier: boolean): string {
  return `* VANISHED ${isEarlier ? '(EARLIER) ' : ''}${formatSequenceSet(uids)}\r\n`;
}

/** FLAGS: those that can occur in the mailbox. */
export function formatFlags(flags: readonly string[]): string {
  return `* FLAGS ${formatFlagList(flags)}\r\n`;
}

/** Numbers in one piece of a response: a mailbox has any number of them, and pieces are formatted one at a time. */
const NUMBERS_PER_PIECE = 1000;

/**
 * SEARCH or SORT, in pieces; the line is sent without a match too. `modSeq` is the highest of the matches, told where MODSEQ
 * was searched (RFC 7162 sections 3.1.6 and 3.1.9).
 */
export function* formatFound(
  name: 'SEARCH' | 'SORT',
  numbers: readonly number[],
  modSeq?: number,
): Generator<string, void> {
  yield `* ${name}`;
  for (let from = 0; from < numbers.length; from += NUMBERS_PER_PIECE) {
    yield ` ${numbers.slice(from, from + NUMBERS_PER_PIECE).join(' ')}`;
  }
  yield modSeq === undefined || numbers.length === 0 ? '\r\n' : ` (MODSEQ ${modSeq})\r\n`;
}

/** ESEARCH's data; undefined where it was not asked for or nothing matched. */
export interface EsearchData {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly count?: number | undefined;
  /** In the order of the answer; an empty list is left out, as a set can not be empty. */
  readonly all?: readonly number[] | undefined;
  readonly modSeq?: number | undefined;
}

/** ESEARCH in answer to the command `tag`, in pieces. */
export function* formatEsearch(tag: string, isUid: boolean, data: EsearchData): Generator<string, void> {
  const { min, max, count, all = [], modSeq } = data;
  yield `* ESEARCH (TAG ${formatQuoted(tag)})${isUid ? ' UID' : ''}`;
  if (min !== undefined) yield ` MIN ${min}`;
  if (max !== undefined) yield ` MAX ${max}`;
  if (count !== undefined) yield ` COUNT ${count}`;
  const ranges = rangesOfNumbers(all);
  for (let from = 0; from < ranges.length; from += NUMBERS_PER_PIECE) {
    yield `${from === 0 ? ' ALL ' : ','}${formatSequenceSet(ranges.slice(from, from + NUMBERS_PER_PIECE))}`;
  }
  yield modSeq === undefined ? '\r\n' : ` MODSEQ ${modSeq}\r\n`;
}

/** NAMESPACE with one personal namespace at the root and no others. */
export function formatNamespace(delimiter: string): string {
  return `* NAMESPACE (("" ${formatQuoted(delimiter)})) ${NIL} ${NIL}\r\n`;
}

/** ID with US-ASCII fields; NIL where the server tells nothing. */
export function formatId(fields: ReadonlyMap<string, string | null>): string {
  const pairs = [...fields].map(([name, value]) => `${formatString(name)} ${formatNstring(value)}`);
  return `* ID ${pairs.length === 0 ? NIL : `(${pairs.join(' ')})`}\r\n`;
}

function formatCondition(condition: UntaggedCondition, text: string, code: string | undefined): string {
  return `${condition} ${code === undefined ? '' : `[${code}] `}${formatText(text)}\r\n`;
}
