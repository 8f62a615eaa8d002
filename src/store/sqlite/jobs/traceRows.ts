/**
 * Traces as rows, for the trace's own jobs and for deliveries. Writer thread only.
 *
 * A message's row may be made by a refusal (of one of its recipients) or by its delivery, whichever is written first; the
 * other one joins it.
 */

import type { TraceId } from '../../../base/ids.ts';
import type { TraceEvent } from '../../contract/trace.ts';
import type { Connection } from '../connection.ts';
import {
  TRACE_ATTEMPTS_PER_MESSAGE,
  TRACE_EVENTS_PER_MESSAGE,
  TRACE_FIELD_LIMIT_CHARS,
  TRACE_MESSAGE_ID_LIMIT_CHARS,
  TRACE_SUBJECT_LIMIT_CHARS,
} from '../limits.ts';
import { traceAddress } from '../traceAddress.ts';
import { selectTraceMessage, type TraceMessage } from '../traceQueries.ts';

/**
 * Makes a message's row, or adds what it does not have yet: recipients, and the size that a refusal does not know.
 * Answers whether it is new: then its first event has the number 0, which need not be asked for.
 */
export function mergeTraceMessage(db: Connection, given: TraceMessage): boolean {
  const message = { ...given, ...cutNames(given) };
  const known = selectTraceMessage(db, message.traceId);
  if (known === undefined) {
    insertMessage(db, message);
    insertAddresses(db, message);
    return true;
  }
  const recipients = joined(known.recipients, message.recipients);
  const otherNames = joined(known.otherNames ?? [], message.otherNames ?? []);
  const octets = Math.max(known.octets, message.octets);
  const names = {
    messageId: known.messageId ?? message.messageId,
    subject: known.subject ?? message.subject,
  };
  const isKnown =
    recipients.length === known.recipients.length &&
    otherNames.length === (known.otherNames ?? []).length &&
    octets === known.octets &&
    names.messageId === known.messageId &&
    names.subject === known.subject;
  if (isKnown) return false;
  updateMessage(db, { ...message, ...names, recipients, otherNames, octets });
  insertAddresses(db, message);
  return false;
}

function joined(known: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...known, ...more])];
}

/** They come from outside. */
function cutNames({ messageId, subject, otherNames }: TraceMessage): Partial<TraceMessage> {
  return {
    messageId: messageId?.slice(0, TRACE_MESSAGE_ID_LIMIT_CHARS).toWellFormed(),
    subject: subject?.slice(0, TRACE_SUBJECT_LIMIT_CHARS).toWellFormed(),
    otherNames: otherNames?.map((name) => name.slice(0, TRACE_FIELD_LIMIT_CHARS).toWellFormed()),
  };
}

/** Whether a message has a trace (still). */
export function isTraced(db: Connection, traceId: TraceId): boolean {
  return db.value('SELECT 1 FROM trace_message WHERE trace_id = ?', traceId) !== undefined;
}

/** Adds an event, up to the limit; the last one that is kept tells when more were left out. */
export function appendTraceEvent(db: Connection, traceId: TraceId, event: TraceEvent): void {
  appendTraceEvents(db, traceId, [event], (lastNumber(db, traceId) ?? -1) + 1);
}

/**
 * Adds what happened to an item of the queue, where the message has a trace (still): attempts go on when the others have used up
 * their room, since how they ended is what an administrator looks for.
 */
export function appendQueueEvent(db: Connection, traceId: TraceId, event: TraceEvent): void {
  const last = lastNumber(db, traceId);
  if (last === undefined && !isTraced(db, traceId)) return;
  const number = (last ?? -1) + 1;
  if (number >= TRACE_ATTEMPTS_PER_MESSAGE) markLeftOut(db, traceId, number - 1);
  else insertEvent(db, traceId, number, event);
}

