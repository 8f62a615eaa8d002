/**
 * What a part's header says of the part.
 *
 * RFC 2045 section 5.2 (defaults), RFC 2046 section 5.1.5 (multipart/digest), RFC 3501 section 7.4.2 (body-fields). Of repeated
 * Content-* fields the first one counts, as in Dovecot 2.3. A message that has neither MIME-Version nor Content-Type is not
 * MIME, and its other Content-* fields mean nothing (RFC 2045 section 4; as Dovecot). Our own words are in upper case.
 */

import {
  joinedParameter,
  parseContentDisposition,
  parseContentEncoding,
  parseContentLanguage,
  parseContentType,
} from './contentFields.ts';
import type { ContentType } from './contentFields.ts';
import { parseEnvelope } from './envelope.ts';
import type { Header } from './header.ts';
import { fieldValue, splitHeaderText, trimSpace } from './header.ts';
import { ITEM_WEIGHT, MAX_BOUNDARY_OCTETS } from './limits.ts';
import type { FetchEnvelope, MimeParameter, OctetString, PartFields } from './structure.ts';
import { octetString } from './structure.ts';

/** Where a part stands, which decides what its header means. */
export type PartPlace = 'message' | 'multipart' | 'digest';

/** How the body is to be read. An opaque message is one under an encoding that RFC 2046 section 5.2.1 forbids. */
export type BodyKind = 'text' | 'leaf' | 'multipart' | 'message' | 'opaqueMessage';

/** The header of a part, understood. */
export interface PartHeader {
  readonly kind: BodyKind;
  readonly fields: ContentFields;
  /** A multipart's boundary, when it has one. */
  readonly boundary: string | undefined;
  /** The envelope, when the part is a whole message. */
  readonly envelope: FetchEnvelope | undefined;
  /** What keeping all this costs (MAX_KEPT_WEIGHT). */
  readonly weight: number;
}

/** A part's fields without its place in the content. */
export type ContentFields = Omit<PartFields, 'headerStart' | 'bodyStart' | 'bodyEnd'>;

const DEFAULT_ENCODING = octetString('7BIT');
const DEFAULT_CHARSET: MimeParameter = { name: octetString('CHARSET'), value: octetString('US-ASCII') };
const PLAIN_TEXT: ContentType = {
  type: octetString('TEXT'),
  subtype: octetString('PLAIN'),
  parameters: [DEFAULT_CHARSET],
};
const RFC822_MESSAGE: ContentType = {
  type: octetString('MESSAGE'),
  subtype: octetString('RFC822'),
  parameters: [],
};
const OCTET_STREAM: ContentType = {
  type: octetString('APPLICATION'),
  subtype: octetString('OCTET-STREAM'),
  parameters: [],
};

/** The fields of a part without header: plain text. */
export const PLAIN_FIELDS: ContentFields = contentFields(PLAIN_TEXT, new Map());

/** Parses the header of a part at `place`. */
export function parsePartHeader(text: OctetString, place: PartPlace): PartHeader {
  const header = splitHeaderText(text);
  const values = contentValues(header, place);
  const contentType = mediaType(values.get('content-type'), place);
  const fields = contentFields(contentType, values);
  const kind = bodyKind(fields);
  const envelope = place === 'message' ? parseEnvelope(header) : undefined;
  return {
    kind,
    fields,
    boundary: kind === 'multipart' ? boundaryOf(fields.parameters) : undefined,
    envelope,
    weight: weigh(header, fields, envelope),
  };
}

/** The same part as octets that nobody looks into. Its parameters stay, as in Dovecot. */
export function asOpaque(header: PartHeader): PartHeader {
  const { type, subtype } = OCTET_STREAM;
  const fields = { ...header.fields, type, subtype };
  return { ...header, kind: 'leaf', fields, boundary: undefined };
}

/** The Content-* fields that count. */
function contentValues(header: Header, place: PartPlace): Map<string, OctetString> {
  const values = new Map<string, OctetString>();
  let isMime = place !== 'message';
  for (const field of header.fields) {
    if (field.name === 'mime-version') isMime = true;
    if (!field.name.startsWith('content-') || values.has(field.name)) continue;
    values.set(field.name, fieldValue(header, field));
  }
  if (!isMime && !values.has('content-type')) values.clear();
  return values;
}

function mediaType(value: string | undefined, place: PartPlace): ContentType {
  if (value === undefined) return place === 'digest' ? RFC822_MESSAGE : PLAIN_TEXT;
  const parsed = parseContentType(value);
  if (parsed === undefined) return PLAIN_TEXT;
  const hasCharset = parsed.parameters.some((parameter) => parameter.name.toLowerCase() === 'charset');
  if (parsed.type.toLowerCase() !== 'text' || hasCharset) return parsed;
  return { ...parsed, parameters: [...parsed.parameters, DEFAULT_CHARSET] };
}

function contentFields(contentType: ContentType, values: ReadonlyMap<string, OctetString>): ContentFields {
  const encoding = values.get('content-transfer-encoding');
  const disposition = values.get('content-disposition');
  const language = values.get('content-language');
  return {
    type: contentType.type,
    subtype: contentType.subtype,
    parameters: contentType.parameters,
    id: values.get('content-id') ?? null,
    description: values.get('content-description') ?? null,
    encoding: (encoding === undefined ? null : parseContentEncoding(encoding)) ?? DEFAULT_ENCODING,
    md5: values.get('content-md5') ?? null,
    disposition: disposition === undefined ? null : parseContentDisposition(disposition),
    languages: language === undefined ? null : parseContentLanguage(language),
    location: values.get('content-location') ?? null,
  };
}

function bodyKind(fields: ContentFields): BodyKind {
  const type = fields.type.toLowerCase();
  if (type === 'text' || type === 'multipart') return type;
  if (type !== 'message' || fields.subtype.toLowerCase() !== 'rfc822') return 'leaf';
  return ['base64', 'x-uuencode', 'uuencode'].includes(fields.encoding.toLowerCase())
    ? 'opaqueMessage'
    : 'message';
}

/** The boundary as it is compared; one of nothing but space is none. RFC 2046 section 5.1.1: it does not end with space. */
function boundaryOf(parameters: readonly MimeParameter[]): string | undefined {
  const boundary = joinedParameter(parameters, 'boundary')?.slice(0, MAX_BOUNDARY_OCTETS) ?? '';
  const compared = boundary.slice(0, trimSpace(`.${boundary}`).length - 1);
  return compared === '' ? undefined : compared;
}

/** The header, whose memory all values share, and their items. */
function weigh(header: Header, fields: ContentFields, envelope: FetchEnvelope | undefined): number {
  let items = fields.parameters.length + (fields.disposition?.parameters.length ?? 0);
  for (const list of envelope === undefined ? [] : Object.values(envelope)) {
    if (Array.isArray(list)) items += list.length;
  }
  return header.text.length + items * ITEM_WEIGHT;
}
