/**
 * What became of items after an attempt: the job of its own, and the rider of a delivery that is their report. Writer thread only.
 *
 * One commit for all of it. An item that is gone meanwhile is passed over, with its event: so a settlement that is asked for twice
 * ends an item once. One that an administrator has taken over meanwhile (its lease ended) stays held.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { QueueId } from '../../../base/ids.ts';
import type { SettledItems } from '../../contract/deliveries.ts';
import type { QueueSettlement } from '../../contract/queueWork.ts';
import type { Connection } from '../connection.ts';
import { QUEUE_REPLY_LIMIT_CHARS } from '../limits.ts';
import { type QueueItemHead, selectItemHead } from '../queueQueries.ts';
import type { JobContext } from './context.ts';
import { countHopUse } from './hopRows.ts';
import { deleteItem, OrphanedContents } from './queueRows.ts';
import { appendQueueEvent } from './traceRows.ts';

/** Jobs by name. */
export const SETTLE_JOBS = {
  /** Commits what became of items, and what it counts for the hop. */
  settle: settleItems,
} as const;

/** Settles items and counts for their hop, within the job that it is called by. */
export function settleItems(db: Connection, { settlements, use }: SettledItems, context: JobContext): void {
  const orphaned = new OrphanedContents();
  for (const settlement of settlements) {
    const head = selectItemHead(db, settlement.id);
    if (head !== undefined) settleItem(db, settlement, head, orphaned, context);
  }
  orphaned.insert(db, context.batch);
  if (use !== undefined) countHopUse(db, use);
  context.publish({ kind: 'queue' });
}

function settleItem(
  db: Connection,
  settlement: QueueSettlement,
  { traceId, contentId }: QueueItemHead,
  orphaned: OrphanedContents,
  context: JobContext,
): void {
  if (settlement.event !== undefined) appendQueueEvent(db, traceId, settlement.event);
  if (settlement.told !== undefined) appendQueueEvent(db, traceId, settlement.told);
  const { id } = settlement;
  switch (settlement.kind) {
    case 'done':
      deleteItem(db, id);
      orphaned.add(contentId);
      return;
    case 'deferred':
      updateDeferred(db, id, settlement.nextAttemptAt, settlement.isAttempt);
      if (settlement.reply !== undefined) upsertReply(db, id, context.now, settlement.reply);
      return;
    case 'held':
      updateHeld(db, id);
      upsertReply(db, id, context.now, settlement.reply);
      return;
    case 'delayTold':
      updateDelayTold(db, id);
  }
}

function updateDeferred(db: Connection, id: QueueId, nextAttemptAt: UnixMs, isAttempt: boolean): void {
  db.run(
    `UPDATE queue_state
     SET state = iif(state = 2, 2, 0), leased_until = NULL, next_attempt_at = ?, attempts = attempts + ?
     WHERE queue_id = ?`,
    nextAttemptAt,
    isAttempt ? 1 : 0,
    id,
  );
}

function updateHeld(db: Connection, id: QueueId): void {
  db.run('UPDATE queue_state SET state = 2, leased_until = NULL WHERE queue_id = ?', id);
}

function updateDelayTold(db: Connection, id: QueueId): void {
  db.run('UPDATE queue_state SET is_delay_told = 1 WHERE queue_id = ?', id);
}

/** Replies come from outside. */
function upsertReply(db: Connection, id: QueueId, at: UnixMs, reply: string): void {
  db.run(
    `INSERT INTO queue_reply (queue_id, replied_at, reply) VALUES (?, ?, ?)
     ON CONFLICT (queue_id) DO UPDATE SET replied_at = excluded.replied_at, reply = excluded.reply`,
    id,
    at,
    reply.replace(/\s+/g, ' ').slice(0, QUEUE_REPLY_LIMIT_CHARS).toWellFormed(),
  );
}
