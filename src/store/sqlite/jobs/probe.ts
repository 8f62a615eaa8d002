/**
 * The job that writes nothing new, to learn whether the disk takes writes (again).
 */

import type { Connection } from '../connection.ts';

/** Jobs by name. */
export const PROBE_JOBS = { probe } as const;

function probe(db: Connection, _input: undefined): void {
  db.run('UPDATE meta SET opened_at = opened_at');
}
