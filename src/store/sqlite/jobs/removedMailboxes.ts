/**
 * What a removed mailbox leaves behind goes in slices, each a job of some milliseconds: entries, whose contents become orphans,
 * then remembered expunges, then keywords. The mailbox's row in removed_mailbox goes last, so that a sweep that is cut off,
 * by a crash even, goes on where it stopped. Writer thread only.
 */

import type { MailboxId } from '../../../base/ids.ts';
import type { Connection } from '../connection.ts';
import { REMOVAL_SLICE_ENTRIES } from '../limits.ts';
import type { JobContext } from './context.ts';

/** Jobs by name. */
export const REMOVED_MAILBOX_JOBS = { sweepMailboxes } as const;

/** Leaves a mailbox's rows to the sweep; the mailbox itself has to go in the same transaction. */
export function insertRemovedMailbox(db: Connection, mailboxId: MailboxId): void {
  db.run('INSERT INTO removed_mailbox (mailbox_id) VALUES (?)', mailboxId);
}

/** Deletes up to `limit` entries and expunges of a mailbox that is gone; answers how many, fewer when nothing is left. */
export function deleteRowsOf(db: Connection, mailboxId: MailboxId, limit: number, batch: number): number {
  const last = findLastUid(db, mailboxId, limit);
  let deleted = 0;
  if (last !== undefined) {
    orphanContentsUpTo(db, mailboxId, last, batch);
    deleted = deleteEntriesUpTo(db, mailboxId, last);
  }
  if (deleted < limit) deleted += deleteExpunged(db, mailboxId, limit - deleted);
  if (deleted < limit) deleteKeywordsOf(db, mailboxId);
  return deleted;
}

/** One slice; answers whether there may be more. */
function sweepMailboxes(db: Connection, _input: undefined, context: JobContext): boolean {
  const mailboxId = findRemovedMailbox(db);
  if (mailboxId === undefined) return false;
  const deleted = deleteRowsOf(db, mailboxId, REMOVAL_SLICE_ENTRIES, context.batch);
  if (deleted < REMOVAL_SLICE_ENTRIES) deleteRemovedMailbox(db, mailboxId);
  return true;
}

function findRemovedMailbox(db: Connection): MailboxId | undefined {
  return db.value('SELECT mailbox_id FROM removed_mailbox LIMIT 1');
}

/** The highest UID among the mailbox's first `limit` entries. */
function findLastUid(db: Connection, mailboxId: MailboxId, limit: number): number | undefined {
  const last = db.value<number | null>(
    'SELECT max(uid) FROM (SELECT uid FROM entry WHERE mailbox_id = ? ORDER BY uid LIMIT ?)',
    mailboxId,
    limit,
  );
  return last ?? undefined;
}

function orphanContentsUpTo(db: Connection, mailboxId: MailboxId, uid: number, batch: number): void {
  db.run(
    `INSERT INTO orphan (content_id, since)
     SELECT content_id, ? FROM entry WHERE mailbox_id = ? AND uid <= ?
     ON CONFLICT (content_id) DO UPDATE SET since = excluded.since`,
    batch,
    mailboxId,
    uid,
  );
}

function deleteEntriesUpTo(db: Connection, mailboxId: MailboxId, uid: number): number {
  return db.run('DELETE FROM entry WHERE mailbox_id = ? AND uid <= ?', mailboxId, uid);
}

function deleteExpunged(db: Connection, mailboxId: MailboxId, limit: number): number {
  return db.run(
    `DELETE FROM expunged
     WHERE (mailbox_id, modseq, uid) IN (
       SELECT mailbox_id, modseq, uid FROM expunged WHERE mailbox_id = ? ORDER BY modseq, uid LIMIT ?
     )`,
    mailboxId,
    limit,
  );
}

function deleteKeywordsOf(db: Connection, mailboxId: MailboxId): void {
  db.run('DELETE FROM mailbox_keyword WHERE mailbox_id = ?', mailboxId);
}

function deleteRemovedMailbox(db: Connection, mailboxId: MailboxId): void {
  db.run('DELETE FROM removed_mailbox WHERE mailbox_id = ?', mailboxId);
}
