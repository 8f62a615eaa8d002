/**
 * The lone job that moves what the write-ahead log holds into the database file and empties the log. Asked for when nothing
 * else is to do; a long log makes every read look through it, and one message of 150 MB leaves a log of that size.
 */

import type { Connection } from '../connection.ts';

/** Check-points all of the log and truncates it; answers false when a reader was in the way. */
export function checkpoint(db: Connection): boolean {
  const row = db.get<{ readonly busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)');
  return row?.busy === 0;
}
