/**
 * Parameters behind the path of MAIL and RCPT.
 *
 * RFC 5321 section 4.1.2: Mail-parameters, Rcpt-parameters, esmtp-param, esmtp-keyword, esmtp-value; RFC 6531 section 3.3
 * extends the value. A keyword may stand once (RFC 5321 says nothing, RFC 3461 section 4 forbids it). What a keyword means is
 * the command's affair.
 */

import type { ArgumentReader } from './argument.ts';

/** Parameters of one command, an MFP's ten times over; the line limit bounds them as well. */
const PARAMETER_LIMIT = 50;

const KEYWORD = /[A-Za-z0-9][A-Za-z0-9-]*/y;
const VALUE = /=[!-<>-~\u0080-\u{10ffff}]+/uy;

/** Values by keyword in upper case; undefined where a keyword stands without `=`. */
export type EsmtpParameters = ReadonlyMap<string, string | undefined>;

/** Takes all parameters to the end of the line. */
export function takeParameters(reader: ArgumentReader): EsmtpParameters {
  const parameters = new Map<string, string | undefined>();
  while (reader.take(/[ \t]+/y) !== undefined && !reader.isAtEnd) {
    const keyword = reader.expect(KEYWORD, 'esmtp-keyword').toUpperCase();
    if (parameters.has(keyword) || parameters.size >= PARAMETER_LIMIT)
      throw reader.error(`${keyword} no more than once`);
    parameters.set(keyword, reader.take(VALUE)?.slice(1));
  }
  if (!reader.isAtEnd) throw reader.error('esmtp-param');
  return parameters;
}
