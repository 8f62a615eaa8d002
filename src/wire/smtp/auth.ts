/**
 * The AUTH command.
 *
 * RFC 4954 section 4: auth-command. What follows the name of the mechanism is base64, which wire/sasl decodes.
 */

import { WireError } from '../../base/error.ts';

/** How a client wants to log in. */
export interface AuthArguments {
  /** As it was written. */
  readonly mechanism: string;
  /** In base64, or `=` for an empty one; undefined where the client waits to be asked. */
  readonly initialResponse: Buffer | undefined;
}

/** Blanks beside those of the grammar are taken, as clients of VB6 times write them. */
const AUTH = /^AUTH[ \t]+([A-Za-z0-9_-]{1,20})(?:[ \t]+([^ \t]+))?[ \t]*$/i;

/** Reads a command line without its line end. Throws WireError. */
export function parseAuth(line: Buffer): AuthArguments {
  const [, mechanism, response] = AUTH.exec(line.toString('latin1')) ?? [];
  if (mechanism === undefined) throw new WireError('AUTH '.length, 'AUTH mechanism [initial-response]');
  const initialResponse = response === undefined ? undefined : Buffer.from(response, 'latin1');
  return { mechanism, initialResponse };
}
