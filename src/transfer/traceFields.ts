/**
 * The trace fields that are written in front of a message: Return-Path and Received.
 *
 * RFC 5321 section 4.4 (Return-path-line, Time-stamp-line, Stamp, From-domain, By-domain, TCP-info, With, ID, For), RFC 3848 and
 * RFC 6531 section 4.3 (Protocol), RFC 5322 section 3.3 (date-time).
 * Trust: the client chose its EHLO name and the paths. A name that is no Domain and no address-literal is not repeated, and
 * whatever could end a line is replaced, so that nothing from outside becomes a header field or a word of its own.
 */

import type { UnixMs } from '../base/clock.ts';
import type { TraceId } from '../base/ids.ts';
import { MINUTE_MS } from '../base/units.ts';
import type { Origin, SessionOrigin } from './contract.ts';

/** A field's line is folded when it would be longer (RFC 5322 section 2.1.1). */
const LINE_AIM_CHARS = 78;
/** RFC 5321 section 4.5.3.1.2. */
const DOMAIN_LIMIT_CHARS = 255;

const DOMAIN = /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;
const ADDRESS_LITERAL = /^\[[A-Za-z0-9.:-]+\]$/;

/** What the Received field says. */
export interface Stamp {
  readonly origin: Origin;
  readonly serverName: string;
  readonly traceId: TraceId;
  readonly recipients: readonly string[];
  readonly isSmtpUtf8?: boolean;
  readonly now: UnixMs;
  readonly zoneMinutes: number;
}

/** The Return-Path field with its CRLF. `reversePath` is without angle brackets, empty for the null path. */
export function formatReturnPath(reversePath: string): Buffer {
  return Buffer.from(`Return-Path: <${visible(reversePath)}>\r\n`);
}

/** The Received field, folded, with its CRLF. `for` stands only with a single recipient, so that no Bcc is told. */
export function formatReceived(stamp: Stamp): Buffer {
  const { origin, recipients } = stamp;
  const [only, ...others] = recipients;
  const words = [
    ...sourceWords(stamp),
    `id ${stamp.traceId}`,
    ...(origin.kind === 'pickup' || origin.tls === undefined ? [] : [`(${visible(origin.tls)})`]),
    ...(only === undefined || others.length > 0 ? [] : [`for <${visible(only)}>`]),
  ];
  return Buffer.from(`${fold(words)};\r\n ${formatDate(stamp.now, stamp.zoneMinutes)}\r\n`);
}

/** The FROM clause is one of SMTP's: what came as a file, or from nowhere, has none. */
function sourceWords(stamp: Stamp): readonly string[] {
  const { origin, serverName } = stamp;
  const by = `by ${visible(serverName)}`;
  switch (origin.kind) {
    case 'report':
      return [`Received: ${by}`];
    case 'pickup':
      return [`Received: ${by} (pickup ${commentText(origin.listener)})`];
    case 'smtp': {
      const client = addressLiteral(origin.remoteAddress);
      const from = isDomain(origin.heloName) ? origin.heloName : client;
      return [`Received: from ${from}`, `(${client})`, by, `with ${protocolOf(stamp, origin)}`];
    }
  }
}

/** date-time of RFC 5322 section 3.3. */
export function formatDate(at: UnixMs, zoneMinutes: number): string {
  const local = new Date(at + zoneMinutes * MINUTE_MS).toUTCString();
  const minutes = Math.abs(zoneMinutes);
  const zone = `${Math.floor(minutes / 60)}`.padStart(2, '0') + `${minutes % 60}`.padStart(2, '0');
  return local.replace('GMT', `${zoneMinutes < 0 ? '-' : '+'}${zone}`);
}

function isDomain(name: string): boolean {
  return name.length <= DOMAIN_LIMIT_CHARS && (DOMAIN.test(name) || ADDRESS_LITERAL.test(name));
}

function addressLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${visible(address)}]` : `[${visible(address)}]`;
}

function protocolOf({ isSmtpUtf8 }: Stamp, origin: SessionOrigin): string {
  if (!origin.isExtended) return 'SMTP';
  const name = isSmtpUtf8 ? 'UTF8SMTP' : 'ESMTP';
  const secured = origin.tls === undefined ? '' : 'S';
  // An address that is trusted has authenticated nobody.
  return `${name}${secured}${origin.submitter.kind === 'account' ? 'A' : ''}`;
}

/** Smtpd lets through nothing of the kind; other origins may. */
function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}<>()]/gu, '?');
}

/** RFC 5322 section 3.2.2: ctext, without what a comment could be ended or quoted by. */
function commentText(text: string): string {
  return visible(text).replace(/[^ -~]|\\/g, '?');
}

/** A path may be longer than a line; it is not cut. */
function fold(words: readonly string[]): string {
  let folded = '';
  let lineStart = 0;
  for (const word of words) {
    if (folded !== '' && folded.length - lineStart + 1 + word.length > LINE_AIM_CHARS) {
      folded += '\r\n';
      lineStart = folded.length;
    }
    folded += folded === '' ? word : ` ${word}`;
  }
  return folded;
}
