/**
 * Jobs of derived data: keeping what the main thread made anew, and dropping it all.
 */

import type { ContentId } from '../../../base/ids.ts';
import type { Connection } from '../connection.ts';
import { DERIVED_SLICE_ROWS } from '../limits.ts';

/** One content's derived data, as it is stored. */
export interface DerivedItem {
  readonly id: ContentId;
  readonly envelope: Uint8Array;
  readonly structure: Uint8Array;
}

/** Jobs by name. */
export const DERIVED_JOBS = { keepDerived, dropDerived } as const;

function keepDerived(db: Connection, items: readonly DerivedItem[]): void {
  for (const item of items) replaceDerived(db, item);
}

/** Drops some rows; answers whether there may be more. */
function dropDerived(db: Connection, _input: undefined): boolean {
  return deleteDerivedSlice(db) === DERIVED_SLICE_ROWS;
}

/** Only while the content is there: one that was swept meanwhile must not leave a row behind. */
function replaceDerived(db: Connection, { id, envelope, structure }: DerivedItem): void {
  db.run(
    `INSERT OR REPLACE INTO derived (content_id, envelope, structure)
     SELECT id, ?, ? FROM content WHERE id = ?`,
    envelope,
    structure,
    id,
  );
}

function deleteDerivedSlice(db: Connection): number {
  return db.run(
    'DELETE FROM derived WHERE content_id IN (SELECT content_id FROM derived LIMIT ?)',
    DERIVED_SLICE_ROWS,
  );
}