/** Adds events as `appendTraceEvent` does, counted from `first` on. */
export function appendTraceEvents(
  db: Connection,
  traceId: TraceId,
  events: readonly TraceEvent[],
  first: number,
): void {
  for (const [index, event] of events.entries()) {
    const number = first + index;
    if (number >= TRACE_EVENTS_PER_MESSAGE) {
      markLeftOut(db, traceId, TRACE_EVENTS_PER_MESSAGE - 1);
      return;
    }
    insertEvent(db, traceId, number, event);
  }
}

/** Removes a message's trace. */
export function deleteTrace(db: Connection, message: TraceMessage): void {
  const { traceId, reversePath, recipients, otherNames = [] } = message;
  for (const path of [reversePath, ...recipients, ...otherNames])
    deleteAddress(db, traceAddress(path), traceId);
  deleteEvents(db, traceId);
  deleteMessage(db, traceId);
}

function insertAddresses(
  db: Connection,
  { traceId, reversePath, recipients, otherNames = [] }: TraceMessage,
): void {
  const paths = [reversePath, ...recipients, ...otherNames].filter((path) => path !== '');
  for (const address of new Set(paths.map(traceAddress))) insertAddress(db, address, traceId);
}

/** The fields as JSON, long texts cut: they come from outside. */
function storedFields({ fields }: TraceEvent): string {
  return JSON.stringify(fields, (_name, value: unknown) =>
    typeof value === 'string' ? value.slice(0, TRACE_FIELD_LIMIT_CHARS).toWellFormed() : value,
  );
}

function insertMessage(db: Connection, message: TraceMessage): void {
  db.run(
    `INSERT INTO trace_message (trace_id, accepted_at, reverse_path, recipients, octets, message_id, subject, other_names)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    message.traceId,
    message.acceptedAt,
    message.reversePath,
    JSON.stringify(message.recipients),
    message.octets,
    message.messageId ?? null,
    message.subject ?? null,
    otherNamesText(message),
  );
}

function updateMessage(db: Connection, message: TraceMessage): void {
  db.run(
    `UPDATE trace_message SET recipients = ?, octets = ?, message_id = ?, subject = ?, other_names = ?
     WHERE trace_id = ?`,
    JSON.stringify(message.recipients),
    message.octets,
    message.messageId ?? null,
    message.subject ?? null,
    otherNamesText(message),
    message.traceId,
  );
}

function otherNamesText({ otherNames }: TraceMessage): string | null {
  return otherNames === undefined || otherNames.length === 0 ? null : JSON.stringify(otherNames);
}

function insertAddress(db: Connection, address: string, traceId: TraceId): void {
  db.run('INSERT OR IGNORE INTO trace_address (address, trace_id) VALUES (?, ?)', address, traceId);
}

function lastNumber(db: Connection, traceId: TraceId): number | undefined {
  return (
    db.value<number | null>('SELECT max(number) FROM trace_event WHERE trace_id = ?', traceId) ?? undefined
  );
}

function insertEvent(db: Connection, traceId: TraceId, number: number, event: TraceEvent): void {
  db.run(
    'INSERT INTO trace_event (trace_id, number, at, kind, fields) VALUES (?, ?, ?, ?, ?)',
    traceId,
    number,
    event.at,
    event.kind,
    storedFields(event),
  );
}

function markLeftOut(db: Connection, traceId: TraceId, number: number): void {
  db.run(
    `UPDATE trace_event SET fields = json_set(fields, '$.moreLeftOut', json('true'))
     WHERE trace_id = ? AND number = ? AND json_extract(fields, '$.moreLeftOut') IS NULL`,
    traceId,
    number,
  );
}

function deleteAddress(db: Connection, address: string, traceId: TraceId): void {
  db.run('DELETE FROM trace_address WHERE address = ? AND trace_id = ?', address, traceId);
}

function deleteEvents(db: Connection, traceId: TraceId): void {
  db.run('DELETE FROM trace_event WHERE trace_id = ?', traceId);
}

function deleteMessage(db: Connection, traceId: TraceId): void {
  db.run('DELETE FROM trace_message WHERE trace_id = ?', traceId);
}
