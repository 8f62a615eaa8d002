/**
 * Mailboxes as rows: making and removing them, for the jobs of mailboxes and of accounts. Writer thread only.
 *
 * UIDVALIDITY is the calendar's second, but always higher than the last one given to any mailbox of the store, so that a
 * mailbox that is removed and made anew cannot be taken for the old one (RFC 3501 section 2.3.1.1), whatever the clock does.
 */

import { MailError } from '../../../base/error.ts';
import type { AccountId, MailboxId } from '../../../base/ids.ts';
import { SECOND_MS } from '../../../base/units.ts';
import type { MailboxName, SpecialUse } from '../../contract/mailboxes.ts';
import type { Connection } from '../connection.ts';
import { REMOVAL_SLICE_ENTRIES, UID_LIMIT } from '../limits.ts';
import { storedName } from '../mailboxName.ts';
import type { JobContext } from './context.ts';
import { deleteRowsOf, insertRemovedMailbox } from './removedMailboxes.ts';

/** A mailbox that was just made. */
export interface NewMailbox {
  readonly id: MailboxId;
  readonly uidValidity: number;
  readonly objectId: string;
}

/** Makes one mailbox; its parents are there already. Errors: `mailboxExists`, `limit` (mailboxes per account). */
export function insertMailbox(
  db: Connection,
  accountId: AccountId,
  name: MailboxName,
  specialUse: SpecialUse | undefined,
  context: JobContext,
): NewMailbox {
  if (findMailboxId(db, accountId, name) !== undefined) throw new MailError('mailboxExists');
  if (countMailboxes(db, accountId) >= context.mailboxesPerAccountLimit)
    throw new MailError('limit', 'the account has too many mailboxes');
  const uidValidity = nextUidValidity(db, context);
  const row = insertMailboxRow(db, accountId, storedName(name), specialUse ?? null, uidValidity);
  context.publish({ kind: 'mailboxList', accountId });
  return { ...row, uidValidity };
}

/** Makes what every new account has: INBOX, and Drafts, Sent, Junk and Trash for their special uses; all subscribed. */
export function insertFirstMailboxes(db: Connection, accountId: AccountId, context: JobContext): void {
  const uses: readonly (SpecialUse | undefined)[] = [undefined, 'Drafts', 'Sent', 'Junk', 'Trash'];
  for (const use of uses) {
    const name = [use ?? 'INBOX'];
    insertMailbox(db, accountId, name, use, context);
    insertSubscription(db, accountId, storedName(name));
  }
}

/**
 * Removes one mailbox. Up to `limit` of its entries go at once, their contents become orphans; what is left is the sweep's
 * (removedMailboxes.ts), and nobody's meanwhile. Answers how many went.
 */
export function deleteMailbox(
  db: Connection,
  accountId: AccountId,
  mailboxId: MailboxId,
  context: JobContext,
  limit: number = REMOVAL_SLICE_ENTRIES,
): number {
  const deleted = limit > 0 ? deleteRowsOf(db, mailboxId, limit, context.batch) : 0;
  if (deleted >= limit) insertRemovedMailbox(db, mailboxId);
  deleteMailboxRow(db, mailboxId);
  context.publish({ kind: 'mailboxRemoved', mailboxId });
  context.publish({ kind: 'mailboxList', accountId });
  return deleted;
}

/** Removes all mailboxes of an account, before the account itself goes. */
export function deleteMailboxesOf(db: Connection, accountId: AccountId, context: JobContext): void {
  let left = REMOVAL_SLICE_ENTRIES;
  for (const mailboxId of mailboxIdsOf(db, accountId))
    left -= deleteMailbox(db, accountId, mailboxId, context, left);
}

/** The mailbox of this exact name. */
export function findMailboxId(
  db: Connection,
  accountId: AccountId,
  name: MailboxName,
): MailboxId | undefined {
  return db.value('SELECT id FROM mailbox WHERE account_id = ? AND name = ?', accountId, storedName(name));
}

/** Subscribes a stored name; may be repeated. */
export function insertSubscription(db: Connection, accountId: AccountId, name: string): void {
  db.run('INSERT OR IGNORE INTO subscription (account_id, name) VALUES (?, ?)', accountId, name);
}

/** How many mailboxes the account has. */
export function countMailboxes(db: Connection, accountId: AccountId): number {
  return db.value('SELECT count(*) FROM mailbox WHERE account_id = ?', accountId) ?? 0;
}

/** How many names the account has subscribed. */
export function countSubscriptions(db: Connection, accountId: AccountId): number {
  return db.value('SELECT count(*) FROM subscription WHERE account_id = ?', accountId) ?? 0;
}

function nextUidValidity(db: Connection, context: JobContext): number {
  const second = Math.floor(context.now / SECOND_MS);
  const last = db.value<number>('SELECT last_uid_validity FROM meta') ?? 0;
  const next = second > last && second <= UID_LIMIT ? second : last + 1;
  if (next > UID_LIMIT) throw new MailError('limit', 'no UIDVALIDITY is left');
  db.run('UPDATE meta SET last_uid_validity = ?', next);
  return next;
}

function insertMailboxRow(
  db: Connection,
  accountId: AccountId,
  name: string,
  specialUse: string | null,
  uidValidity: number,
): Pick<NewMailbox, 'id' | 'objectId'> {
  return db.get(
    `INSERT INTO mailbox (account_id, name, special_use, uid_validity, object_id)
     VALUES (?, ?, ?, ?, randomblob(16))
     RETURNING id, lower(hex(object_id)) AS objectId`,
    accountId,
    name,
    specialUse,
    uidValidity,
  ) as Pick<NewMailbox, 'id' | 'objectId'>;
}

function mailboxIdsOf(db: Connection, accountId: AccountId): MailboxId[] {
  return db.column('SELECT id FROM mailbox WHERE account_id = ?', accountId);
}

function deleteMailboxRow(db: Connection, mailboxId: MailboxId): void {
  db.run('DELETE FROM mailbox WHERE id = ?', mailboxId);
}
