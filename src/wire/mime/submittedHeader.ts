/**
 * What a submission server does to a header: blind copies go, missing fields come.
 *
 * RFC 6409 section 8 (Date, Message-ID), RFC 5322 sections 3.6 (every message has Date and From), 3.6.3 and 3.6.6 (Bcc, Resent-Bcc)
 * and 4.5 (space before the colon). Fields that stay keep every octet and their order; those that are added stand in front.
 * Trust: nothing. Whatever stands before the blank line is header, junk as well, so that no Bcc behind junk is missed.
 */

import { type MessageField, type MessageHeader, messageField } from './messageHeader.ts';
import { octetString } from './structure.ts';

const BLIND: ReadonlySet<string> = new Set(['bcc', 'resent-bcc']);
/** .NET writes one before the first field where a stream was opened with the wrong encoding. */
const BYTE_ORDER_MARK = '\xef\xbb\xbf';
/** Stands before a first line that is folded. */
const UNNAMED = 'X-Unnamed';
const COLON = 0x3a;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** A header without the fields that tell blind copies, and the names of those. */
export function withoutBlindCopies(header: MessageHeader): {
  readonly header: MessageHeader;
  readonly removed: readonly string[];
} {
  const removed = header.fields.map(nameOf).filter((name) => BLIND.has(name));
  const fields = header.fields.filter((field, index) => !BLIND.has(nameOf(field, index)));
  return { header: { ...header, fields }, removed };
}

/** Whether a field has a CR that is no line end and a blind copy's name behind it: some readers would take it for a field. */
export function hidesBlindCopies({ fields }: MessageHeader): boolean {
  return fields.some(
    ({ octets }) => hasLoneCr(octets) && /\r[ \t]*(?:resent-)?bcc[ \t]*:/i.test(octets.toString('latin1')),
  );
}

/** What the fields are made of that a message may lack. */
export interface Completion {
  /** date-time. */
  readonly date: string;
  /** Without angle brackets. */
  readonly messageId: string;
  /** addr-spec; undefined where nobody is known. */
  readonly from: string | undefined;
}

/**
 * A header with the fields that it lacks in front, and their names. A field that is there counts, whatever it says. A header
 * whose first line is folded would go on with the last of ours, so UNNAMED takes that line.
 */
export function completed(
  header: MessageHeader,
  { date, messageId, from }: Completion,
): { readonly header: MessageHeader; readonly added: readonly string[] } {
  const present = new Set(header.fields.map(nameOf));
  const wanted: readonly (readonly [name: string, value: string])[] = [
    ['Date', date],
    ['Message-ID', `<${messageId}>`],
    ...(from === undefined ? [] : ([['From', `<${from}>`]] as const)),
  ];
  const lacking = wanted.filter(([name]) => !present.has(name.toLowerCase()));
  const missing = lacking.length > 0 && beginsFolded(header) ? [...lacking, [UNNAMED, ''] as const] : lacking;
  const added = missing.map(([name, value]) => messageField(name, octetString(octetsOf(value))));
  return {
    header: { ...header, fields: [...added, ...header.fields] },
    added: missing.map(([name]) => name),
  };
}

/** A field's name (lower case) in every spelling that some reader takes for it; empty for a line without colon. */
export function nameOf({ name, octets }: MessageField, index: number): string {
  if (!octets.includes(COLON)) return '';
  const marked = index === 0 && name.startsWith(BYTE_ORDER_MARK);
  return (marked ? name.slice(BYTE_ORDER_MARK.length) : name).trim();
}

function beginsFolded({ fields }: MessageHeader): boolean {
  const first = fields[0]?.octets[0];
  return first === SPACE || first === TAB;
}

function hasLoneCr(octets: Buffer): boolean {
  for (let at = octets.indexOf(CR); at >= 0; at = octets.indexOf(CR, at + 1))
    if (octets[at + 1] !== LF) return true;
  return false;
}

/** Text as UTF-8 octets, one a character. */
function octetsOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}
