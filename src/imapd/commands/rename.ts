/**
 * RENAME (RFC 3501 section 6.3.5): children go along, missing parents are made, UIDs and UIDVALIDITY stay.
 *
 * Renaming INBOX moves its messages and leaves it empty. Sessions that have the mailbox selected keep it.
 */

import type { RenameArguments } from '../../wire/imap/rename.ts';
import { failed, no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { mailboxNameOf, newMailboxNameOf } from '../mailboxName.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Renames a mailbox. */
export async function rename(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  args: RenameArguments,
): Promise<Completion> {
  const { mailboxes } = session.server;
  const from = mailboxNameOf(args.from, session.delimiter);
  if (from === undefined) return failed('mailboxMissing');
  const to = newMailboxNameOf(args.to, session.delimiter);
  if (to === undefined) return no('A mailbox cannot have this name', 'CANNOT');
  await mailboxes.rename(account.id, from, to);
  return ok('RENAME completed');
}
