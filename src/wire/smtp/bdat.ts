/**
 * The BDAT command.
 *
 * RFC 3030 section 2 (bdat-cmd, chunk-size, end-marker). More white space than one blank is taken.
 */

import { ArgumentReader } from './argument.ts';

/** What a client says about its next chunk. */
export interface BdatArguments {
  /** Octets that follow the command; perhaps more than a number holds exactly, or infinite. */
  readonly octets: number;
  /** Whether the message ends with it. */
  readonly isLast: boolean;
}

/** Reads a command line without its line end. Throws WireError. */
export function parseBdat(line: Uint8Array): BdatArguments {
  const reader = new ArgumentReader(line);
  reader.expect(/BDAT[ \t]+/iy, 'BDAT chunk-size');
  const octets = Number(reader.expect(/[0-9]+(?=[ \t]|$)/y, 'chunk-size in decimal digits'));
  const isLast = reader.take(/[ \t]+LAST(?=[ \t]|$)/iy) !== undefined;
  reader.take(/[ \t]+/y);
  if (!reader.isAtEnd) throw reader.error('LAST or the end of the line');
  return { octets, isLast };
}
