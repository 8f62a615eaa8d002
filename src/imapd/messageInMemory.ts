/**
 * Writes a FETCH response whose octets are all in memory, in one go: what most responses are (RFC 3501 section 7.4.2).
 *
 * The same answers as fetchMessage.ts gives, which takes over where something has to be read or decoded; without its promises,
 * a FETCH of a whole mailbox takes half the time.
 */

import { FETCH_END, formatFetchStart, formatOctetsItem, formatOctetsStart } from '../wire/imap/fetchData.ts';
import { selectFields } from '../wire/mime/header.ts';
import { MAX_HEADER_OCTETS } from '../wire/mime/limits.ts';
import { locateInOctets, locateSection } from '../wire/mime/section.ts';
import type { OctetRange, SectionText } from '../wire/mime/section.ts';
import { octetString } from '../wire/mime/structure.ts';
import { answerSimple, clamp, itemsFor } from './fetchMessage.ts';
import type { FetchedMessage } from './fetchMessage.ts';
import type { FetchPlan, FieldsItem, PlannedItem, SectionItem } from './fetchPlan.ts';
import type { ResponseWriter } from './responseWriter.ts';

/** Text of octets, and octets as they are. */
type Piece = string | Buffer;

/** Writes the response; answers whether the message was told to its last octet, or undefined, with nothing written, where it can't. */
export function writeFromMemory(
  writer: ResponseWriter,
  message: FetchedMessage,
  plan: FetchPlan,
): boolean | undefined {
  const octets = message.content?.small;
  if (plan.needsContent && octets === undefined) return undefined;
  const pieces: Piece[] = [];
  let text = formatFetchStart(message.number);
  let separator = '';
  let isToldToEnd = false;
  for (const item of itemsFor(message, plan)) {
    const answer = answerFromMemory(item, message, octets);
    if (answer === undefined) return undefined;
    text += separator;
    separator = ' ';
    if (typeof answer === 'string') {
      text += answer;
      continue;
    }
    text += answer.text;
    if (answer.octets === undefined) continue;
    pieces.push(text, answer.octets);
    isToldToEnd ||= answer.isToEnd;
    text = '';
  }
  for (const piece of pieces) {
    if (typeof piece === 'string') writer.write(piece);
    else writer.writeOctets(piece);
  }
  writer.write(text + FETCH_END);
  return isToldToEnd;
}

/** An item's text with octets behind it, none where the literal is empty. */
interface Answer {
  readonly text: string;
  readonly octets: Buffer | undefined;
  /** Whether the message's last octet is among them. */
  readonly isToEnd: boolean;
}

function answerFromMemory(
  item: PlannedItem,
  message: FetchedMessage,
  octets: Buffer | undefined,
): Answer | string | undefined {
  switch (item.kind) {
    case 'section':
      return octets && answerSection(item, message, octets);
    case 'fields':
      return octets && answerFields(item, message, octets);
    case 'emailId':
    case 'preview':
    case 'binary':
    case 'binarySize':
      return undefined;
    default:
      return answerSimple(item.kind, message);
  }
}

function answerSection(
  { name, path, text, partial }: SectionItem,
  { derived }: FetchedMessage,
  octets: Buffer,
): Answer | string {
  const range = locate(derived, octets, path, text);
  if (range === undefined) return formatOctetsItem(name, null);
  const { start, end } = clamp(range, partial);
  const literal = start === end ? undefined : octets.subarray(start, end);
  return { text: formatOctetsStart(name, end - start), octets: literal, isToEnd: end === octets.length };
}

/** A header longer than anyone looks at is fetchMessage.ts's. */
function answerFields(
  { name, path, fields, isInverted, partial }: FieldsItem,
  { derived }: FetchedMessage,
  octets: Buffer,
): string | undefined {
  const range = locate(derived, octets, path, 'HEADER');
  if (range === undefined) return formatOctetsItem(name, null);
  if (range.end - range.start > MAX_HEADER_OCTETS) return undefined;
  const header = octetString(octets.toString('latin1', range.start, range.end));
  const selected = selectFields(header, fields, isInverted);
  const wanted = clamp({ start: 0, end: selected.length }, partial);
  return formatOctetsItem(name, selected.slice(wanted.start, wanted.end));
}

/** The message's own sections are found without its structure, which is not asked for where nothing else needs it. */
function locate(
  derived: FetchedMessage['derived'],
  octets: Buffer,
  path: readonly number[],
  text: SectionText | undefined,
): OctetRange | undefined {
  return path.length === 0 ? locateInOctets(octets, text) : derived && locateSection(derived, path, text);
}
