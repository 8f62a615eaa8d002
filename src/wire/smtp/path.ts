/**
 * Reverse-path and Forward-path: the addresses of MAIL and RCPT.
 *
 * RFC 5321 sections 4.1.2 (Reverse-path, Forward-path, Path, A-d-l, At-domain, Domain, Local-part, Dot-string, Quoted-string,
 * Mailbox) and 4.1.3 (address-literal), RFC 6531 section 3.3. A path comes out as it was written, without brackets and source
 * route: nothing in a local part (percent sign, bang, quoted @) is ever taken for a route, and no domain is rewritten.
 * Deviates from RFC 5321 because real senders do: dots anywhere in a local part (docomo.ne.jp), `_` in a domain, a final dot
 * after it. A lenient dialect takes blanks before the path and inside its brackets, and a path without brackets.
 */

import type { ArgumentReader } from './argument.ts';
import type { SmtpDialect } from './dialect.ts';

/** Octets of a path. RFC 5321 section 4.5.3.1.3 has 256; rewritten senders (SRS, BATV, Gmail's forwarding) come with longer ones. */
export const PATH_LIMIT_OCTETS = 512;

const LABEL = '[A-Za-z0-9_\\u0080-\\u{10ffff}-]+';
const DOMAIN = `${LABEL}(?:\\.${LABEL})*\\.?`;
const AT_DOMAIN = `@(?:${DOMAIN}|\\[[!-Z^-~]+\\])`;
const SOURCE_ROUTE = new RegExp(`${AT_DOMAIN}(?:,${AT_DOMAIN})*:`, 'uy');
const ATEXT_AND_DOTS = /[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+/uy;
const QUOTED_STRING = /"(?:[^"\\\p{Cc}]|\\[\x20-\x7e])*"/uy;
const DOMAIN_HERE = new RegExp(DOMAIN, 'uy');
const ADDRESS_LITERAL = /\[[!-Z^-~]+\]/y;
const BLANKS = /[ \t]+/y;
const POSTMASTER = /postmaster(?=>|[ \t]|$)/iy;

/** Takes a Reverse-path; the null path is the empty string. */
export function takeReversePath(reader: ArgumentReader, dialect: SmtpDialect): string {
  if (dialect.isLenient === true) reader.take(BLANKS);
  if (reader.take(dialect.isLenient === true ? /<[ \t]*>/y : /<>/y) !== undefined) return '';
  return takePath(reader, dialect, takeMailbox);
}

/** Takes a Forward-path; `postmaster` alone is one. */
export function takeForwardPath(reader: ArgumentReader, dialect: SmtpDialect): string {
  if (dialect.isLenient === true) reader.take(BLANKS);
  return takePath(reader, dialect, (inside) => inside.take(POSTMASTER) ?? takeMailbox(inside));
}

function takePath(
  reader: ArgumentReader,
  { isLenient = false }: SmtpDialect,
  takeInside: (reader: ArgumentReader) => string,
): string {
  const isBracketed = reader.take(/</y) !== undefined;
  if (!isBracketed && !isLenient) throw reader.error('<');
  if (isBracketed && isLenient) reader.take(BLANKS);
  if (isBracketed) reader.take(SOURCE_ROUTE);
  const path = takeInside(reader);
  if (Buffer.byteLength(path) > PATH_LIMIT_OCTETS) throw reader.error(`${PATH_LIMIT_OCTETS} octets at most`);
  if (isBracketed && isLenient) reader.take(BLANKS);
  if (isBracketed) reader.expect(/>/y, '>');
  return path;
}

function takeMailbox(reader: ArgumentReader): string {
  const localPart = reader.take(QUOTED_STRING) ?? reader.expect(ATEXT_AND_DOTS, 'Local-part');
  const at = reader.expect(/@/y, '@');
  const domain = reader.take(ADDRESS_LITERAL) ?? reader.expect(DOMAIN_HERE, 'Domain');
  return localPart + at + domain;
}
