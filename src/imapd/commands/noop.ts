/**
 * NOOP (RFC 3501 section 6.1.2): the client polls.
 *
 * The store is asked for news even if the feed has told none.
 */

import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SessionState } from '../sessionState.ts';

/** Brings the selected mailbox up to date; the session tells what came of it. */
export async function noop(_session: SessionContext, state: SessionState): Promise<Completion> {
  if (state.kind === 'selected') await state.selection.pull(true);
  return ok('NOOP completed');
}
