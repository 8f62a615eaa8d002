/**
 * SETQUOTA (RFC 9208 section 4.1.3): refused, as quotas are the administrator's; QUOTASET is not offered.
 */

import type { SetQuotaArguments } from '../../wire/imap/setquota.ts';
import { no } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Refuses to set a quota. */
export function setQuota(
  _session: SessionContext,
  _state: AuthenticatedState | SelectedState,
  _args: SetQuotaArguments,
): Completion {
  return no('Quotas are set by the administrator', 'NOPERM');
}
