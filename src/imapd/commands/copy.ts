/**
 * COPY and UID COPY (RFC 3501 section 6.4.7), with COPYUID (RFC 4315 section 3).
 *
 * All or nothing, by the store; flags and internal dates go along. A destination that is missing is NO [TRYCREATE].
 */

import type { CopyArguments } from '../../wire/imap/copy.ts';
import { formatCopyUid } from '../../wire/imap/responseCode.ts';
import { no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { findMailbox } from '../mailboxLookup.ts';
import { messagesOf, uidRangesOf } from '../messageSet.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';

/** Copies messages; `isUid` for UID COPY. */
export async function copy(
  session: SessionContext,
  { account, selection }: SelectedState,
  args: CopyArguments,
  isUid: boolean,
): Promise<Completion> {
  const ranges = uidRangesOf(selection.view, messagesOf(selection.view, args.set, isUid));
  const destination = await findMailbox(session, account, args.mailbox);
  if (destination === undefined) return no('No such mailbox', 'TRYCREATE');
  if (ranges.length === 0) return ok('Nothing to copy');
  const { uidValidity, from, to } = await session.server.mailboxes.copy(selection.id, ranges, destination.id);
  if (destination.id === selection.id) selection.touch();
  if (from.length > 0) return ok('COPY completed', formatCopyUid(uidValidity, from, to));
  return isUid ? ok('Nothing to copy') : no('These messages have been expunged', 'EXPUNGEISSUED');
}
