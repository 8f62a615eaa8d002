/**
 * EXPUNGE (RFC 3501 section 6.4.3) and UID EXPUNGE (RFC 4315 section 2.1).
 *
 * The EXPUNGE responses are the session's, as for any other expunge that it hears of.
 */

import type { UidExpungeArguments } from '../../wire/imap/expunge.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { expungeDeleted } from '../expunging.ts';
import { messagesOf, uidRangesOf } from '../messageSet.ts';
import { readOnly } from '../readOnly.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';

/** Expunges all deleted messages. */
export async function expunge(session: SessionContext, { selection }: SelectedState): Promise<Completion> {
  if (selection.isReadOnly) return readOnly();
  await expungeDeleted(session, selection, undefined);
  return ok('EXPUNGE completed');
}

/** Expunges those deleted messages that are in a set. */
export async function uidExpunge(
  session: SessionContext,
  { selection }: SelectedState,
  { set }: UidExpungeArguments,
): Promise<Completion> {
  if (selection.isReadOnly) return readOnly();
  const ranges = uidRangesOf(selection.view, messagesOf(selection.view, set, true));
  if (ranges.length > 0) await expungeDeleted(session, selection, ranges);
  return ok('UID EXPUNGE completed');
}
