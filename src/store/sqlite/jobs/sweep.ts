/**
 * The job that deletes contents nobody refers to, a slice of some milliseconds at a time.
 *
 * It goes through the orphans by id. One that an entry or an item of the queue refers to (again) is no orphan; one that a session may still be
 * reading (`since` above the bound) waits; of the others first what makes the content visible goes, then its pieces, as many
 * as a slice may delete. The orphan's row goes last, so that a sweep that is cut off goes on where it stopped.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { ContentId } from '../../../base/ids.ts';
import { chunkId } from '../chunkId.ts';
import type { Connection } from '../connection.ts';
import { CHUNKS_PER_CONTENT, SWEEP_SLICE_CHUNKS, SWEEP_SLICE_ORPHANS } from '../limits.ts';
import { hasQueueItem } from '../queueQueries.ts';
import { deleteOldTraces } from './trace.ts';

/** One slice: orphans from `after` on, of batches up to `upTo`. */
export interface SweepInput {
  readonly after: number;
  readonly upTo: number;
}

/** How far the slice came: the next one goes on after this id; undefined when all were looked at. */
export interface SweepOutput {
  readonly after: number | undefined;
  /** Contents deleted to the end. */
  readonly swept: number;
}

/** Jobs by name. */
export const SWEEP_JOBS = { sweep, sweepTraces } as const;

interface Orphan {
  readonly contentId: ContentId;
  readonly since: number;
}

function sweep(db: Connection, input: SweepInput): SweepOutput {
  const orphans = readOrphans(db, input.after);
  let after = input.after;
  let swept = 0;
  let budget = SWEEP_SLICE_CHUNKS;
  for (const { contentId, since } of orphans) {
    if (since <= input.upTo) {
      if (budget <= 0) return { after, swept };
      if (hasEntry(db, contentId) || hasQueueItem(db, contentId)) {
        deleteOrphan(db, contentId);
      } else {
        const deleted = deleteContent(db, contentId, budget);
        // At least one for a content without pieces, so that a slice ends.
        budget -= Math.max(deleted, 1);
        if (budget <= 0 && hasChunk(db, contentId)) return { after, swept };
        deleteOrphan(db, contentId);
        swept += 1;
      }
    }
    after = contentId;
  }
  return { after: orphans.length < SWEEP_SLICE_ORPHANS ? undefined : after, swept };
}

/** Ends the retention of some traces; answers whether there may be more. */
function sweepTraces(db: Connection, input: { readonly before: UnixMs }): boolean {
  return deleteOldTraces(db, input.before);
}

/** Deletes the content and up to `limit` of its pieces; answers how many pieces. */
function deleteContent(db: Connection, contentId: ContentId, limit: number): number {
  deleteContentRow(db, contentId);
  deleteDerived(db, contentId);
  return deleteChunks(db, contentId, limit);
}

function readOrphans(db: Connection, after: number): Orphan[] {
  return db.all(
    `SELECT content_id AS contentId, since FROM orphan
     WHERE content_id > ? ORDER BY content_id LIMIT ?`,
    after,
    SWEEP_SLICE_ORPHANS,
  );
}

function hasEntry(db: Connection, contentId: ContentId): boolean {
  return db.value('SELECT 1 FROM entry WHERE content_id = ? LIMIT 1', contentId) !== undefined;
}

function hasChunk(db: Connection, contentId: ContentId): boolean {
  const found = db.value(
    'SELECT 1 FROM chunk WHERE id >= ? AND id < ? LIMIT 1',
    chunkId(contentId, 0),
    chunkId(contentId, CHUNKS_PER_CONTENT),
  );
  return found !== undefined;
}

function deleteContentRow(db: Connection, contentId: ContentId): void {
  db.run('DELETE FROM content WHERE id = ?', contentId);
}

function deleteDerived(db: Connection, contentId: ContentId): void {
  db.run('DELETE FROM derived WHERE content_id = ?', contentId);
}

function deleteChunks(db: Connection, contentId: ContentId, limit: number): number {
  return db.run(
    'DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id >= ? AND id < ? LIMIT ?)',
    chunkId(contentId, 0),
    chunkId(contentId, CHUNKS_PER_CONTENT),
    limit,
  );
}

function deleteOrphan(db: Connection, contentId: ContentId): void {
  db.run('DELETE FROM orphan WHERE content_id = ?', contentId);
}
