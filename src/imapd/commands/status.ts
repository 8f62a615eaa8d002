/**
 * STATUS (RFC 3501 section 6.3.10): the counters of a mailbox, selected or not.
 */

import type { StatusArguments } from '../../wire/imap/status.ts';
import { failed, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { findMailbox } from '../mailboxLookup.ts';
import { writeStatus } from '../mailboxStatus.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Tells counters. */
export async function status(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  { mailbox: text, items }: StatusArguments,
): Promise<Completion> {
  const mailbox = await findMailbox(session, account, text);
  if (mailbox === undefined) return failed('mailboxMissing');
  await writeStatus(session, text, mailbox, items);
  return ok('STATUS completed');
}
