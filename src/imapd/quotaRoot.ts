/**
 * The one quota root of an account: all its mailboxes together (RFC 9208 section 3.2).
 *
 * STORAGE is the sum of the messages' sizes, as the limit is applied to it; there is no limit on how many they are. Usage and
 * limit are rounded up alike, so that an account which is not over its quota never looks so.
 */

import { KIB } from '../base/units.ts';
import { formatQuota } from '../wire/imap/quotaData.ts';
import type { Account } from '../store/contract/directory.ts';
import type { SessionContext } from './sessionContext.ts';

/** The root's name. Clients show it; none needs to know it. */
export const QUOTA_ROOT = 'Account';

/** Writes the QUOTA line. Errors: `notFound` when the account is gone. */
export async function writeQuota(session: SessionContext, account: Account): Promise<void> {
  const { usedOctets, limitOctets } = await session.server.accounts.quotaOf(account);
  const storage =
    limitOctets === undefined
      ? []
      : [{ name: 'STORAGE', usage: kibibytes(usedOctets), limit: kibibytes(limitOctets) } as const];
  session.writer.write(formatQuota(QUOTA_ROOT, storage));
}

/** RFC 9208 section 5.1: units of 1024 octets. */
function kibibytes(octets: number): number {
  return Math.ceil(octets / KIB);
}
