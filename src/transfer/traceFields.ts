/**
 * The trace fields that are written in front of a message: Return-Path and Received (RFC 5321 section 4.4).
 *
 * Trust: the client chose its EHLO name and the paths. Whatever could end a line, open a comment or is not printable ASCII or
 * UTF-8 text is replaced, so that nothing of it becomes a header field or a word of its own.
 */

import type { UnixMs } from '../base/clock.ts';
import type { TraceId } from '../base/ids.ts';

/** Longest value from outside in a trace field; RFC 5321 section 4.5.3.1.2 allows 255 octets for a domain. */
const VALUE_LIMIT_CHARS = 255;
/** A field's line is folded when it would be longer (RFC 5322 section 2.1.1). */
const LINE_AIM_CHARS = 78;

/** Who handed a message over, and how. */
export interface Origin {
  readonly kind: 'smtp';
  /** The listener's name. */
  readonly listener: string;
  readonly remoteAddress: string;
  /** The argument of HELO or EHLO. */
  readonly heloName: string;
  /** Whether it was EHLO. */
  readonly isExtended: boolean;
  /** Protocol and cipher, as `TLSv1.3 TLS_AES_256_GCM_SHA384`; undefined without TLS. */
  readonly tls: string | undefined;
}

/** What the trace fields say. */
export interface TraceFieldsInput {
  readonly origin: Origin;
  readonly serverName: string;
  readonly traceId: TraceId;
  /** Without angle brackets; empty for the null path. */
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly now: UnixMs;
  readonly zoneMinutes: number;
}

/** The Return-Path field with its CRLF. */
export function formatReturnPath(reversePath: string): Buffer {
  return Buffer.from(`Return-Path: <${cleanPath(reversePath)}>\r\n`);
}

/** The Received field, folded, with its CRLF. `for` stands only with a single recipient, so that no Bcc is told. */
export function formatReceived(input: TraceFieldsInput): Buffer {
  const { origin, recipients } = input;
  const only = recipients.length === 1 ? recipients[0] : undefined;
  const words = [
    `Received: from ${cleanWord(origin.heloName) || 'unknown'}`,
    `(${addressLiteral(origin.remoteAddress)})`,
    `by ${cleanWord(input.serverName)}`,
    `with ${protocolOf(origin)}`,
    `id ${input.traceId}`,
    ...(origin.tls === undefined ? [] : [`(${cleanComment(origin.tls)})`]),
    ...(only === undefined ? [] : [`for <${cleanPath(only)}>`]),
  ];
  return Buffer.from(`${fold(words)};\r\n ${formatDate(input.now, input.zoneMinutes)}\r\n`);
}

/** RFC 3848; the UTF8 forms of RFC 6531 are left out, since smtpd does not know which message used them. */
function protocolOf({ isExtended, tls }: Origin): string {
  if (!isExtended) return 'SMTP';
  return tls === undefined ? 'ESMTP' : 'ESMTPS';
}

/** date-time of RFC 5322 section 3.3. */
export function formatDate(at: UnixMs, zoneMinutes: number): string {
  const local = new Date(at + zoneMinutes * 60_000).toUTCString();
  const sign = zoneMinutes < 0 ? '-' : '+';
  const minutes = Math.abs(zoneMinutes);
  const zone = `${String(Math.floor(minutes / 60)).padStart(2, '0')}${String(minutes % 60).padStart(2, '0')}`;
  return local.replace('GMT', `${sign}${zone}`);
}

function addressLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${cleanComment(address)}]` : `[${cleanComment(address)}]`;
}

/** One word: what could separate words or open something is replaced. */
function cleanWord(text: string): string {
  return text.slice(0, VALUE_LIMIT_CHARS).replace(/[^\p{L}\p{N}.:_[\]-]/gu, '?');
}

function cleanComment(text: string): string {
  return text.slice(0, VALUE_LIMIT_CHARS).replace(/[^\x20-\x7e]|[()\\]/g, '?');
}

function cleanPath(path: string): string {
  return path.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>]/gu, '?');
}

function fold(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= LINE_AIM_CHARS)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : ` ${word}`);
  }
  return lines.join('\r\n');
}
