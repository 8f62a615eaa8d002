/**
 * The first write of a process: it proves that the disk takes writes before any session starts, and puts away what an
 * earlier process left behind: its drafts become orphans. Batch numbers go on where that process stopped, so that its
 * orphans count as older than every hold of this one: whoever could still have read them is gone.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { Connection } from '../connection.ts';

/** Writes; answers the number after which this process's batches are counted. */
export function markOpened(db: Connection, now: UnixMs): number {
  db.run('BEGIN IMMEDIATE');
  try {
    stampMeta(db, now);
    orphanDrafts(db);
    deleteDrafts(db);
    const batch = lastOrphaningBatch(db);
    db.run('COMMIT');
    return batch;
  } catch (error) {
    if (db.isInTransaction) db.run('ROLLBACK');
    throw error;
  }
}

function stampMeta(db: Connection, now: UnixMs): void {
  db.run('UPDATE meta SET opened_at = ?, created_at = iif(created_at = 0, ?, created_at)', now, now);
}

function orphanDrafts(db: Connection): void {
  db.run('INSERT OR IGNORE INTO orphan (content_id, since) SELECT content_id, 0 FROM draft');
}

function deleteDrafts(db: Connection): void {
  db.run('DELETE FROM draft');
}

function lastOrphaningBatch(db: Connection): number {
  return db.value<number | null>('SELECT max(since) FROM orphan') ?? 0;
}
