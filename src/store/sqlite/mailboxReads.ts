/**
 * Reads of mailboxes and their counters, on whatever connection: by the views in the main thread, and by jobs that answer
 * with what they saw within their transaction.
 */

import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts';
import type { Mailbox, MailboxName, MailboxStatus, SpecialUse } from '../contract/mailboxes.ts';
import type { Connection } from './connection.ts';
import { compareNames, parseStoredName, storedName } from './mailboxName.ts';

interface MailboxRow {
  readonly id: MailboxId;
  readonly accountId: AccountId;
  readonly name: string;
  readonly specialUse: SpecialUse | null;
  readonly uidValidity: number;
  readonly objectId: string;
}

interface StatusRow extends MailboxRow {
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  readonly octets: number;
  readonly pop3Octets: number;
  readonly uidNext: Uid;
  readonly highestModSeq: ModSeq;
  readonly firstRecentUid: Uid;
}

/** All mailboxes of an account, the INBOX first, then by name. */
export function readMailboxes(db: Connection, accountId: AccountId): readonly Mailbox[] {
  const rows = db.all<MailboxRow>(
    `SELECT id, account_id AS accountId, name, special_use AS specialUse, uid_validity AS uidValidity,
       lower(hex(object_id)) AS objectId
     FROM mailbox WHERE account_id = ?`,
    accountId,
  );
  return rows.map(mailboxOf).sort((one, other) => compareNames(one.name, other.name));
}

/** The mailbox of this exact name. */
export function readMailbox(db: Connection, accountId: AccountId, name: MailboxName): Mailbox | undefined {
  const row = db.get<MailboxRow>(
    `SELECT id, account_id AS accountId, name, special_use AS specialUse, uid_validity AS uidValidity,
       lower(hex(object_id)) AS objectId
     FROM mailbox WHERE account_id = ? AND name = ?`,
    accountId,
    storedName(name),
  );
  return row === undefined ? undefined : mailboxOf(row);
}

/** A mailbox's counters and keywords. */
export function readStatus(db: Connection, mailboxId: MailboxId): MailboxStatus | undefined {
  const row = readStatusRow(db, mailboxId);
  if (row === undefined) return undefined;
  const { messages, unseen, deleted, octets, pop3Octets, uidNext, uidValidity } = row;
  const { highestModSeq, firstRecentUid } = row;
  const counters = { messages, unseen, deleted, octets, pop3Octets, uidNext, uidValidity };
  const keywords = readKeywordNames(db, mailboxId);
  return { mailbox: mailboxOf(row), ...counters, highestModSeq, firstRecentUid, keywords };
}

/** The mailbox's name; empty where it is gone. */
export function readMailboxName(db: Connection, mailboxId: MailboxId): MailboxName {
  const stored = db.value<string>('SELECT name FROM mailbox WHERE id = ?', mailboxId);
  return stored === undefined ? [] : parseStoredName(stored);
}

/** The mailbox's keywords, in order of first use: the index is the position of the bit. */
export function readKeywordNames(db: Connection, mailboxId: MailboxId): string[] {
  return db.column('SELECT name FROM mailbox_keyword WHERE mailbox_id = ? ORDER BY position', mailboxId);
}

/** The mailbox's mod-sequence, and up to where its expunges are no longer all remembered. */
export function readModSeqs(
  db: Connection,
  mailboxId: MailboxId,
): { readonly highest: ModSeq; readonly floor: number } | undefined {
  return db.get(
    'SELECT highest_modseq AS highest, expunged_floor AS floor FROM mailbox WHERE id = ?',
    mailboxId,
  );
}

/** Octets and messages of an account, but for what is retained. */
export function readUsage(
  db: Connection,
  accountId: AccountId,
): { readonly octets: number; readonly messages: number } {
  const usage = db.get<{ readonly octets: number; readonly messages: number }>(
    `SELECT coalesce(sum(octets - retained_octets), 0) AS octets,
       coalesce(sum(messages - retained), 0) AS messages
     FROM mailbox WHERE account_id = ?`,
    accountId,
  );
  return usage ?? { octets: 0, messages: 0 };
}

/** Subscribed names of an account, as they are stored, in order. */
export function readSubscriptions(db: Connection, accountId: AccountId): readonly MailboxName[] {
  const stored = db.column<string>('SELECT name FROM subscription WHERE account_id = ?', accountId);
  return stored.map(parseStoredName).sort(compareNames);
}

function mailboxOf(row: MailboxRow): Mailbox {
  return {
    id: row.id,
    accountId: row.accountId,
    name: parseStoredName(row.name),
    specialUse: row.specialUse ?? undefined,
    uidValidity: row.uidValidity,
    objectId: row.objectId,
  };
}

function readStatusRow(db: Connection, mailboxId: MailboxId): StatusRow | undefined {
  return db.get(
    `SELECT id, account_id AS accountId, name, special_use AS specialUse, uid_validity AS uidValidity,
       lower(hex(object_id)) AS objectId, messages, unseen, deleted, octets, pop3_octets AS pop3Octets, uid_next AS uidNext,
       highest_modseq AS highestModSeq, first_recent_uid AS firstRecentUid
     FROM mailbox WHERE id = ?`,
    mailboxId,
  );
}
