/**
 * What is asked of the trace's tables.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { TraceId } from '../../base/ids.ts';
import type { MessageTrace, TraceEvent, TraceEventKind } from '../contract/trace.ts';
import type { Connection } from './connection.ts';

/** A message's trace with its events in order of time. */
export function selectTrace(db: Connection, traceId: TraceId): MessageTrace | undefined {
  const row = selectTraceMessage(db, traceId);
  if (row === undefined) return undefined;
  const { otherNames, ...message } = row;
  return { ...message, events: selectEvents(db, traceId) };
}

/** A message's trace without its events. */
export interface TraceMessage extends Omit<MessageTrace, 'events'> {
  readonly otherNames?: readonly string[] | undefined;
}

/** A message's trace without its events. */
export function selectTraceMessage(db: Connection, traceId: TraceId): TraceMessage | undefined {
  const row = db.get<MessageRow>(
    `SELECT trace_id, accepted_at, reverse_path, recipients, octets, message_id, subject, other_names
     FROM trace_message WHERE trace_id = ?`,
    traceId,
  );
  return row && messageOf(row);
}

/** Ids of messages with a Message-ID, newest first. */
export function selectTraceIdsByMessageId(db: Connection, messageId: string, limit: number): TraceId[] {
  return db.column(
    'SELECT trace_id FROM trace_message WHERE message_id = ? ORDER BY trace_id DESC LIMIT ?',
    messageId,
    limit,
  );
}

/** Ids and subjects of messages before `before`, newest first. */
export function selectSubjects(
  db: Connection,
  before: string,
  limit: number,
): [traceId: TraceId, subject: string | null][] {
  return db.tuples(
    'SELECT trace_id, subject FROM trace_message WHERE trace_id < ? ORDER BY trace_id DESC LIMIT ?',
    before,
    limit,
  );
}

/** Ids of messages from or to a folded address, newest first. */
export function selectTraceIdsByAddress(db: Connection, address: string, limit: number): TraceId[] {
  return db.column(
    'SELECT trace_id FROM trace_address WHERE address = ? ORDER BY trace_id DESC LIMIT ?',
    address,
    limit,
  );
}

/** The oldest messages, without their events. */
export function selectOldestTraces(db: Connection, limit: number): TraceMessage[] {
  return db
    .all<MessageRow>(
      `SELECT trace_id, accepted_at, reverse_path, recipients, octets, message_id, subject, other_names
       FROM trace_message
       ORDER BY trace_id
       LIMIT ?`,
      limit,
    )
    .map(messageOf);
}

interface MessageRow {
  readonly trace_id: TraceId;
  readonly accepted_at: UnixMs;
  readonly reverse_path: string;
  readonly recipients: string;
  readonly octets: number;
  readonly message_id: string | null;
  readonly subject: string | null;
  readonly other_names: string | null;
}

interface EventRow {
  readonly at: UnixMs;
  readonly kind: TraceEventKind;
  readonly fields: string;
}

function messageOf(row: MessageRow): TraceMessage {
  return {
    traceId: row.trace_id,
    acceptedAt: row.accepted_at,
    reversePath: row.reverse_path,
    recipients: JSON.parse(row.recipients) as string[],
    octets: row.octets,
    ...(row.message_id === null ? {} : { messageId: row.message_id }),
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.other_names === null ? {} : { otherNames: JSON.parse(row.other_names) as string[] }),
  };
}

function selectEvents(db: Connection, traceId: TraceId): TraceEvent[] {
  return db
    .all<EventRow>('SELECT at, kind, fields FROM trace_event WHERE trace_id = ? ORDER BY at, number', traceId)
    .map(({ at, kind, fields }) => ({ at, kind, fields: JSON.parse(fields) as TraceEvent['fields'] }));
}
