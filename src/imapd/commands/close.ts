/**
 * CLOSE (RFC 3501 section 6.4.2): expunges without a word, and lets the mailbox go.
 *
 * A mailbox that was examined is left as it is.
 */

import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { expungeDeleted } from '../expunging.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';

/** Expunges and deselects. */
export async function close(session: SessionContext, state: SelectedState): Promise<Completion> {
  if (!state.selection.isReadOnly) await expungeDeleted(session, state.selection, undefined);
  session.enter({ kind: 'authenticated', account: state.account });
  return ok('CLOSE completed');
}
