/**
 * Writes one message's FETCH response (RFC 3501 section 7.4.2).
 *
 * Stretches of a message, decoded ones (binaryPart.ts) as well, stream from the store to the socket piece by piece; a message of any size costs the memory of a
 * piece. The first piece is read before the line begins, so that a content that cannot be read is NO and not half a line;
 * what fails later breaks the response off, and the session with it: a client must never take a part for the whole.
 */

import {
  FETCH_END,
  formatBinarySizeItem,
  formatBinaryStart,
  formatBodyItem,
  formatBodyStructureItem,
  formatEmailIdItem,
  formatEnvelopeItem,
  formatFetchStart,
  formatInternalDateItem,
  formatModSeqItem,
  formatOctetsItem,
  formatOctetsStart,
  formatPreviewItem,
  formatSavedDateItem,
  formatSizeItem,
  formatUidItem,
  NO_THREAD_ID_ITEM,
} from '../wire/imap/fetchData.ts';
import type { SectionPartial } from '../wire/imap/section.ts';
import { selectFields } from '../wire/mime/header.ts';
import { MAX_HEADER_OCTETS } from '../wire/mime/limits.ts';
import { locateSection } from '../wire/mime/section.ts';
import type { OctetRange } from '../wire/mime/section.ts';
import { octetString } from '../wire/mime/structure.ts';
import type { Content } from '../store/contract/contents.ts';
import type { DerivedMessage } from '../store/contract/derived.ts';
import { FLAG } from '../store/contract/mailboxes.ts';
import type { Entry } from '../store/contract/mailboxes.ts';
import { decodedSize, decodeStretch, findEncodedPart } from './binaryPart.ts';
import type {
  BinaryItem,
  ContentItem,
  DerivedItem,
  EntryItem,
  FetchPlan,
  FieldsItem,
  PlannedItem,
  SectionItem,
} from './fetchPlan.ts';
import { isWhole } from './fetchPlan.ts';
import { flagsItemOf } from './flagNames.ts';
import { readPreview } from './messagePreview.ts';
import { emailIdOf } from './objectIds.ts';
import { inServerZone } from './serverZone.ts';
import type { SessionContext } from './sessionContext.ts';
import { SessionEnd } from './sessionEnd.ts';

/** A message to answer. */
export interface FetchedMessage {
  readonly number: number;
  readonly entry: Entry;
  readonly isRecent: boolean;
  /** Whether this FETCH makes it \Seen: its flags are told with it. */
  readonly becomesSeen: boolean;
  readonly derived: DerivedMessage | undefined;
  /** The content, where it was opened with others beforehand. */
  readonly content: Content | undefined;
}

/** A piece of the line: text, or octets that are read while they are written. */
type LinePiece =
  | { readonly kind: 'text'; readonly octets: string }
  | {
      readonly kind: 'stream';
      readonly octetCount: number;
      readonly octets: AsyncIterable<Buffer> | Iterable<Buffer>;
      /** Whether the message's last octet is among them. */
      readonly isToEnd: boolean;
    };

/** Writes the response; answers whether the message was told to its last octet. Errors: MailError before anything is written. */
export async function writeMessage(
  session: SessionContext,
  message: FetchedMessage,
  plan: FetchPlan,
): Promise<boolean> {
  const { entry } = message;
  const { contents } = session.server;
  const content = plan.needsContent ? (message.content ?? (await contents.open(entry.contentId))) : undefined;
  const derived =
    message.derived ?? (plan.needsHeaderEnd ? (await contents.derived([entry.contentId]))[0] : undefined);
  const pieces: LinePiece[] = [text(formatFetchStart(message.number))];
  for (const item of itemsFor(message, plan)) {
    if (pieces.length > 1) pieces.push(text(' '));
    pieces.push(...(await answer(session, item, { ...message, derived }, content)));
  }
  pieces.push(text(FETCH_END));
  await writePieces(session, pieces);
  return pieces.some((piece) => piece.kind === 'stream' && piece.isToEnd);
}

