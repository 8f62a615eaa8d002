/**
 * COPY and UID COPY: messages into another mailbox.
 *
 * RFC 3501 section 6.4.7 and section 9: copy.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';
import { parseMessageSet } from './sequenceSet.ts';
import type { MessageSet } from './sequenceSet.ts';

/** COPY's and MOVE's arguments. */
export interface CopyArguments {
  readonly set: MessageSet;
  readonly mailbox: string;
}

/** Takes COPY's arguments. */
export function parseCopy(decoder: CommandDecoder): CopyArguments {
  decoder.sp();
  const set = parseMessageSet(decoder);
  decoder.sp();
  const mailbox = parseMailbox(decoder);
  decoder.eof();
  return { set, mailbox };
}
