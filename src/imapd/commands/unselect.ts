/**
 * UNSELECT (RFC 3691): lets the mailbox go and expunges nothing.
 */

import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';

/** Deselects. */
export function unselect(session: SessionContext, { account }: SelectedState): Completion {
  session.enter({ kind: 'authenticated', account });
  return ok('UNSELECT completed');
}
