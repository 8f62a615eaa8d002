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

/** What a filter is asked of. */
export interface QueueStateRow {
  readonly id: QueueId;
  readonly state: QueueState;
  readonly nextHop: NextHop;
}

type StateTuple = readonly [id: QueueId, state: number, kind: NextHop['kind'], name: string];

/** States of items after `id`, in order of id. */
export function selectStatesAfter(db: Connection, id: QueueId, limit: number): QueueStateRow[] {
  return db
    .tuples<StateTuple>(
      `SELECT queue_id, state, kind, name
       FROM queue_state
       JOIN next_hop ON next_hop.id = hop_id
       WHERE queue_id > ?
       ORDER BY queue_id
       LIMIT ?`,
      id,
      limit,
    )
    .map(stateOf);
}

/** States of a message's items after `id`, in order of id. */
export function selectStatesOf(
  db: Connection,
  traceId: TraceId,
  id: QueueId,
  limit: number,
): QueueStateRow[] {
  return db
    .tuples<StateTuple>(
      `SELECT queue_id, state, kind, name
       FROM queue_item
       JOIN queue_state ON queue_id = queue_item.id
       JOIN next_hop ON next_hop.id = hop_id
       WHERE trace_id = ? AND queue_item.id > ?
       ORDER BY queue_item.id
       LIMIT ?`,
      traceId,
      id,
      limit,
    )
    .map(stateOf);
}

/** One item. */
export function selectItem(db: Connection, id: QueueId): QueueItem | undefined {
  const row = db.get<ItemRow>(
    `SELECT queue_item.id, content_id, queue_item.trace_id, reverse_path, recipient, is_smtp_utf8, notify, orcpt, ret,
       envid, forwarded_for, created_at, expires_at, kind, name, state, priority, attempts, next_attempt_at,
       leased_until, reply, content.octets AS octets
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

function stateOf([id, state, kind, name]: StateTuple): QueueStateRow {
  return { id, state: stateName(state), nextHop: { kind, name } };
}

function stateName(state: number): QueueState {
  return QUEUE_STATES[state] ?? 'held';
}
