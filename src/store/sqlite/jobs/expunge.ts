/**
 * The job behind EXPUNGE, CLOSE and POP3's QUIT: entries go, their UIDs are remembered (RFC 7162 section 3.2.10), their
 * contents become orphans and are deleted later, when nobody can be reading them any more. Very many go in slices, a job each:
 * no RFC wants them to go at one moment, and every delivery would wait for it. A crash leaves the rest flagged \Deleted.
 */

import type { MailboxId, ModSeq, Uid } from '../../../base/ids.ts';
import { FLAG, type UidRange } from '../../contract/mailboxes.ts';
import type { Connection } from '../connection.ts';
import { EXPUNGED_KEPT, EXPUNGED_SLACK, REMOVAL_SLICE_ENTRIES, UID_LIMIT } from '../limits.ts';
import type { JobContext } from './context.ts';
import { addSums, changeMailbox, type EntrySums, NO_SUMS, nextModSeq, requireMailbox } from './counters.ts';

/** Which entries: those in the range whose flags contain `flags` (0: all). */
interface Selection {
  readonly mailboxId: MailboxId;
  readonly range: UidRange;
  readonly flags: number;
}

/** What one slice removed, in order. */
export interface ExpungeOutput {
  readonly uids: readonly Uid[];
  /** Where the next slice goes on; undefined when there is none. */
  readonly next: number | undefined;
}

/** Jobs by name. */
export const EXPUNGE_JOBS = { expunge } as const;

/** Removes up to a slice of entries; exported for the expiry of messages. */
export function expunge(
  db: Connection,
  input: {
    readonly mailboxId: MailboxId;
    readonly ranges: readonly UidRange[];
    readonly isOnlyDeleted: boolean;
  },
  context: JobContext,
): ExpungeOutput {
  const { mailboxId, ranges } = input;
  const state = requireMailbox(db, mailboxId);
  const modSeq = nextModSeq(state);
  const flags = input.isOnlyDeleted ? FLAG.deleted : 0;
  const uids: Uid[] = [];
  let gone: EntrySums = NO_SUMS;
  let next: number | undefined;
  for (const [index, range] of ranges.entries()) {
    const left = REMOVAL_SLICE_ENTRIES - uids.length - index;
    if (left <= 0) {
      next = range.first;
      break;
    }
    const found = readUids(db, { mailboxId, range, flags }, left);
    const [first, last] = [found[0], found.at(-1)];
    if (first === undefined || last === undefined) continue;
    for (const uid of found) uids.push(uid);
    const selection = { mailboxId, range: { first, last }, flags };
    gone = addSums(gone, sumEntries(db, selection));
    orphanContents(db, selection, context.batch);
    removeEntries(db, selection, modSeq);
    if (found.length < left) continue;
    next = last + 1;
    break;
  }
  if (uids.length === 0) return { uids, next };
  forgetOldExpunges(db, mailboxId, uids.length);
  const delta = addSums(NO_SUMS, gone, -1);
  changeMailbox(db, mailboxId, state, { modSeq, uids: 0, delta }, context);
  return { uids, next };
}

/** Deletes entries and remembers their UIDs; counters and contents are the caller's care. */
function removeEntries(db: Connection, selection: Selection, modSeq: ModSeq): void {
  insertExpunged(db, selection, modSeq);
  deleteEntries(db, selection);
}

/** Counts `added` more remembered UIDs, and forgets the oldest when there are too many. */
export function forgetOldExpunges(db: Connection, mailboxId: MailboxId, added: number): void {
  const kept = addExpungedKept(db, mailboxId, added);
  if (kept <= EXPUNGED_KEPT + EXPUNGED_SLACK) return;
  const floor = readExpungedFloor(db, mailboxId) ?? 0;
  const forgotten = deleteExpunged(db, mailboxId, floor);
  updateExpungedFloor(db, mailboxId, floor, kept - forgotten);
}

/** The sums over the selected entries. */
function sumEntries(db: Connection, selection: Selection): EntrySums {
  const { mailboxId, range, flags } = selection;
  const sums = db.get<EntrySums>(
    `SELECT count(*) AS messages, coalesce(sum((flags & 1) = 0), 0) AS unseen,
       coalesce(sum((flags & 8) <> 0), 0) AS deleted, coalesce(sum(octets), 0) AS octets,
       coalesce(sum(pop3_octets), 0) AS pop3Octets, count(retained_at) AS retained,
       coalesce(sum(octets) FILTER (WHERE retained_at IS NOT NULL), 0) AS retainedOctets
     FROM entry
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ?`,
    mailboxId,
    range.first,
    range.last,
    flags,
    flags,
  );
  return sums ?? NO_SUMS;
}

/** The UIDs of the selected entries, in order: the first `limit` of them. */
function readUids(db: Connection, selection: Selection, limit = UID_LIMIT): Uid[] {
  const { mailboxId, range, flags } = selection;
  return db.column(
    `SELECT uid FROM entry
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ?
     ORDER BY uid LIMIT ?`,
    mailboxId,
    range.first,
    range.last,
    flags,
    flags,
    limit,
  );
}

function orphanContents(db: Connection, selection: Selection, batch: number): void {
  const { mailboxId, range, flags } = selection;
  db.run(
    `INSERT INTO orphan (content_id, since)
     SELECT content_id, ? FROM entry
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ?
     ON CONFLICT (content_id) DO UPDATE SET since = excluded.since`,
    batch,
    mailboxId,
    range.first,
    range.last,
    flags,
    flags,
  );
}

function insertExpunged(db: Connection, selection: Selection, modSeq: ModSeq): void {
  const { mailboxId, range, flags } = selection;
  db.run(
    `INSERT INTO expunged (mailbox_id, modseq, uid)
     SELECT mailbox_id, ?, uid FROM entry
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ?
     ORDER BY uid`,
    modSeq,
    mailboxId,
    range.first,
    range.last,
    flags,
    flags,
  );
}

function deleteEntries(db: Connection, selection: Selection): void {
  const { mailboxId, range, flags } = selection;
  db.run(
    'DELETE FROM entry WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ?',
    mailboxId,
    range.first,
    range.last,
    flags,
    flags,
  );
}

function addExpungedKept(db: Connection, mailboxId: MailboxId, added: number): number {
  const kept = db.value<number>(
    'UPDATE mailbox SET expunged_kept = expunged_kept + ? WHERE id = ? RETURNING expunged_kept',
    added,
    mailboxId,
  );
  return kept ?? 0;
}

/** The mod-sequence of the newest expunge that is one too many. */
function readExpungedFloor(db: Connection, mailboxId: MailboxId): number | undefined {
  return db.value(
    `SELECT modseq FROM expunged WHERE mailbox_id = ?
     ORDER BY modseq DESC, uid DESC LIMIT 1 OFFSET ?`,
    mailboxId,
    EXPUNGED_KEPT,
  );
}

function deleteExpunged(db: Connection, mailboxId: MailboxId, floor: number): number {
  return db.run('DELETE FROM expunged WHERE mailbox_id = ? AND modseq <= ?', mailboxId, floor);
}

function updateExpungedFloor(db: Connection, mailboxId: MailboxId, floor: number, kept: number): void {
  db.run('UPDATE mailbox SET expunged_floor = ?, expunged_kept = ? WHERE id = ?', floor, kept, mailboxId);
}
