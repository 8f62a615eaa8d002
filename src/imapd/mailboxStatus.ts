/**
 * A mailbox's counters and its id as STATUS tells them (RFC 3501 section 6.3.10), for STATUS and for LIST's STATUS option (RFC 5819).
 *
 * Counters are kept by the store, not counted; only RECENT and DELETED-STORAGE have none of their own.
 */

import { formatObjectId } from '../wire/imap/objectId.ts';
import type { StatusItem } from '../wire/imap/status.ts';
import { formatStatus } from '../wire/imap/statusData.ts';
import type { StatusValue } from '../wire/imap/statusData.ts';
import { FLAG } from '../store/contract/mailboxes.ts';
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
  if (items.includes('HIGHESTMODSEQ')) session.enable('CONDSTORE');
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
    case 'DELETED-STORAGE':
      return sumDeleted(session, status);
    case 'APPENDLIMIT':
      return session.server.settings.appendLimitOctets;
    case 'MAILBOXID':
      return formatObjectId(mailboxIdOf(status.mailbox));
  }
}

/** RFC 9208 section 4.1.4: the sizes of the messages that are \Deleted, in octets. */
async function sumDeleted(
  session: SessionContext,
  { mailbox, deleted, uidNext }: MailboxStatus,
): Promise<number> {
  let sum = 0;
  if (deleted === 0) return sum;
  for await (const entries of session.server.mailboxes.entries(mailbox.id, { first: 1, last: uidNext - 1 })) {
    for (const { flags, octets } of entries) if ((flags.system & FLAG.deleted) !== 0) sum += octets;
    await session.pacer.breathe();
  }
  return sum;
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
