/**
 * What files of a directory may do, as the door asks it: for files, and for whoever wants to know beforehand.
 */

import type { DirectoryPolicy } from '../transfer/contract.ts';
import type { PickupDirectory } from './contract.ts';

/** The policy of a directory. How many a minute is not the door's business: a file that has to wait is not even claimed. */
export function policyOf(directory: PickupDirectory): DirectoryPolicy {
  const { name, senders, rewriteSender, recipients, relay, recipientLimit, sizeLimitOctets } = directory;
  return { name, senders, rewriteSender, recipients, relay, limits: { recipientLimit, sizeLimitOctets } };
}
