/**
 * Items of the queue as rows: the rider of a delivery that makes them, a row that never changes and a narrow one that does for each
 * recipient, and their end. Writer thread only.
 *
 * An item keeps its content; whoever deletes items makes orphans of contents that no other needs (sweep.ts). Ten thousand items, a large list, are some tenths of a second of the writer's time.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { ContentId, QueueId, TraceId } from '../../../base/ids.ts';
import type { NextHop, PlannedQueueItem } from '../../contract/queue.ts';
import type { TraceEvent } from '../../contract/trace.ts';
import type { Connection } from '../connection.ts';
import { QUEUED_EVENTS_PER_DELIVERY } from '../limits.ts';
import { hasQueueItem } from '../queueQueries.ts';
import type { JobContext } from './context.ts';
import { insertOrphan } from './drafts.ts';
import { hopIdOf } from './hopRows.ts';

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
    const id = insertItem(db, delivery, item);
    insertState(db, id, hopIdAmong(db, hops, item.nextHop), contentId, item, delivery.acceptedAt);
    return id;
  });
  context.publish({ kind: 'queue' });
  return { ids, events: queuedEvents(delivery, planned, ids, context.now) };
}

/** Takes an item out of the queue, its state and reply with it. */
export function deleteItem(db: Connection, id: QueueId): void {
  db.run('DELETE FROM queue_item WHERE id = ?', id);
}

/** Contents whose items a job takes out of the queue; of a list they are all one. */
export class OrphanedContents {
  readonly #contents = new Set<ContentId>();

  add(contentId: ContentId): void {
    this.#contents.add(contentId);
  }

  /** Leaves those that no item needs to the sweep, which spares what entries and open readers need. */
  insert(db: Connection, batch: number): void {
    for (const contentId of this.#contents)
      if (!hasQueueItem(db, contentId)) insertOrphan(db, contentId, batch);
  }
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

/** A list has one hop for ten thousand items. */
function hopIdAmong(db: Connection, known: Map<string, number>, hop: NextHop): number {
  const key = `${hop.kind} ${hop.name}`;
  const id = known.get(key) ?? hopIdOf(db, hop);
  known.set(key, id);
  return id;
}

function insertItem(db: Connection, { traceId }: QueuedDelivery, item: PlannedQueueItem): QueueId {
  return db.value(
    `INSERT INTO queue_item (trace_id, reverse_path, recipient, is_smtp_utf8, notify, orcpt, ret, envid, forwarded_for,
       is_submitted)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     RETURNING id`,
    traceId,
    item.reversePath,
    item.recipient,
    item.isSmtpUtf8 ? 1 : 0,
    item.notify?.join(',') ?? null,
    item.orcpt ?? null,
    item.ret ?? null,
    item.envid ?? null,
    item.forwardedFor ?? null,
    item.isSubmitted === true ? 1 : 0,
  ) as QueueId;
}

function insertState(
  db: Connection,
  id: QueueId,
  hopId: number,
  contentId: ContentId,
  { priority = 0, expiresAt }: PlannedQueueItem,
  acceptedAt: UnixMs,
): void {
  db.run(
    `INSERT INTO queue_state (queue_id, hop_id, content_id, state, priority, attempts, next_attempt_at, created_at,
       expires_at)
     VALUES (?, ?, ?, 0, ?, 0, ?, ?, ?)`,
    id,
    hopId,
    contentId,
    priority,
    acceptedAt,
    acceptedAt,
    expiresAt ?? null,
  );
}
