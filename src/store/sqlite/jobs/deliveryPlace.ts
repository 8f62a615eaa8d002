/**
 * Where a delivered copy goes: the mailbox of the plan, made with its parents and subscribed if it is missing, or the INBOX where
 * it cannot be made. Mail that was accepted is never refused for the name of a mailbox. Writer thread only.
 */

import { MailError } from '../../../base/error.ts';
import type { AccountId, MailboxId, ModSeq, Uid } from '../../../base/ids.ts';
import { ALL_FLAGS, FLAG, type Flags, type MailboxName } from '../../contract/mailboxes.ts';
import type { Connection } from '../connection.ts';
import { SUBSCRIPTIONS_PER_ACCOUNT, UID_LIMIT } from '../limits.ts';
import { isInbox, isUsableName, parentsOf, storedName } from '../mailboxName.ts';
import type { SealedContent } from '../writer/contentWriting.ts';
import type { JobContext } from './context.ts';
import type { EntryPlace, FlagBits } from './entryRows.ts';
import { takeKeywordsThatFit } from './keywordRows.ts';
import {
  countMailboxes,
  countSubscriptions,
  findMailboxId,
  insertMailbox,
  insertSubscription,
} from './mailboxRows.ts';

/** A copy's place, its name, and its flags as they are stored there. */
export interface DeliveryPlace extends EntryPlace {
  readonly name: MailboxName;
  readonly flags: FlagBits;
}

/** What of a planned copy decides its place. */
export interface Destination {
  readonly accountId: AccountId;
  readonly mailbox?: MailboxName | undefined;
  readonly flags?: Flags | undefined;
}

const INBOX: MailboxName = ['INBOX'];

/** Takes a UID for one more message and counts it; undefined when there is no such account. Errors: `limit` (no UID is left). */
export function takeDeliveryPlace(
  db: Connection,
  destination: Destination,
  content: SealedContent,
  context: JobContext,
): DeliveryPlace | undefined {
  const { accountId, mailbox = INBOX, flags } = destination;
  const system = (flags?.system ?? 0) & ALL_FLAGS;
  const name = isInbox(mailbox) || canHold(db, accountId, mailbox, context) ? mailbox : INBOX;
  const taken = takeUid(db, accountId, name, system, content);
  if (taken === undefined) return undefined;
  if (taken.uid > UID_LIMIT) throw new MailError('limit', 'no UID is left in this mailbox');
  const keywords = takeKeywordsThatFit(db, taken.mailboxId, flags?.keywords ?? []);
  return { ...taken, name, flags: { system, ...keywords } };
}

/** Whether the mailbox is there or could be made. */
function canHold(db: Connection, accountId: AccountId, name: MailboxName, context: JobContext): boolean {
  if (findMailboxId(db, accountId, name) !== undefined) return true;
  if (!isUsableName(name) || findMailboxId(db, accountId, INBOX) === undefined) return false;
  const missing = [...parentsOf(name), name].filter(
    (each) => findMailboxId(db, accountId, each) === undefined,
  );
  if (countMailboxes(db, accountId) + missing.length > context.mailboxesPerAccountLimit) return false;
  const maySubscribe = countSubscriptions(db, accountId) + missing.length <= SUBSCRIPTIONS_PER_ACCOUNT;
  for (const each of missing) {
    insertMailbox(db, accountId, each, undefined, context);
    if (maySubscribe) insertSubscription(db, accountId, storedName(each));
  }
  return true;
}

function takeUid(
  db: Connection,
  accountId: AccountId,
  name: MailboxName,
  system: number,
  content: SealedContent,
): { readonly mailboxId: MailboxId; readonly uid: Uid; readonly modSeq: ModSeq } | undefined {
  return db.get(
    `UPDATE mailbox
     SET uid_next = uid_next + 1, highest_modseq = highest_modseq + 1, messages = messages + 1,
       unseen = unseen + ?, deleted = deleted + ?, octets = octets + ?, pop3_octets = pop3_octets + ?
     WHERE account_id = ? AND name = ?
     RETURNING id AS mailboxId, uid_next - 1 AS uid, highest_modseq AS modSeq`,
    (system & FLAG.seen) === 0 ? 1 : 0,
    (system & FLAG.deleted) === 0 ? 0 : 1,
    content.octets,
    content.pop3Octets,
    accountId,
    storedName(name),
  );
}
