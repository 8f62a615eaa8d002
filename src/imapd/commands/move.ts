/**
 * MOVE and UID MOVE (RFC 6851).
 *
 * COPYUID comes in an untagged OK before the EXPUNGE responses (section 4.3), which are the session's.
 */

import type { CopyArguments } from '../../wire/imap/copy.ts';
import { formatCopyUid } from '../../wire/imap/responseCode.ts';
import { formatUntagged } from '../../wire/imap/responses.ts';
import { no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { findMailbox } from '../mailboxLookup.ts';
import { messagesOf, uidRangesOf } from '../messageSet.ts';
import { readOnly } from '../readOnly.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';

/** Moves messages; `isUid` for UID MOVE. */
export async function move(
  session: SessionContext,
  { account, selection }: SelectedState,
  args: CopyArguments,
  isUid: boolean,
): Promise<Completion> {
  if (selection.isReadOnly) return readOnly();
  const ranges = uidRangesOf(selection.view, messagesOf(selection.view, args.set, isUid));
  const destination = await findMailbox(session, account, args.mailbox);
  if (destination === undefined) return no('No such mailbox', 'TRYCREATE');
  if (ranges.length === 0) return ok('Nothing to move');
  const { uidValidity, from, to } = await session.server.mailboxes.move(selection.id, ranges, destination.id);
  selection.touch();
  if (from.length > 0) {
    session.writer.write(formatUntagged('OK', 'Moved', formatCopyUid(uidValidity, from, to)));
    return ok('MOVE completed');
  }
  return isUid ? ok('Nothing to move') : no('These messages have been expunged', 'EXPUNGEISSUED');
}
