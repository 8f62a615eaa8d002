/**
 * SUBSCRIBE: one mailbox.
 *
 * RFC 3501 section 6.3.6 and section 9: subscribe.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';

/** SUBSCRIBE's argument. */
export interface SubscribeArguments {
  readonly mailbox: string;
}

/** Takes SUBSCRIBE's argument. */
export function parseSubscribe(decoder: CommandDecoder): SubscribeArguments {
  decoder.sp();
  const mailbox = parseMailbox(decoder);
  decoder.eof();
  return { mailbox };
}
