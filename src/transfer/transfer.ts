/**
 * The one door for messages in transit: whoever takes one in hands it to `accept`, and may acknowledge it when that answers
 * `accepted`, which is after the commit.
 *
 * RCPT is answered by `checkRecipient`, which refuses whatever is not ours to deliver: there is no way to relay here.
 * Trust: paths and octets are the other side's. Messages in transit pass through, in pieces, and stay nowhere but in the store.
 */

import { accept } from './accept.ts';
import { checkRecipient } from './checkRecipient.ts';
import type { Transfer, TransferOptions } from './contract.ts';
import { createFreeSpace } from './freeSpace.ts';

/** Opens the door. */
export function createTransfer(options: TransferOptions): Transfer {
  const freeSpace = createFreeSpace(options.store, options.clock);
  return {
    checkRecipient: (path, question) => checkRecipient(options.accounts, freeSpace, path, question),
    accept: (envelope, message, origin, inspection) => accept(options, envelope, message, origin, inspection),
  };
}
