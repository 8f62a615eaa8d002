/**
 * The RCPT command.
 *
 * RFC 5321 section 4.1.1.3 (rcpt), RFC 3461 (NOTIFY, ORCPT).
 */

import { ArgumentReader } from './argument.ts';
import type { SmtpDialect } from './dialect.ts';
import { type RcptDsn, readRcptDsn } from './dsnParameters.ts';
import { takeParameters } from './parameters.ts';
import { takeForwardPath } from './path.ts';

/** Whom a message is for. */
export interface RcptArguments {
  /** Without angle brackets and source route, otherwise as written. */
  readonly forwardPath: string;
  /** Empty where DSN is not offered. */
  readonly dsn: RcptDsn;
  /** Keywords that are not known here (RFC 5321 section 4.1.1.11: reply 555). */
  readonly unrecognized: readonly string[];
}

/** Reads a command line without its line end. Throws WireError, for parameters ParameterError. */
export function parseRcpt(line: Uint8Array, dialect: SmtpDialect = {}): RcptArguments {
  const reader = new ArgumentReader(line);
  reader.expect(dialect.isLenient === true ? /RCPT[ \t]+TO[ \t]*:/iy : /RCPT[ \t]+TO:/iy, 'RCPT TO:');
  const forwardPath = takeForwardPath(reader, dialect);
  const parameters = takeParameters(reader);
  const known = dialect.hasDsn === true ? ['NOTIFY', 'ORCPT'] : [];
  return {
    forwardPath,
    dsn: dialect.hasDsn === true ? readRcptDsn(parameters) : {},
    unrecognized: [...parameters.keys()].filter((keyword) => !known.includes(keyword)),
  };
}
