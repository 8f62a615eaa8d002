/**
 * Jobs that lease items of the queue for an attempt, in whole messages, and put back what is leased.
 *
 * A lease that has ended is as good as none: its items are put back first. A message's turn comes with its first item, by the
 * order of the index; the message's other due items for the hop come along. Leasing tells nobody: only who leases wants to know.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { ContentId, QueueId } from '../../../base/ids.ts';
import type { LeaseRequest } from '../../contract/queueWork.ts';
import type { Connection } from '../connection.ts';
import { selectHopId, selectHops, selectWaitingHeads } from '../hopQueries.ts';
import { LEASE_SLICE_ITEMS, QUEUE_SLICE_ROWS } from '../limits.ts';
import type { JobContext } from './context.ts';

/** Jobs by name. */
export const LEASE_JOBS = { lease, releaseLeases } as const;

interface DueItem {
  readonly id: QueueId;
  readonly contentId: ContentId;
}

/** Leases; answers the items' ids, message by message. */
function lease(db: Connection, request: LeaseRequest): QueueId[][] {
  const { nextHop, now, messageLimit } = request;
  const hopId = selectHopId(db, nextHop);
  if (hopId === undefined) return [];
  releaseEnded(db, hopId, now);
  const messages: QueueId[][] = [];
  let left = LEASE_SLICE_ITEMS;
  const isFull = () => messages.length >= messageLimit || left <= 0;
  for (const { priority, nextAttemptAt } of selectWaitingHeads(db, hopId).reverse()) {
    if (nextAttemptAt > now) continue;
    for (;;) {
      if (isFull()) return messages;
      const first = selectDue(db, hopId, priority, now);
      if (first === undefined) break;
      const ids = leaseMessage(db, hopId, first, request, left);
      messages.push(ids);
      left -= ids.length;
    }
  }
  return messages;
}

/** Puts back some of what is leased; answers how many they were. */
function releaseLeases(db: Connection, _input: undefined, context: JobContext): number {
  let released = 0;
  for (const { id } of selectHops(db)) {
    released += releaseSlice(db, id, QUEUE_SLICE_ROWS - released);
    if (released >= QUEUE_SLICE_ROWS) break;
  }
  if (released > 0) context.publish({ kind: 'queue' });
  return released;
}

function leaseMessage(
  db: Connection,
  hopId: number,
  first: DueItem,
  { now, leasedUntil, recipientLimit }: LeaseRequest,
  left: number,
): QueueId[] {
  const limit = Math.min(recipientLimit, left);
  const others = selectDueOfContent(db, first.contentId, hopId, now, limit);
  const ids = [first.id, ...others.filter((id) => id !== first.id)].slice(0, limit);
  for (const id of ids) updateLeased(db, id, leasedUntil);
  return ids;
}

function selectDue(db: Connection, hopId: number, priority: number, now: UnixMs): DueItem | undefined {
  return db.get(
    `SELECT queue_id AS id, content_id AS contentId
     FROM queue_state
     WHERE hop_id = ? AND state = 0 AND priority = ? AND next_attempt_at <= ?
     ORDER BY next_attempt_at, queue_id
     LIMIT 1`,
    hopId,
    priority,
    now,
  );
}

function selectDueOfContent(
  db: Connection,
  contentId: ContentId,
  hopId: number,
  now: UnixMs,
  limit: number,
): QueueId[] {
  return db.column(
    `SELECT queue_id
     FROM queue_state
     WHERE content_id = ? AND hop_id = ? AND state = 0 AND next_attempt_at <= ?
     ORDER BY next_attempt_at, queue_id
     LIMIT ?`,
    contentId,
    hopId,
    now,
    limit,
  );
}

function updateLeased(db: Connection, id: QueueId, leasedUntil: UnixMs): void {
  db.run('UPDATE queue_state SET state = 1, leased_until = ? WHERE queue_id = ?', leasedUntil, id);
}

function releaseEnded(db: Connection, hopId: number, now: UnixMs): void {
  db.run(
    `UPDATE queue_state SET state = 0, leased_until = NULL
     WHERE hop_id = ? AND state = 1 AND leased_until <= ?`,
    hopId,
    now,
  );
}

function releaseSlice(db: Connection, hopId: number, limit: number): number {
  return db.run(
    `UPDATE queue_state SET state = 0, leased_until = NULL
     WHERE queue_id IN (SELECT queue_id FROM queue_state WHERE hop_id = ? AND state = 1 LIMIT ?)`,
    hopId,
    limit,
  );
}
