/**
 * UNSUBSCRIBE: one mailbox.
 *
 * RFC 3501 section 6.3.7 and section 9: unsubscribe.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';

/** UNSUBSCRIBE's argument. */
export interface UnsubscribeArguments {
  readonly mailbox: string;
}

/** Takes UNSUBSCRIBE's argument. */
export function parseUnsubscribe(decoder: CommandDecoder): UnsubscribeArguments {
  decoder.sp();
  const mailbox = parseMailbox(decoder);
  decoder.eof();
  return { mailbox };
}
