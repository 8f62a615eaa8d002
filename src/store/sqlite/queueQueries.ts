/**
 * What is asked of the queue's tables.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { ContentId, QueueId, TraceId } from '../../base/ids.ts';
import {
  type DsnCondition,
  type NextHop,
  QUEUE_STATES,
  type QueueCount,
  type QueueItem,
  type QueueState,
} from '../contract/queue.ts';
import type { Connection } from './connection.ts';

/** What settling needs of an item. */
export interface QueueItemHead {
  readonly traceId: TraceId;
  readonly contentId: ContentId;
}

/** To whom and to what an item belongs. */
export function selectItemHead(db: Connection, id: QueueId): QueueItemHead | undefined {
  return db.get(
    `SELECT trace_id AS traceId, content_id AS contentId
     FROM queue_item JOIN queue_state ON queue_id = id
     WHERE id = ?`,
    id,
  );
}

/** Whether any item needs the content. */
export function hasQueueItem(db: Connection, contentId: ContentId): boolean {
  return db.value('SELECT 1 FROM queue_state WHERE content_id = ? LIMIT 1', contentId) !== undefined;
}

/** One item. */
export function selectItem(db: Connection, id: QueueId): QueueItem | undefined {
  const row = db.get<ItemRow>(
    `SELECT queue_item.id, content_id, queue_item.trace_id, reverse_path, recipient, is_smtp_utf8, notify, orcpt, ret,
       envid, forwarded_for, is_submitted, created_at, expires_at, kind, name, state, priority, attempts,
       next_attempt_at, leased_until, reply, content.octets AS octets
     FROM queue_item
     JOIN queue_state ON queue_state.queue_id = queue_item.id
     JOIN next_hop ON next_hop.id = hop_id
     JOIN content ON content.id = content_id
     LEFT JOIN queue_reply ON queue_reply.queue_id = queue_item.id
     WHERE queue_item.id = ?`,
    id,
  );
  return row && itemOf(row);
}

/** How many items there are, by hop and state: one walk over an index. */
export function selectCounts(db: Connection): QueueCount[] {
  return db
    .tuples<readonly [NextHop['kind'], string, number, number]>(
      `SELECT kind, name, state, items
       FROM (SELECT hop_id, state, count(*) AS items FROM queue_state GROUP BY hop_id, state)
       JOIN next_hop ON next_hop.id = hop_id
       ORDER BY kind, name, state`,
    )
    .map(([kind, name, state, items]) => ({ nextHop: { kind, name }, state: stateName(state), items }));
}

/** Waiting and held items of whose delay nobody was told, the oldest first. */
export function selectDelayed(db: Connection, createdBefore: UnixMs, limit: number): QueueId[] {
  return db.column(
    `SELECT queue_id
     FROM queue_state
     WHERE is_delay_told = 0 AND created_at < ? AND state <> 1
     ORDER BY created_at, queue_id
     LIMIT ?`,
    createdBefore,
    limit,
  );
}

/** Waiting items whose own expiry has passed, but for those of some hops. */
export function selectExpired(
  db: Connection,
  now: UnixMs,
  limit: number,
  sparedHops: readonly number[],
): QueueId[] {
  return db.column(
    `SELECT queue_id
     FROM queue_state
     WHERE expires_at IS NOT NULL AND expires_at <= ? AND state = 0
       AND hop_id NOT IN (SELECT value FROM json_each(?))
     ORDER BY expires_at, queue_id
     LIMIT ?`,
    now,
    JSON.stringify(sparedHops),
    limit,
  );
}

/** Waiting items without an expiry of their own, the oldest first, but for those of some hops. */
export function selectAged(
  db: Connection,
  createdBefore: UnixMs,
  limit: number,
  sparedHops: readonly number[],
): QueueId[] {
  return db.column(
    `SELECT queue_id
     FROM queue_state
     WHERE state = 0 AND expires_at IS NULL AND created_at < ?
       AND hop_id NOT IN (SELECT value FROM json_each(?))
     ORDER BY created_at, queue_id
     LIMIT ?`,
    createdBefore,
    JSON.stringify(sparedHops),
    limit,
  );
}

/** When the oldest item was made that may be delayed or may expire: the first of each index. */
export function selectOldestCreatedAt(db: Connection): UnixMs | undefined {
  const found = db.value<UnixMs | null>(
    `SELECT min(created_at) FROM (
       SELECT * FROM (SELECT created_at FROM queue_state WHERE is_delay_told = 0 AND state <> 1 ORDER BY created_at LIMIT 1)
       UNION ALL
       SELECT * FROM (SELECT created_at FROM queue_state WHERE state = 0 AND expires_at IS NULL ORDER BY created_at LIMIT 1)
       UNION ALL
       SELECT min(created_at) FROM queue_state WHERE expires_at IS NOT NULL AND state = 0
     )`,
  );
  return found ?? undefined;
}

interface ItemRow {
  readonly id: QueueId;
  readonly content_id: ContentId;
  readonly trace_id: TraceId;
  readonly reverse_path: string;
  readonly recipient: string;
  readonly is_smtp_utf8: number;
  readonly notify: string | null;
  readonly orcpt: string | null;
  readonly ret: 'FULL' | 'HDRS' | null;
  readonly envid: string | null;
  readonly forwarded_for: string | null;
  readonly is_submitted: number;
  readonly created_at: UnixMs;
  readonly expires_at: UnixMs | null;
  readonly kind: NextHop['kind'];
  readonly name: string;
  readonly state: number;
  readonly priority: number;
  readonly attempts: number;
  readonly next_attempt_at: UnixMs;
  readonly leased_until: UnixMs | null;
  readonly reply: string | null;
  readonly octets: number;
}

function itemOf(row: ItemRow): QueueItem {
  return {
    id: row.id,
    traceId: row.trace_id,
    contentId: row.content_id,
    octets: row.octets,
    reversePath: row.reverse_path,
    recipient: row.recipient,
    nextHop: { kind: row.kind, name: row.name },
    notify: row.notify === null ? undefined : (row.notify.split(',') as DsnCondition[]),
    orcpt: row.orcpt ?? undefined,
    ret: row.ret ?? undefined,
    envid: row.envid ?? undefined,
    isSmtpUtf8: row.is_smtp_utf8 === 1,
    forwardedFor: row.forwarded_for ?? undefined,
    isSubmitted: row.is_submitted === 1,
    priority: row.priority,
    state: stateName(row.state),
    attempts: row.attempts,
    createdAt: row.created_at,
    nextAttemptAt: row.next_attempt_at,
    expiresAt: row.expires_at ?? undefined,
    leasedUntil: row.leased_until ?? undefined,
    lastReply: row.reply ?? undefined,
  };
}

function stateName(state: number): QueueState {
  return QUEUE_STATES[state] ?? 'held';
}
