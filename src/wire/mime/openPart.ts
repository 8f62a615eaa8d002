/**
 * A part while the walker is inside it, and what becomes of it when it ends.
 */

import { EMPTY_ENVELOPE } from './envelope.ts';
import type { ContentFields, PartHeader, PartPlace } from './partHeader.ts';
import { PLAIN_FIELDS } from './partHeader.ts';
import type { EmbeddedMessage, MimePart } from './structure.ts';

/** A part that has begun and not ended. What is mutable is filled in as its octets pass. */
export interface OpenPart {
  readonly place: PartPlace;
  readonly headerStart: number;
  /** Known from the end of its header on, as are the next two. */
  header: PartHeader | undefined;
  bodyStart: number;
  /** Line feeds of the content before the body. */
  lineFeedsBefore: number;
  /** The parts inside that have ended: a multipart's, or the one of a message/rfc822. */
  readonly parts: MimePart[];
  /** The envelope of the embedded message. */
  envelope: PartHeader['envelope'];
  /** Whether lines are compared with the header's boundary. */
  hasOpenBoundary: boolean;
}

/** A part whose header begins at `headerStart`. */
export function openPart(place: PartPlace, headerStart: number): OpenPart {
  return {
    place,
    headerStart,
    header: undefined,
    bodyStart: headerStart,
    lineFeedsBefore: 0,
    parts: [],
    envelope: undefined,
    hasOpenBoundary: false,
  };
}

/** The part as it is known when its body ends at `bodyEnd`, with `lineFeeds` in the content before that. */
export function closePart(open: OpenPart, bodyEnd: number, lineFeeds: number): MimePart {
  const { headerStart, bodyStart, header } = open;
  const fields = header?.fields ?? PLAIN_FIELDS;
  const lines = lineFeeds - open.lineFeedsBefore;
  const place = { headerStart, bodyStart, bodyEnd };
  switch (header?.kind ?? 'text') {
    case 'text':
      return { kind: 'text', ...place, ...fields, lines };
    case 'leaf':
      return { kind: 'leaf', ...place, ...fields };
    case 'multipart': {
      const parts = open.parts.length > 0 ? open.parts : [plainPart(bodyStart, bodyStart, 0, PLAIN_FIELDS)];
      return { kind: 'multipart', ...place, ...fields, parts };
    }
    case 'message': {
      const structure = open.parts[0] ?? plainPart(bodyStart, bodyEnd, lines, PLAIN_FIELDS);
      const message = { structure, envelope: open.envelope ?? EMPTY_ENVELOPE };
      return { kind: 'message', ...place, ...fields, lines, message };
    }
    case 'opaqueMessage': {
      const message = opaqueMessage(bodyStart, bodyEnd, lines, fields);
      return { kind: 'message', ...place, ...fields, lines, message };
    }
  }
}

/**
 * What stands for the message inside an encoded message/rfc822 part. RFC 3501's grammar has no message/rfc822 without an
 * envelope and a body, so it is told as text without header, under the encoding that its octets really have.
 */
function opaqueMessage(start: number, end: number, lines: number, outer: ContentFields): EmbeddedMessage {
  const fields = { ...PLAIN_FIELDS, encoding: outer.encoding };
  return { structure: plainPart(start, end, lines, fields), envelope: EMPTY_ENVELOPE };
}

/** A text part without header. */
function plainPart(start: number, end: number, lines: number, fields: ContentFields): MimePart {
  return { kind: 'text', headerStart: start, bodyStart: start, bodyEnd: end, ...fields, lines };
}
