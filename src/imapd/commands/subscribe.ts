/**
 * SUBSCRIBE (RFC 3501 section 6.3.6).
 *
 * Only what exists can be subscribed; the subscription stays when the mailbox is deleted.
 */

import type { SubscribeArguments } from '../../wire/imap/subscribe.ts';
import { failed, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { findMailbox } from '../mailboxLookup.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Adds a subscription. */
export async function subscribe(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  args: SubscribeArguments,
): Promise<Completion> {
  const mailbox = await findMailbox(session, account, args.mailbox);
  if (mailbox === undefined) return failed('mailboxMissing');
  await session.server.mailboxes.setSubscribed(account.id, mailbox.name, true);
  return ok('SUBSCRIBE completed');
}
