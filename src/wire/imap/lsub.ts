/**
 * LSUB: the subscribed names that match a pattern.
 *
 * RFC 3501 section 6.3.9 and section 9: lsub.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseListMailbox, parseMailbox } from './mailboxName.ts';

/** LSUB's arguments. */
export interface LsubArguments {
  readonly reference: string;
  readonly pattern: string;
}

/** Takes LSUB's arguments. */
export function parseLsub(decoder: CommandDecoder): LsubArguments {
  decoder.sp();
  const reference = parseMailbox(decoder);
  decoder.sp();
  const pattern = parseListMailbox(decoder);
  decoder.eof();
  return { reference, pattern };
}
