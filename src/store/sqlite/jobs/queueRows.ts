/**
 * The rider of a delivery that puts items into the queue: a row that never changes and a narrow one that does, for each recipient.
 * Writer thread only.
 *
 * An item keeps its content (sweep.ts). Ten thousand items, a large list, are some tenths of a second of the writer's time.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { ContentId, QueueId, TraceId } from '../../../base/ids.ts';
import type { NextHop, PlannedQueueItem } from '../../contract/queue.ts';
import type { TraceEvent } from '../../contract/trace.ts';
import type { Connection } from '../connection.ts';
import { QUEUED_EVENTS_PER_DELIVERY } from '../limits.ts';
import type { JobContext } from './context.ts';

/** The delivery that the items belong to. */
export interface QueuedDelivery {
  readonly traceId: TraceId;
  readonly acceptedAt: UnixMs;
  readonly reversePath: string;
  readonly queued?: readonly PlannedQueueItem[] | undefined;
}

/** The items that were made, and what the trace tells of them. */
export interface QueuedItems {
  readonly ids: readonly QueueId[];
  readonly events: readonly TraceEvent[];
}

/** Puts what the delivery has for next hops into the queue. */
export function insertQueueItems(
  db: Connection,
  delivery: QueuedDelivery,
  contentId: ContentId,
  context: JobContext,
): QueuedItems {
  const planned = delivery.queued ?? [];
  if (planned.length === 0) return { ids: [], events: [] };
  const hops = new Map<string, number>();
  const ids = planned.map((item) => {
    const id = insertItem(db, delivery, contentId, item);
    insertState(db, id, hopId(db, hops, item.nextHop), item.priority ?? 0, delivery.acceptedAt);
    return id;
  });
  context.publish({ kind: 'queue' });
  return { ids, events: queuedEvents(delivery, planned, ids, context.now) };
}

/** One event for each item; of very many the last one counts the others, so that the trace has room for what comes later. */
function queuedEvents(
  { reversePath }: QueuedDelivery,
  planned: readonly PlannedQueueItem[],
  ids: readonly QueueId[],
  at: UnixMs,
): TraceEvent[] {
  const told = planned.slice(0, QUEUED_EVENTS_PER_DELIVERY);
  return told.map((item, index) => {
    const isLast = index === QUEUED_EVENTS_PER_DELIVERY - 1 && planned.length > told.length;
    const fields = {
      recipient: item.via ?? item.recipient,
      ...(item.via === undefined ? {} : { to: item.recipient }),
      hop: item.nextHop.kind,
      name: item.nextHop.name,
      queueId: ids[index] ?? 0,
      ...(item.reversePath === reversePath ? {} : { from: item.reversePath }),
      ...(isLast ? { moreItems: planned.length - told.length } : {}),
    };
    return { at, kind: 'queued', fields };
  });
}

function hopId(db: Connection, known: Map<string, number>, { kind, name }: NextHop): number {
  const key = `${kind} ${name}`;
  const id = known.get(key) ?? findHop(db, kind, name) ?? insertHop(db, kind, name);
  known.set(key, id);
  return id;
}

function findHop(db: Connection, kind: NextHop['kind'], name: string): number | undefined {
  return db.value('SELECT id FROM next_hop WHERE kind = ? AND name = ?', kind, name);
}

function insertHop(db: Connection, kind: NextHop['kind'], name: string): number {
  return db.value('INSERT INTO next_hop (kind, name) VALUES (?, ?) RETURNING id', kind, name) as number;
}

function insertItem(
  db: Connection,
  { traceId, acceptedAt }: QueuedDelivery,
  contentId: ContentId,
  item: PlannedQueueItem,
): QueueId {
  return db.value(
    `INSERT INTO queue_item (content_id, trace_id, reverse_path, recipient, is_smtp_utf8, notify, orcpt, ret,
       envid, forwarded_for, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     RETURNING id`,
    contentId,
    traceId,
    item.reversePath,
    item.recipient,
    item.isSmtpUtf8 ? 1 : 0,
    item.notify?.join(',') ?? null,
    item.orcpt ?? null,
    item.ret ?? null,
    item.envid ?? null,
    item.forwardedFor ?? null,
    acceptedAt,
    item.expiresAt ?? null,
  ) as QueueId;
}

function insertState(
  db: Connection,
  id: QueueId,
  hop: number,
  priority: number,
  nextAttemptAt: UnixMs,
): void {
  db.run(
    `INSERT INTO queue_state (queue_id, hop_id, state, priority, attempts, next_attempt_at, leased_until)
     VALUES (?, ?, 0, ?, 0, ?, NULL)`,
    id,
    hop,
    priority,
    nextAttemptAt,
  );
}
