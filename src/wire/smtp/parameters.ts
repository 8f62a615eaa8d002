/**
 * Parameters behind the path of MAIL and RCPT.
 *
 * RFC 5321 section 4.1.2: Mail-parameters, Rcpt-parameters, esmtp-param, esmtp-keyword, esmtp-value; RFC 6531 section 3.3
 * extends the value. A keyword may stand once (RFC 5321 says nothing, RFC 3461 section 4 forbids it). What a keyword means is
 * the command's affair.
 */

import { WireError } from '../../base/error.ts';
import type { ArgumentReader } from './argument.ts';

/** Parameters of one command, an MFP's ten times over; the line limit bounds them as well. */
const PARAMETER_LIMIT = 50;

const KEYWORD = /[A-Za-z0-9][A-Za-z0-9-]*/y;
const VALUE = /=[!-<>-~\u0080-\u{10ffff}]+/uy;

/** What breaks the grammar behind the path: answered otherwise than a path (RFC 3463 section 3.6: 5.5.4). */
export class ParameterError extends WireError {
  /** `expected` names the rule or the forms that are taken. */
  constructor(expected: string, offset = 0) {
    super(offset, expected);
    this.name = 'ParameterError';
  }
}

/** Values by keyword in upper case; undefined where a keyword stands without `=`. */
export type EsmtpParameters = ReadonlyMap<string, string | undefined>;

/** Takes all parameters to the end of the line. */
export function takeParameters(reader: ArgumentReader): EsmtpParameters {
  const parameters = new Map<string, string | undefined>();
  while (reader.take(/[ \t]+/y) !== undefined && !reader.isAtEnd) {
    const keyword = reader.take(KEYWORD)?.toUpperCase();
    if (keyword === undefined) throw new ParameterError('esmtp-keyword', reader.offset);
    if (parameters.has(keyword) || parameters.size >= PARAMETER_LIMIT)
      throw new ParameterError(`${keyword} no more than once`, reader.offset);
    parameters.set(keyword, reader.take(VALUE)?.slice(1));
  }
  if (reader.isAtEnd) return parameters;
  // Without a blank behind it, what follows the path is not a parameter but a wrong path.
  throw parameters.size === 0
    ? reader.error('blank or end of line')
    : new ParameterError('esmtp-param', reader.offset);
}
