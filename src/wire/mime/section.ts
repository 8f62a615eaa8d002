/**
 * Where a BODY[section] is in a content.
 *
 * RFC 3501 section 6.4.5. Every section but HEADER.FIELDS is one range of the content; HEADER.FIELDS is header.ts's selection
 * from the HEADER range. Called by imapd for FETCH and by whoever serves a part. A section that the message doesn't have is
 * undefined, and it is the formatter's affair to answer NIL.
 */

import { headerEnd } from './header.ts';
import type { EmbeddedMessage, MimeMessage, MimePart } from './structure.ts';

/** Octets of a content, `end` excluded. */
export interface OctetRange {
  readonly start: number;
  readonly end: number;
}

/** What of a part is meant; undefined is the part's body. HEADER stands for HEADER.FIELDS and HEADER.FIELDS.NOT too. */
export type SectionText = 'HEADER' | 'TEXT' | 'MIME';

/** Locates a section: `path` has its part numbers, counted from 1; none is the message itself. */
export function locateSection(
  message: MimeMessage,
  path: readonly number[],
  text: SectionText | undefined,
): OctetRange | undefined {
  if (path.length === 0) {
    if (text === 'MIME') return undefined;
    return text === undefined ? { start: 0, end: message.octets } : rangeOfMessage(message, text);
  }
  const part = locatePart(message, path);
  if (part === undefined) return undefined;
  if (text === undefined) return bodyRange(part);
  if (text === 'MIME') return headerRange(part);
  return part.kind === 'message' ? rangeOfMessage(part.message, text) : undefined;
}

/** Where a section of the message itself is, by its octets alone; the same answer as its structure gives. */
export function locateInOctets(octets: Uint8Array, text: SectionText | undefined): OctetRange | undefined {
  switch (text) {
    case undefined:
      return { start: 0, end: octets.length };
    case 'HEADER':
      return { start: 0, end: headerEnd(octets) };
    case 'TEXT':
      return { start: headerEnd(octets), end: octets.length };
    case 'MIME':
      return undefined;
  }
}

/** The part that `path` names, at least one number long. */
export function locatePart(message: MimeMessage, path: readonly number[]): MimePart | undefined {
  let inner: MimePart | undefined = message.structure;
  let part: MimePart | undefined;
  for (const number of path) {
    part = inner === undefined ? undefined : numberedPart(inner, number);
    if (part === undefined) return undefined;
    inner = insideOf(part);
  }
  return part;
}

/** Part `number` of a message whose structure this is: a message that isn't multipart is its own part 1. */
function numberedPart(structure: MimePart, number: number): MimePart | undefined {
  if (structure.kind === 'multipart') return structure.parts[number - 1];
  return number === 1 ? structure : undefined;
}

/** What further numbers count in: a multipart's parts, or the structure of an embedded message. */
function insideOf(part: MimePart): MimePart | undefined {
  switch (part.kind) {
    case 'multipart':
      return part;
    case 'message':
      return part.message.structure;
    case 'text':
    case 'leaf':
      return undefined;
  }
}

function rangeOfMessage(message: EmbeddedMessage, text: 'HEADER' | 'TEXT'): OctetRange {
  return text === 'HEADER' ? headerRange(message.structure) : bodyRange(message.structure);
}

function headerRange(part: MimePart): OctetRange {
  return { start: part.headerStart, end: part.bodyStart };
}

function bodyRange(part: MimePart): OctetRange {
  return { start: part.bodyStart, end: part.bodyEnd };
}