/** The items, and FLAGS where they change by this FETCH (RFC 3501 section 6.4.5, BODY[section]). */
export function itemsFor(
  { becomesSeen }: FetchedMessage,
  { items, tellsFlags }: FetchPlan,
): readonly PlannedItem[] {
  const addsFlags = becomesSeen && !tellsFlags;
  return addsFlags ? [...items, { kind: 'flags' }] : items;
}

async function answer(
  session: SessionContext,
  item: PlannedItem,
  message: FetchedMessage,
  content: Content | undefined,
): Promise<readonly LinePiece[]> {
  if (item.kind === 'section') return answerSection(item, message, content);
  if (item.kind === 'fields') return [text(await answerFields(item, message, content))];
  if (item.kind === 'emailId' || item.kind === 'preview')
    return [text(await answerFromContent(item.kind, message, content))];
  if (item.kind === 'binary' || item.kind === 'binarySize')
    return answerBinary(session, item, message, content);
  return [text(answerSimple(item.kind, message))];
}

async function answerFromContent(
  kind: ContentItem,
  { entry, derived }: FetchedMessage,
  content: Content | undefined,
): Promise<string> {
  if (content === undefined) return '';
  switch (kind) {
    case 'emailId':
      return formatEmailIdItem(emailIdOf(content, entry.internalDate));
    case 'preview':
      return formatPreviewItem(derived === undefined ? '' : await readPreview(content, derived));
  }
}

/** An item that is told from the entry or from derived data. */
export function answerSimple(
  kind: EntryItem | DerivedItem,
  { entry, isRecent, becomesSeen, derived }: FetchedMessage,
): string {
  switch (kind) {
    case 'uid':
      return formatUidItem(entry.uid);
    case 'flags': {
      const system = entry.flags.system | (becomesSeen ? FLAG.seen : 0);
      return flagsItemOf({ system, keywords: entry.flags.keywords }, isRecent);
    }
    case 'modSeq':
      return formatModSeqItem(entry.modSeq);
    case 'internalDate':
      return formatInternalDateItem(entry.internalDate);
    case 'rfc822Size':
      return formatSizeItem(entry.octets);
    case 'savedDate':
      return formatSavedDateItem(entry.savedAt && inServerZone(entry.savedAt));
    case 'threadId':
      return NO_THREAD_ID_ITEM;
    case 'envelope':
      return derived === undefined ? '' : formatEnvelopeItem(derived.envelopeText);
    case 'body':
      return derived === undefined ? '' : formatBodyItem(derived.structure);
    case 'bodyStructure':
      return derived === undefined ? '' : formatBodyStructureItem(derived.structureText);
  }
}

function answerSection(
  item: SectionItem,
  { derived }: FetchedMessage,
  content: Content | undefined,
): readonly LinePiece[] {
  if (content === undefined) return [];
  const { name, path, partial } = item;
  const whole = { start: 0, end: content.octets };
  const range = isWhole(item) ? whole : derived && locateSection(derived, path, item.text);
  if (range === undefined) return [text(formatOctetsItem(name, null))];
  const wanted = clamp(range, partial);
  const octetCount = wanted.end - wanted.start;
  const announcement = text(formatOctetsStart(name, octetCount));
  if (octetCount === 0) return [announcement];
  const octets = content.read(wanted.start, wanted.end);
  return [announcement, { kind: 'stream', octetCount, octets, isToEnd: wanted.end === content.octets }];
}

