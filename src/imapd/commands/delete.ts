/**
 * DELETE (RFC 3501 section 6.3.4).
 *
 * A mailbox with children is not deleted (NO [HASCHILDREN], as RFC 9051 has it): a parent without messages confuses Outlook.
 * Where the session has it selected, it is let go first.
 */

import type { DeleteArguments } from '../../wire/imap/delete.ts';
import { failed, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { findMailbox } from '../mailboxLookup.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Removes a mailbox with its messages. */
export async function deleteMailbox(
  session: SessionContext,
  state: AuthenticatedState | SelectedState,
  args: DeleteArguments,
): Promise<Completion> {
  const mailbox = await findMailbox(session, state.account, args.mailbox);
  if (mailbox === undefined) return failed('mailboxMissing');
  await session.server.mailboxes.remove(state.account.id, mailbox.name);
  if (state.kind === 'selected' && state.selection.id === mailbox.id) {
    session.enter({ kind: 'authenticated', account: state.account });
  }
  return ok('DELETE completed');
}
