/**
 * One event for the traces of many entries, within the transaction that changes them. Writer thread only.
 *
 * One statement for all: what POP3 deletes at a QUIT may be a hundred thousand messages. Messages without a trace (appended
 * ones, or of long ago) are left out, and so are those whose trace is full.
 */

import type { MailboxId } from '../../../base/ids.ts';
import type { TraceEvent } from '../../contract/trace.ts';
import type { Connection } from '../connection.ts';
import { TRACE_EVENTS_PER_MESSAGE } from '../limits.ts';

/** Whose traces are meant, and the name under which each event has its entry's UID. */
export interface TracedEntries {
  readonly mailboxId: MailboxId;
  /** `[[first, last], ...]` as JSON. */
  readonly ranges: string;
  readonly uidField: 'uid' | 'fetchedUid';
  readonly isOnlyRetained: boolean;
}

/** Appends the event to the trace of every entry; a message that is there twice has it once. */
export function appendEntryEvents(db: Connection, entries: TracedEntries, event: TraceEvent): void {
  db.run(
    `INSERT OR IGNORE INTO trace_event (trace_id, number, at, kind, fields)
     SELECT trace_id, number, ?, ?, json_set(?, ?, uid)
     FROM (
       SELECT content.trace_id AS trace_id, entry.uid AS uid,
         (SELECT 1 + coalesce(max(number), -1) FROM trace_event
          WHERE trace_event.trace_id = content.trace_id) AS number
       FROM json_each(?) AS range
       CROSS JOIN entry ON mailbox_id = ? AND uid BETWEEN range.value ->> 0 AND range.value ->> 1
       JOIN content ON content.id = entry.content_id
       JOIN trace_message ON trace_message.trace_id = content.trace_id
       WHERE ? = 0 OR entry.retained_at IS NOT NULL
     )
     WHERE number < ?`,
    event.at,
    event.kind,
    JSON.stringify(event.fields),
    `$.${entries.uidField}`,
    entries.ranges,
    entries.mailboxId,
    entries.isOnlyRetained ? 1 : 0,
    TRACE_EVENTS_PER_MESSAGE,
  );
}
