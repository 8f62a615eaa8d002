/**
 * A mailbox's counters and its id as STATUS tells them (RFC 3501 section 6.3.10), for STATUS and for LIST's STATUS option (RFC 5819).
 *
 * Counters are kept by the store, not counted; only RECENT has no counter of its own.
 */

import { formatObjectId } from '../wire/imap/objectId.ts';
import type { StatusItem } from '../wire/imap/status.ts';
import { formatStatus } from '../wire/imap/statusData.ts';
import type { StatusValue } from '../wire/imap/statusData.ts';
import type { Mailbox, MailboxStatus } from '../store/contract/mailboxes.ts';
import { mailboxIdOf } from './objectIds.ts';
import type { SessionContext } from './sessionContext.ts';

/** Writes the STATUS line of `mailbox`, which the client calls `text`. Errors: `mailboxMissing`. */
export async function writeStatus(
  session: SessionContext,
  text: string,
  mailbox: Mailbox,
  items: readonly StatusItem[],
): Promise<void> {
  const status = await session.server.mailboxes.status(mailbox.id);
  const values = new Map<StatusItem, StatusValue>();
  for (const item of items) values.set(item, await answerItem(session, status, item));
  session.writer.write(formatStatus(text, values));
}

async function answerItem(
  session: SessionContext,
  status: MailboxStatus,
  item: StatusItem,
): Promise<StatusValue> {
  switch (item) {
    case 'MESSAGES':
      return status.messages;
    case 'RECENT':
      return countRecent(session, status);
    case 'UIDNEXT':
      return status.uidNext;
    case 'UIDVALIDITY':
      return status.uidValidity;
    case 'UNSEEN':
      return status.unseen;
    case 'HIGHESTMODSEQ':
      return status.highestModSeq;
    case 'SIZE':
      return status.octets;
    case 'DELETED':
      return status.deleted;
    case 'MAILBOXID':
      return formatObjectId(mailboxIdOf(status.mailbox));
  }
}

/** The session's own count where it has the mailbox selected, else what nobody has claimed; STATUS claims nothing. */
async function countRecent(
  session: SessionContext,
  { mailbox, messages, firstRecentUid, uidNext }: MailboxStatus,
): Promise<number> {
  const { state } = session;
  if (state.kind === 'selected' && state.selection.id === mailbox.id) return state.selection.view.recentCount;
  if (firstRecentUid <= 1) return messages;
  let count = 0;
  const range = { first: firstRecentUid, last: uidNext - 1 };
  if (range.first > range.last) return 0;
  for await (const entries of session.server.mailboxes.entries(mailbox.id, range)) {
    count += entries.length;
    await session.pacer.breathe();
  }
  return count;
}
