/**
 * GETQUOTAROOT (RFC 9208 section 4.1.2): the quota root of a mailbox, which need not exist, and its quota.
 */

import type { GetQuotaRootArguments } from '../../wire/imap/getquotaroot.ts';
import { formatQuotaRoot } from '../../wire/imap/quotaData.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { QUOTA_ROOT, writeQuota } from '../quotaRoot.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Tells a mailbox's quota root. */
export async function getQuotaRoot(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  { mailbox }: GetQuotaRootArguments,
): Promise<Completion> {
  session.writer.write(formatQuotaRoot(mailbox, [QUOTA_ROOT]));
  await writeQuota(session, account);
  return ok('GETQUOTAROOT completed');
}
