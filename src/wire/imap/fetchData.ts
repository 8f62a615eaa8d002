/**
 * FETCH lines, put together from items.
 *
 * RFC 3501 section 7.4.2 and section 9: message-data, msg-att; RFC 3516 section 7 (BINARY); RFC 7162 section 7: fetch-mod-resp;
 * RFC 8474 section 7: fetch-emailid-resp, fetch-threadid-resp; RFC 8514 section 5 (SAVEDATE); RFC 8970
 * section 6 (PREVIEW).
 * An item is a string of octets. One whose octets are not in memory ends with its literal's announcement (formatOctetsStart):
 * the octets are written after it, and the line goes on behind them.
 */

import type { MimePart } from '../mime/structure.ts';
import { formatBody } from './bodyStructure.ts';
import { formatDateTime } from './dates.ts';
import type { DateTime } from './dates.ts';
import {
  formatFlagList,
  formatLiteral,
  formatLiteral8Start,
  formatLiteralStart,
  formatString,
  NIL,
} from './format.ts';
import { formatObjectId } from './objectId.ts';
import { formatSection } from './section.ts';
import type { Section } from './section.ts';

/** What goes before a FETCH line's first item. */
export function formatFetchStart(sequenceNumber: number): string {
  return `* ${sequenceNumber} FETCH (`;
}

/** What goes after a FETCH line's last item; items are parted by one space. */
export const FETCH_END = ')\r\n';

/** A whole FETCH line of items that are in memory. */
export function formatFetch(sequenceNumber: number, items: readonly string[]): string {
  return `${formatFetchStart(sequenceNumber)}${items.join(' ')}${FETCH_END}`;
}

/** UID. */
export function formatUidItem(uid: number): string {
  return `UID ${uid}`;
}

/** FLAGS. */
export function formatFlagsItem(flags: readonly string[]): string {
  return `FLAGS ${formatFlagList(flags)}`;
}

/** INTERNALDATE. */
export function formatInternalDateItem(internalDate: DateTime): string {
  return `INTERNALDATE ${formatDateTime(internalDate)}`;
}

/** RFC822.SIZE. */
export function formatSizeItem(octets: number): string {
  return `RFC822.SIZE ${octets}`;
}

/** MODSEQ. */
export function formatModSeqItem(modSeq: number): string {
  return `MODSEQ (${modSeq})`;
}

/** SAVEDATE; NIL where it is not known. */
export function formatSavedDateItem(savedDate: DateTime | undefined): string {
  return `SAVEDATE ${savedDate === undefined ? NIL : formatDateTime(savedDate)}`;
}

/** EMAILID. */
export function formatEmailIdItem(id: string): string {
  return `EMAILID ${formatObjectId(id)}`;
}

/** THREADID of a server that knows no threads. */
export const NO_THREAD_ID_ITEM: string = `THREADID ${NIL}`;

/** PREVIEW: text in UTF-8 (RFC 8970 section 3.3), empty where there is nothing to show. */
export function formatPreviewItem(preview: string): string {
  return `PREVIEW ${formatString(Buffer.from(preview, 'utf8').toString('latin1'))}`;
}

/** ENVELOPE with the text that formatEnvelope() made. */
export function formatEnvelopeItem(envelopeText: string): string {
  return `ENVELOPE ${envelopeText}`;
}

/** BODY without a section. */
export function formatBodyItem(structure: MimePart): string {
  return `BODY ${formatBody(structure)}`;
}

/** BODYSTRUCTURE with the text that formatBodyStructure() made. */
export function formatBodyStructureItem(structureText: string): string {
  return `BODYSTRUCTURE ${structureText}`;
}

/** The name of `BODY[section]` in a response; a partial's answer repeats its start only. */
export function formatSectionName(section: Section, start: number | undefined): string {
  return `BODY${formatSection(section)}${formatStart(start)}`;
}

/** The name of `BINARY[part]` in a response. */
export function formatBinaryName(part: readonly number[], start: number | undefined): string {
  return `BINARY[${part.join('.')}]${formatStart(start)}`;
}

/** The name of `BINARY.SIZE[part]`. */
export function formatBinarySizeName(part: readonly number[]): string {
  return `BINARY.SIZE[${part.join('.')}]`;
}

/** BINARY.SIZE, by the name that formatBinarySizeName gives it. */
export function formatBinarySizeItem(name: string, octets: number): string {
  return `${name} ${octets}`;
}

/** An item of BINARY's `octetCount` octets that are written after it; `hasNul` tells which literal they need. */
export function formatBinaryStart(name: string, octetCount: number, hasNul: boolean): string {
  return `${name} ${hasNul ? formatLiteral8Start(octetCount) : formatLiteralStart(octetCount)}`;
}

/** An item of `octetCount` octets that are written after it. `name` is a section's, or RFC822, RFC822.HEADER, RFC822.TEXT. */
export function formatOctetsStart(name: string, octetCount: number): string {
  return `${name} ${formatLiteralStart(octetCount)}`;
}

/** The same with octets that are in memory, one character for each; NIL for null: a part that the message does not have. */
export function formatOctetsItem(name: string, octets: string | null): string {
  if (octets === null) return `${name} ${NIL}`;
  return `${name} ${octets === '' ? '""' : formatLiteral(octets)}`;
}

function formatStart(start: number | undefined): string {
  return start === undefined ? '' : `<${start}>`;
}
