/**
 * BODY and BODYSTRUCTURE: the structure of a message as IMAP writes it.
 *
 * RFC 3501 section 7.4.2 and section 9: body, body-ext-1part, body-ext-mpart, body-fields, body-fld-*, body-type-*.
 * Octets and lines are those of the encoded part. BODY leaves the extension data out, at every level.
 * The depth was bounded by wire/mime.
 */

import type {
  MessagePart,
  MimeDisposition,
  MimeParameter,
  MimePart,
  MultipartPart,
  OctetString,
  TextPart,
} from '../mime/structure.ts';
import { formatEnvelope } from './envelope.ts';
import { formatNstring, formatString, NIL } from './format.ts';

/** BODY's value. */
export function formatBody(structure: MimePart): string {
  return formatPart(structure, false);
}

/** BODYSTRUCTURE's value. */
export function formatBodyStructure(structure: MimePart): string {
  return formatPart(structure, true);
}

function formatPart(part: MimePart, isExtensible: boolean): string {
  if (part.kind === 'multipart') return formatMultipart(part, isExtensible);
  const fields = [
    formatString(part.type),
    formatString(part.subtype),
    formatParameters(part.parameters),
    formatNstring(part.id),
    formatNstring(part.description),
    formatString(part.encoding),
    String(part.bodyEnd - part.bodyStart),
    ...formatTypeFields(part, isExtensible),
  ];
  if (isExtensible) fields.push(formatNstring(part.md5), ...formatExtension(part));
  return `(${fields.join(' ')})`;
}

/** The parts follow one another without a space (1*body). */
function formatMultipart(part: MultipartPart, isExtensible: boolean): string {
  const parts = part.parts.map((child) => formatPart(child, isExtensible)).join('');
  const fields = [formatString(part.subtype)];
  if (isExtensible) fields.push(formatParameters(part.parameters), ...formatExtension(part));
  return `(${parts} ${fields.join(' ')})`;
}

function formatTypeFields(part: Exclude<MimePart, MultipartPart>, isExtensible: boolean): readonly string[] {
  switch (part.kind) {
    case 'text':
      return [lines(part)];
    case 'message': {
      const { envelope, structure } = part.message;
      return [formatEnvelope(envelope), formatPart(structure, isExtensible), lines(part)];
    }
    case 'leaf':
      return [];
  }
}

function lines(part: TextPart | MessagePart): string {
  return String(part.lines);
}

function formatExtension(part: MimePart): readonly string[] {
  return [formatDisposition(part.disposition), formatLanguages(part.languages), formatNstring(part.location)];
}

function formatDisposition(disposition: MimeDisposition | null): string {
  if (disposition === null) return NIL;
  return `(${formatString(disposition.type)} ${formatParameters(disposition.parameters)})`;
}

function formatLanguages(languages: readonly OctetString[] | null): string {
  if (languages === null || languages.length === 0) return NIL;
  return `(${languages.map(formatString).join(' ')})`;
}

function formatParameters(parameters: readonly MimeParameter[]): string {
  if (parameters.length === 0) return NIL;
  const pairs = parameters.map(({ name, value }) => `${formatString(name)} ${formatString(value)}`);
  return `(${pairs.join(' ')})`;
}
