/**
 * The commands that are only a name.
 *
 * RFC 3501 section 9: CAPABILITY, LOGOUT, NOOP (command-any), STARTTLS (command-nonauth), CHECK, CLOSE, EXPUNGE without UID
 * (command-select); IDLE (RFC 2177 section 4; its end is in idle.ts), NAMESPACE (RFC 2342 section 6), UNSELECT (RFC 3691 section 4).
 */

import type { CommandDecoder } from './decoder.ts';

/** Takes the end of the command. */
export function parseNoArguments(decoder: CommandDecoder): void {
  decoder.eof();
}