/** RFC 3516 section 4.3: the size of a part that the message does not have is that of its answer, NIL. */
async function answerBinary(
  session: SessionContext,
  { kind, name, path, partial }: BinaryItem,
  { derived }: FetchedMessage,
  content: Content | undefined,
): Promise<readonly LinePiece[]> {
  const part = content && findEncodedPart(path, content, derived);
  if (content === undefined || part === undefined) {
    return [text(kind === 'binary' ? formatOctetsItem(name, null) : formatBinarySizeItem(name, 0))];
  }
  if (kind === 'binarySize')
    return [text(formatBinarySizeItem(name, await decodedSize(session, content, part)))];
  const { octetCount, hasNul, octets } = await decodeStretch(session, content, part, partial);
  const announcement = text(formatBinaryStart(name, octetCount, hasNul));
  const isToEnd = part.range.end === content.octets && partial === undefined;
  return octetCount === 0 ? [announcement] : [announcement, { kind: 'stream', octetCount, octets, isToEnd }];
}

/** A header that is longer than anyone looks at is cut, and keeps its blank line. */
async function answerFields(
  { name, path, fields, isInverted, partial }: FieldsItem,
  { derived }: FetchedMessage,
  content: Content | undefined,
): Promise<string> {
  const range = derived === undefined ? undefined : locateSection(derived, path, 'HEADER');
  if (content === undefined || range === undefined) return formatOctetsItem(name, null);
  const end = Math.min(range.end, range.start + MAX_HEADER_OCTETS);
  const pieces: Buffer[] = [];
  for await (const piece of content.read(range.start, end)) pieces.push(piece);
  if (end < range.end) pieces.push(Buffer.from('\r\n\r\n'));
  const header = octetString(Buffer.concat(pieces).toString('latin1'));
  const selected = selectFields(header, fields, isInverted);
  const wanted = clamp({ start: 0, end: selected.length }, partial);
  return formatOctetsItem(name, selected.slice(wanted.start, wanted.end));
}

/** RFC 3501 section 6.4.5: what lies beyond the end is left out, and an origin beyond it gives the empty string. */
export function clamp(range: OctetRange, partial: SectionPartial | undefined): OctetRange {
  if (partial === undefined) return range;
  const start = Math.min(range.end, range.start + partial.start);
  return { start, end: Math.min(range.end, start + partial.octets) };
}

function text(octets: string): LinePiece {
  return { kind: 'text', octets };
}

async function writePieces(session: SessionContext, pieces: readonly LinePiece[]): Promise<void> {
  const first = pieces.find((piece) => piece.kind === 'stream');
  const opened = first && (await openStream(first));
  try {
    for (const piece of pieces) {
      if (piece.kind === 'text') session.writer.write(piece.octets);
      else await writeStream(session, piece === first && opened ? opened : await openStream(piece));
    }
  } catch (error) {
    if (session.isGone) throw new SessionEnd('connectionLost', 'The connection was lost');
    session.log.error('imapd.fetch.broken', { error });
    throw new SessionEnd('brokenResponse', 'A message could not be sent to its end');
  }
}

interface OpenStream {
  readonly octetCount: number;
  readonly first: Buffer;
  readonly rest: AsyncIterator<Buffer> | Iterator<Buffer>;
}

/** Reads the first piece. */
async function openStream({ octetCount, octets }: LinePiece & { kind: 'stream' }): Promise<OpenStream> {
  const rest = Symbol.asyncIterator in octets ? octets[Symbol.asyncIterator]() : octets[Symbol.iterator]();
  const { value } = await rest.next();
  return { octetCount, first: value ?? Buffer.alloc(0), rest };
}

async function writeStream(session: SessionContext, { octetCount, first, rest }: OpenStream): Promise<void> {
  let written = 0;
  for (let piece: Buffer | undefined = first; piece !== undefined; ) {
    written += piece.length;
    session.writer.writeOctets(piece);
    if (session.writer.isFlushDue) await session.writer.flush();
    await session.pacer.breathe();
    piece = written < octetCount ? (await rest.next()).value : undefined;
  }
  await rest.return?.();
  if (written !== octetCount) throw new Error(`a content gave ${written} octets of ${octetCount}`);
}
