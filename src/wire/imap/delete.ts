/**
 * DELETE: one mailbox.
 *
 * RFC 3501 section 6.3.4 and section 9: delete.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';

/** DELETE's argument. */
export interface DeleteArguments {
  readonly mailbox: string;
}

/** Takes DELETE's argument. */
export function parseDelete(decoder: CommandDecoder): DeleteArguments {
  decoder.sp();
  const mailbox = parseMailbox(decoder);
  decoder.eof();
  return { mailbox };
}
