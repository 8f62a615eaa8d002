/**
 * What SELECT and EXAMINE do (RFC 3501 sections 6.3.1 and 6.3.2).
 *
 * The mailbox that was selected before is let go first, whether the new one can be opened or not.
 */

import { WireError } from '../base/error.ts';
import {
  formatFirstUnseen,
  formatMailboxId,
  formatUidNext,
  formatUidValidity,
} from '../wire/imap/responseCode.ts';
import { formatExists, formatRecent, formatUntagged } from '../wire/imap/responses.ts';
import type { SelectArguments } from '../wire/imap/select.ts';
import { failed, ok } from './completion.ts';
import type { Completion } from './completion.ts';
import { findMailbox } from './mailboxLookup.ts';
import { mailboxIdOf } from './objectIds.ts';
import type { ResponseWriter } from './responseWriter.ts';
import { openSelection } from './selection.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';
import type { AuthenticatedState, SelectedState } from './sessionState.ts';
import { writeFlagNames } from './updates.ts';

/** Opens a mailbox and describes it. */
export async function openMailbox(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  args: SelectArguments,
  isReadOnly: boolean,
): Promise<Completion> {
  if (args.isCondstore || args.qresync !== undefined) throw new WireError(0, 'no CONDSTORE or QRESYNC');
  session.enter({ kind: 'authenticated', account });
  const mailbox = await findMailbox(session, account, args.mailbox);
  if (mailbox === undefined) return failed('mailboxMissing');
  const { mailboxes, feed, recentClaims } = session.server;
  const { pacer } = session;
  const selection = await openSelection({ mailboxes, feed, recentClaims, mailbox, isReadOnly, pacer });
  session.enter({ kind: 'selected', account, selection });
  describe(session.writer, selection);
  return isReadOnly ? ok('EXAMINE completed', 'READ-ONLY') : ok('SELECT completed', 'READ-WRITE');
}

function describe(writer: ResponseWriter, selection: Selection): void {
  const { view, firstUnseen, status } = selection;
  writeFlagNames(writer, selection);
  writer.write(formatExists(view.count));
  writer.write(formatRecent(view.recentCount));
  if (firstUnseen !== undefined) {
    const text = `Message ${firstUnseen} is the first unseen`;
    writer.write(formatUntagged('OK', text, formatFirstUnseen(firstUnseen)));
  }
  writer.write(formatUntagged('OK', 'UIDs valid', formatUidValidity(status.uidValidity)));
  writer.write(formatUntagged('OK', 'Predicted next UID', formatUidNext(status.uidNext)));
  const mailboxId = formatMailboxId(mailboxIdOf(status.mailbox));
  writer.write(formatUntagged('OK', 'Mailbox id', mailboxId)); // RFC 8474 section 4.2
}
