/**
 * GETQUOTAROOT: one mailbox, which need not exist.
 *
 * RFC 9208 section 7: getquotaroot.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';

/** GETQUOTAROOT's argument. */
export interface GetQuotaRootArguments {
  readonly mailbox: string;
}

/** Takes GETQUOTAROOT's argument. */
export function parseGetQuotaRoot(decoder: CommandDecoder): GetQuotaRootArguments {
  decoder.sp();
  const mailbox = parseMailbox(decoder);
  decoder.eof();
  return { mailbox };
}
