/**
 * CHECK (RFC 3501 section 6.4.1).
 *
 * There is nothing to check-point: what was answered OK is on disk. Clients use it as they use NOOP.
 */

import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';

/** Brings the mailbox up to date; the session tells what came of it. */
export async function check(_session: SessionContext, { selection }: SelectedState): Promise<Completion> {
  await selection.pull(true);
  return ok('CHECK completed');
}
