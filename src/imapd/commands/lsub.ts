/**
 * LSUB (RFC 3501 section 6.3.9).
 */

import { formatLsub } from '../../wire/imap/listData.ts';
import type { LsubArguments } from '../../wire/imap/lsub.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { listSubscribed } from '../mailboxListing.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Lists subscribed names. */
export async function lsub(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  { reference, pattern }: LsubArguments,
): Promise<Completion> {
  const { mailboxes } = session.server;
  const tree = {
    mailboxes: await mailboxes.list(account.id),
    subscriptions: await mailboxes.subscriptions(account.id),
    delimiter: session.delimiter,
  };
  for (const line of listSubscribed(tree, reference, pattern)) session.writer.write(formatLsub(line));
  return ok('LSUB completed');
}
