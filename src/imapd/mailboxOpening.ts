/**
 * What SELECT and EXAMINE do (RFC 3501 sections 6.3.1 and 6.3.2), with CONDSTORE and QRESYNC (RFC 7162 sections 3.1.2, 3.1.8
 * and 3.2.5).
 *
 * The mailbox that was selected before is let go first, whether the new one can be opened or not; CLOSED parts what is said of
 * the one from what is said of the other (section 3.2.11).
 */

import { WireError } from '../base/error.ts';
import {
  formatFirstUnseen,
  formatHighestModSeq,
  formatMailboxId,
  formatUidNext,
  formatUidValidity,
} from '../wire/imap/responseCode.ts';
import { formatExists, formatRecent, formatUntagged } from '../wire/imap/responses.ts';
import type { QresyncParameter, SelectArguments } from '../wire/imap/select.ts';
import type { Account } from '../store/contract/directory.ts';
import { failed, ok } from './completion.ts';
import type { Completion } from './completion.ts';
import { findMailbox } from './mailboxLookup.ts';
import { mailboxIdOf } from './objectIds.ts';
import type { ResponseWriter } from './responseWriter.ts';
import { resynchronize } from './resynchronizing.ts';
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
  if (args.qresync !== undefined && !session.enabled.has('QRESYNC')) {
    throw new WireError(0, 'QRESYNC after ENABLE QRESYNC');
  }
  if (session.state.kind === 'selected' && knowsModSeqs(session)) {
    session.writer.write(formatUntagged('OK', 'The previous mailbox is closed', 'CLOSED'));
  }
  session.enter({ kind: 'authenticated', account });
  if (args.isCondstore) session.enable('CONDSTORE');
  const mailbox = await findMailbox(session, account, args.mailbox);
  if (mailbox === undefined) return failed('mailboxMissing');
  const { mailboxes, feed, recentClaims } = session.server;
  const { pacer } = session;
  const selection = await openSelection({ mailboxes, feed, recentClaims, mailbox, isReadOnly, pacer });
  session.enter({ kind: 'selected', account, selection });
  describe(session.writer, selection);
  if (knowsModSeqs(session)) tellHighestModSeq(session.writer, selection);
  if (args.qresync !== undefined) await resynchronizeOrClose(session, account, selection, args.qresync);
  return isReadOnly ? ok('EXAMINE completed', 'READ-ONLY') : ok('SELECT completed', 'READ-WRITE');
}

/** Servers that offer CONDSTORE say so even to clients that have not turned it on, unless it is hidden from them. */
function knowsModSeqs({ enabled, capabilities }: SessionContext): boolean {
  return enabled.has('CONDSTORE') || capabilities.includes('CONDSTORE') || capabilities.includes('QRESYNC');
}

function tellHighestModSeq(writer: ResponseWriter, { clientModSeq, status }: Selection): void {
  writer.write(formatUntagged('OK', 'Highest mod-sequence', formatHighestModSeq(status.highestModSeq)));
  clientModSeq.noteCode(status.highestModSeq);
}

/** A SELECT that fails leaves no mailbox selected. */
async function resynchronizeOrClose(
  session: SessionContext,
  account: Account,
  selection: Selection,
  remembered: QresyncParameter,
): Promise<void> {
  try {
    await resynchronize(session, selection, remembered);
  } catch (error) {
    session.enter({ kind: 'authenticated', account });
    throw error;
  }
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
