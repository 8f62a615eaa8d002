/**
 * The RCPT command.
 *
 * RFC 5321 section 4.1.1.3 (rcpt). No parameter is known yet: DSN (RFC 3461) is not offered.
 */

import { ArgumentReader } from './argument.ts';
import { takeParameters } from './parameters.ts';
import { takeForwardPath } from './path.ts';

/** Whom a message is for. */
export interface RcptArguments {
  /** Without angle brackets and source route, otherwise as written. */
  readonly forwardPath: string;
  /** Keywords that are not known here (RFC 5321 section 4.1.1.11: reply 555). */
  readonly unrecognized: readonly string[];
}

/** Reads a command line without its line end. Throws WireError. */
export function parseRcpt(line: Uint8Array): RcptArguments {
  const reader = new ArgumentReader(line);
  reader.expect(/RCPT[ \t]+TO[ \t]*:[ \t]*/iy, 'RCPT TO:');
  const forwardPath = takeForwardPath(reader);
  return { forwardPath, unrecognized: [...takeParameters(reader).keys()] };
}
