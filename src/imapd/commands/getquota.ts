/**
 * GETQUOTA (RFC 9208 section 4.1.1): what of a quota root is used, and its limit.
 */

import type { GetQuotaArguments } from '../../wire/imap/getquota.ts';
import { no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { QUOTA_ROOT, writeQuota } from '../quotaRoot.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Tells a quota. */
export async function getQuota(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  { root }: GetQuotaArguments,
): Promise<Completion> {
  if (root !== QUOTA_ROOT) return no('No such quota root', 'NONEXISTENT');
  await writeQuota(session, account);
  return ok('GETQUOTA completed');
}
