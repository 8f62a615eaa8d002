/**
 * Which items of the queue a filter or a selection is for: asked by lists on the main thread and by changes in the writer.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { ContentId, QueueId, TraceId } from '../../base/ids.ts';
import { type NextHop, QUEUE_STATES, type QueueFilter, type QueueState } from '../contract/queue.ts';
import type { QueueSelection } from '../contract/queueWork.ts';
import type { Connection } from './connection.ts';

/** What of an item is asked. */
export interface SelectableItem {
  readonly id: QueueId;
  readonly contentId: ContentId;
  readonly traceId: TraceId;
  readonly nextHop: NextHop;
  readonly state: QueueState;
  readonly priority: number;
  readonly leasedUntil: UnixMs | null;
  readonly createdAt: UnixMs;
  readonly reversePath: string;
  readonly recipient: string;
}

/** Whether the item has all that is asked, but for `ids`. */
export function isSelected(item: SelectableItem, filter: QueueFilter): boolean {
  const { nextHop, state, traceId, reversePath, recipient, createdBefore } = filter;
  if (state !== undefined && item.state !== state) return false;
  if (nextHop !== undefined && (item.nextHop.kind !== nextHop.kind || item.nextHop.name !== nextHop.name))
    return false;
  if (traceId !== undefined && item.traceId !== traceId) return false;
  if (createdBefore !== undefined && item.createdAt >= createdBefore) return false;
  return isPath(item.reversePath, reversePath) && isPath(item.recipient, recipient);
}

/** Items that may fit, after `after` and up to `upTo`, in order of id: by the narrowest of what is asked that has an index. */
export function selectSelectable(
  db: Connection,
  { ids, traceId }: QueueSelection,
  after: QueueId,
  upTo: QueueId,
  limit: number,
): SelectableItem[] {
  if (ids !== undefined) return selectByIds(db, ids, after, upTo, limit);
  if (traceId !== undefined) return selectByTrace(db, traceId, after, upTo, limit);
  return selectAll(db, after, upTo, limit);
}

/** The id of the newest item; 0 when there is none. */
export function selectNewestId(db: Connection): QueueId {
  return db.value<QueueId | null>('SELECT max(queue_id) FROM queue_state') ?? (0 as QueueId);
}

function isPath(path: string, asked: string | undefined): boolean {
  if (asked === undefined) return true;
  const key = asked.toLowerCase();
  if (key === '<>') return path === '';
  return key.startsWith('@') ? path.toLowerCase().endsWith(key) : path.toLowerCase() === key;
}

type Tuple = readonly [
  id: QueueId,
  contentId: ContentId,
  traceId: TraceId,
  kind: NextHop['kind'],
  name: string,
  state: number,
  priority: number,
  leasedUntil: UnixMs | null,
  createdAt: UnixMs,
  reversePath: string,
  recipient: string,
];

function itemOf(tuple: Tuple): SelectableItem {
  const [
    id,
    contentId,
    traceId,
    kind,
    name,
    state,
    priority,
    leasedUntil,
    createdAt,
    reversePath,
    recipient,
  ] = tuple;
  return {
    id,
    contentId,
    traceId,
    nextHop: { kind, name },
    state: QUEUE_STATES[state] ?? 'held',
    priority,
    leasedUntil,
    createdAt,
    reversePath,
    recipient,
  };
}

function selectAll(db: Connection, after: QueueId, upTo: QueueId, limit: number): SelectableItem[] {
  return db
    .tuples<Tuple>(
      `SELECT queue_id, content_id, trace_id, kind, name, state, priority, leased_until, created_at, reverse_path,
         recipient
       FROM queue_state
       CROSS JOIN queue_item ON queue_item.id = queue_id
       CROSS JOIN next_hop ON next_hop.id = hop_id
       WHERE queue_id > ? AND queue_id <= ?
       ORDER BY queue_id
       LIMIT ?`,
      after,
      upTo,
      limit,
    )
    .map(itemOf);
}

function selectByTrace(
  db: Connection,
  traceId: TraceId,
  after: QueueId,
  upTo: QueueId,
  limit: number,
): SelectableItem[] {
  return db
    .tuples<Tuple>(
      `SELECT queue_id, content_id, trace_id, kind, name, state, priority, leased_until, created_at, reverse_path,
         recipient
       FROM queue_item
       CROSS JOIN queue_state ON queue_id = queue_item.id
       CROSS JOIN next_hop ON next_hop.id = hop_id
       WHERE trace_id = ? AND queue_item.id > ? AND queue_item.id <= ?
       ORDER BY queue_item.id
       LIMIT ?`,
      traceId,
      after,
      upTo,
      limit,
    )
    .map(itemOf);
}

function selectByIds(
  db: Connection,
  ids: readonly QueueId[],
  after: QueueId,
  upTo: QueueId,
  limit: number,
): SelectableItem[] {
  return db
    .tuples<Tuple>(
      `SELECT queue_id, content_id, trace_id, kind, name, state, priority, leased_until, created_at, reverse_path,
         recipient
       FROM (SELECT DISTINCT value FROM json_each(?)) AS asked
       CROSS JOIN queue_state ON queue_id = asked.value
       CROSS JOIN queue_item ON queue_item.id = queue_id
       CROSS JOIN next_hop ON next_hop.id = hop_id
       WHERE queue_id > ? AND queue_id <= ?
       ORDER BY queue_id
       LIMIT ?`,
      JSON.stringify(ids),
      after,
      upTo,
      limit,
    )
    .map(itemOf);
}
