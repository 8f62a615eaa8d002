/**
 * A part with its content transfer encoding taken off, for BINARY and BINARY.SIZE (RFC 3516 section 4.2).
 *
 * How long the answer is and whether it holds NUL, the client is told before its first octet. So a part is read twice: once to
 * count, once to be sent. Neither pass holds more than a piece of it, whatever its size; a part that is small anyway is kept
 * from the first. Broken base64 and quoted-printable are decoded as far as they go, by both passes alike.
 * Trust: the encoding is the message's own claim; what nobody here can decode is `unknownEncoding`, never a guess.
 */

import { MailError } from '../base/error.ts';
import { KIB } from '../base/units.ts';
import type { SectionPartial } from '../wire/imap/section.ts';
import { locatePart } from '../wire/mime/section.ts';
import type { OctetRange } from '../wire/mime/section.ts';
import { createTransferDecoder, transferEncodingOf } from '../wire/mime/transferEncoding.ts';
import type { Content } from '../store/contract/contents.ts';
import type { DerivedMessage } from '../store/contract/derived.ts';
import type { SessionContext } from './sessionContext.ts';
import { SessionEnd } from './sessionEnd.ts';

/** Decoded octets that are kept from the first pass: a piece of the store, so that small parts are read once. */
const KEPT_OCTETS = 256 * KIB;

/** Where a part is, and the name of its encoding; undefined where there is nothing to take off. */
export interface EncodedPart {
  readonly range: OctetRange;
  readonly encoding: string | undefined;
}

/** Decoded octets, measured. */
export interface DecodedStretch {
  readonly octetCount: number;
  readonly hasNul: boolean;
  /** Read once. */
  readonly octets: AsyncIterable<Buffer> | Iterable<Buffer>;
}

/**
 * The part that `path` names, undefined where the message has none. The message itself (no path) and a multipart have no
 * encoding of their own but those of the parts inside (RFC 2045 section 6.4), which stay. Errors: `unknownEncoding`.
 */
export function findEncodedPart(
  path: readonly number[],
  content: Content,
  derived: DerivedMessage | undefined,
): EncodedPart | undefined {
  if (path.length === 0) return { range: { start: 0, end: content.octets }, encoding: undefined };
  const part = derived && locatePart(derived, path);
  if (part === undefined) return undefined;
  const range = { start: part.bodyStart, end: part.bodyEnd };
  const encoding = part.kind === 'multipart' ? 'identity' : transferEncodingOf(part.encoding);
  if (encoding === undefined) throw new MailError('unknownEncoding');
  return { range, encoding: encoding === 'identity' ? undefined : part.encoding };
}

/** How many octets the whole part has. Errors: the store's. */
export async function decodedSize(
  session: SessionContext,
  content: Content,
  { range, encoding }: EncodedPart,
): Promise<number> {
  if (encoding === undefined) return range.end - range.start;
  let octetCount = 0;
  for await (const piece of decodedOctets(content, { range, encoding })) {
    octetCount += piece.length;
    await breatheWhileThere(session);
  }
  return octetCount;
}

/** What `partial` wants of the part, measured. Errors: the store's. */
export async function decodeStretch(
  session: SessionContext,
  content: Content,
  part: EncodedPart,
  partial: SectionPartial | undefined,
): Promise<DecodedStretch> {
  const kept: Buffer[] = [];
  let octetCount = 0;
  let hasNul = false;
  for await (const piece of stretchOf(decodedOctets(content, part), partial)) {
    octetCount += piece.length;
    hasNul ||= piece.includes(0);
    if (octetCount <= KEPT_OCTETS) kept.push(piece);
    else kept.length = 0;
    await breatheWhileThere(session);
  }
  const isKept = octetCount <= KEPT_OCTETS;
  const octets = isKept ? kept : stretchOf(decodedOctets(content, part), partial);
  return { octetCount, hasNul, octets };
}

async function* decodedOctets(
  content: Content,
  { range, encoding }: EncodedPart,
): AsyncGenerator<Buffer, void, void> {
  const decoder = createTransferDecoder(encoding ?? 'binary');
  for await (const piece of content.read(range.start, range.end)) yield decoder.push(piece);
  yield decoder.end();
}

/** The octets that `partial` wants, in no more pieces than come; what lies behind them is not read. */
async function* stretchOf(
  octets: AsyncIterable<Buffer>,
  partial: SectionPartial | undefined,
): AsyncGenerator<Buffer, void, void> {
  let toSkip = partial?.start ?? 0;
  let left = partial?.octets ?? Number.POSITIVE_INFINITY;
  for await (const piece of octets) {
    const from = Math.min(piece.length, toSkip);
    toSkip -= from;
    const wanted = piece.subarray(from, from + Math.min(left, piece.length));
    left -= wanted.length;
    yield wanted;
    if (left <= 0) return;
  }
}

/** The first pass writes nothing, so it has to look itself whether anybody still waits. */
async function breatheWhileThere({ pacer, isGone }: SessionContext): Promise<void> {
  if (isGone) throw new SessionEnd('connectionLost', 'The connection was lost');
  await pacer.breathe();
}
