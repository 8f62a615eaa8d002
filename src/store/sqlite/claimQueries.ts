/**
 * What is asked of the table of claims, by the Deliveries view and by the writer's jobs alike.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { TraceId } from '../../base/ids.ts';
import type { Connection } from './connection.ts';

/** The message that holds the claim of this key at `now`. */
export function selectHolder(db: Connection, key: string, now: UnixMs): TraceId | undefined {
  return db.value<TraceId>(
    'SELECT trace_id FROM claim WHERE key = ? AND expires_at > ?',
    Buffer.from(key, 'hex'),
    now,
  );
}
