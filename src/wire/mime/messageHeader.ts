/**
 * A message's own header as a list of fields, each with its exact octets: for whoever looks at it on the way in, takes fields
 * out or puts some in front, and leaves every other octet as it came.
 *
 * RFC 5322 section 2.2; what is a field is header.ts's affair. Invariant: what formatMessageHeader puts together of an
 * unchanged header are the octets that it was parsed from.
 * Trust: nothing. Any octets are a header; the caller bounds their number.
 */

import { fieldValue, splitHeader } from './header.ts';
import type { OctetString } from './structure.ts';

/** One field. */
export interface MessageField {
  /** In lower case, without the space before the colon; a line without colon is a field of that name. */
  readonly name: string;
  /** After the colon, unfolded, without space around it. */
  readonly value: OctetString;
  /** The whole field, with its folds and line end (CRLF or LF; none where the message ends inside the field). */
  readonly octets: Buffer;
}

/** A header. */
export interface MessageHeader {
  readonly fields: readonly MessageField[];
  /** The blank line behind the fields; empty where there is none. */
  readonly blankLine: Buffer;
  /** Whether these are all fields of the message; false where it has more than its reader was willing to look at. */
  readonly isWhole: boolean;
}

/** The header of these octets, which end with it. The fields share their memory. */
export function parseMessageHeader(octets: Buffer, isWhole: boolean): MessageHeader {
  const header = splitHeader(octets);
  const fields = header.fields.map((field) => ({
    name: field.name,
    value: fieldValue(header, field),
    octets: octets.subarray(field.start, field.end),
  }));
  return { fields, blankLine: octets.subarray(header.fieldsEnd), isWhole };
}

/** The octets of a header. */
export function formatMessageHeader({ fields, blankLine }: MessageHeader): Buffer {
  return Buffer.concat([...fields.map((field) => field.octets), blankLine]);
}

/** The values of all fields of a name (lower case), in order. */
export function valuesOf({ fields }: MessageHeader, name: string): readonly OctetString[] {
  return fields.filter((field) => field.name === name).map(({ value }) => value);
}

/** The header without all fields of these names (lower case). */
export function withoutFields(header: MessageHeader, names: ReadonlySet<string>): MessageHeader {
  return { ...header, fields: header.fields.filter(({ name }) => !names.has(name)) };
}

/** A field of ours. `name` and `value` are ours to answer for: without CR and LF. */
export function messageField(name: string, value: OctetString): MessageField {
  return { name: name.toLowerCase(), value, octets: Buffer.from(`${name}: ${value}\r\n`, 'latin1') };
}
