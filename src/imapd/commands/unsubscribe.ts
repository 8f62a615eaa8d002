/**
 * UNSUBSCRIBE (RFC 3501 section 6.3.7).
 *
 * Of a name that is not subscribed it is OK: what the client wants is so.
 */

import type { UnsubscribeArguments } from '../../wire/imap/unsubscribe.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { mailboxNameOf } from '../mailboxName.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Takes a subscription away. */
export async function unsubscribe(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  args: UnsubscribeArguments,
): Promise<Completion> {
  const { mailboxes } = session.server;
  const name = mailboxNameOf(args.mailbox, session.delimiter);
  if (name !== undefined) await mailboxes.setSubscribed(account.id, name, false);
  return ok('UNSUBSCRIBE completed');
}
