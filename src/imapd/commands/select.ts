/**
 * SELECT (RFC 3501 section 6.3.1).
 */

import type { SelectArguments } from '../../wire/imap/select.ts';
import type { Completion } from '../completion.ts';
import { openMailbox } from '../mailboxOpening.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Selects a mailbox for reading and writing. */
export function select(
  session: SessionContext,
  state: AuthenticatedState | SelectedState,
  args: SelectArguments,
): Promise<Completion> {
  return openMailbox(session, state, args, false);
}
