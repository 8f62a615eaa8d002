/**
 * The trace's jobs, and what deliveries write into the trace within their own transaction.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { ContentId, TraceId } from '../../../base/ids.ts';
import type { MessageNames, NotedRefusal, TraceEvent } from '../../contract/trace.ts';
import type { Connection } from '../connection.ts';
import { TRACE_SWEEP_ROWS } from '../limits.ts';
import { selectOldestTraces } from '../traceQueries.ts';
import {
  appendTraceEvent,
  appendTraceEvents,
  deleteTrace,
  isTraced,
  mergeTraceMessage,
} from './traceRows.ts';

/** What a session noted: about a content, or about a message that was refused. */
export type Note =
  | { readonly kind: 'content'; readonly contentId: ContentId; readonly event: TraceEvent }
  | { readonly kind: 'refusal'; readonly refusal: NotedRefusal };

/** Jobs by name. */
export const TRACE_JOBS = {
  /** Writes what sessions noted. Notes about contents without a trace (appended ones, or gone) are left out. */
  writeTraceNotes(db: Connection, notes: readonly Note[]): void {
    for (const note of notes) {
      if (note.kind === 'refusal') writeRefusal(db, note.refusal);
      else writeContentNote(db, note.contentId, note.event);
    }
  },
} as const;

/** A message that a delivery brings. */
export interface TracedDelivery extends MessageNames {
  readonly traceId: TraceId;
  readonly acceptedAt: UnixMs;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly octets: number;
  /** What the plan brought, then one `stored` for each copy. `accepted` is put in front when the plan did not bring it. */
  readonly events: readonly TraceEvent[];
}

/** Writes a delivered message's trace, within the delivery's savepoint. */
export function insertDeliveryTrace(db: Connection, { events, ...message }: TracedDelivery): void {
  const isNew = mergeTraceMessage(db, message);
  const isAcceptedTold = events.some(({ kind }) => kind === 'accepted');
  const accepted = { at: message.acceptedAt, kind: 'accepted', fields: {} } as const;
  const all = isAcceptedTold ? events : [accepted, ...events];
  if (isNew) appendTraceEvents(db, message.traceId, all, 0);
  else for (const event of all) appendTraceEvent(db, message.traceId, event);
}

/** Deletes some of the traces that were accepted before `before`; answers whether there may be more. */
export function deleteOldTraces(db: Connection, before: UnixMs): boolean {
  // The ids begin with their time, so the oldest come first, whatever their number.
  const oldest = selectOldestTraces(db, TRACE_SWEEP_ROWS);
  const old = oldest.filter((message) => message.acceptedAt < before);
  for (const message of old) deleteTrace(db, message);
  return old.length === TRACE_SWEEP_ROWS;
}

function writeRefusal(db: Connection, { event, ...refusal }: NotedRefusal): void {
  mergeTraceMessage(db, { ...refusal, acceptedAt: event.at, octets: 0 });
  appendTraceEvent(db, refusal.traceId, event);
}

function writeContentNote(db: Connection, contentId: ContentId, event: TraceEvent): void {
  const traceId = selectTraceIdOf(db, contentId);
  // A trace that the retention has ended is not begun again by a fetch.
  if (traceId !== undefined && isTraced(db, traceId)) appendTraceEvent(db, traceId, event);
}

function selectTraceIdOf(db: Connection, contentId: ContentId): TraceId | undefined {
  return db.value<TraceId | null>('SELECT trace_id FROM content WHERE id = ?', contentId) ?? undefined;
}
