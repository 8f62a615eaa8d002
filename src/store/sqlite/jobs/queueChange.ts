/**
 * The job that changes items for an administrator, a slice at a time: it goes on after the last id that it looked at.
 *
 * Conditions are asked here and not before, since items are leased and settled meanwhile. What is leased is spared; a lease that
 * has ended counts as none.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { QueueId } from '../../../base/ids.ts';
import type { NextHop } from '../../contract/queue.ts';
import type { QueueChange, QueueSelection } from '../../contract/queueWork.ts';
import type { TraceEvent } from '../../contract/trace.ts';
import type { Connection } from '../connection.ts';
import { QUEUE_CHANGE_SLICE_ITEMS, QUEUE_SLICE_ROWS } from '../limits.ts';
import { isSelected, type SelectableItem, selectSelectable } from '../queueSelection.ts';
import type { JobContext } from './context.ts';
import { hopIdOf } from './hopRows.ts';
import { deleteItem, OrphanedContents } from './queueRows.ts';
import { appendQueueEvent } from './traceRows.ts';

/** One slice. */
export interface QueueChangeInput {
  readonly selection: QueueSelection;
  readonly change: QueueChange;
  readonly at: UnixMs;
  readonly after: QueueId;
  /** Items that came later are not meant. */
  readonly upTo: QueueId;
}

/** What a slice did; the next one goes on after this id, undefined when all were looked at. */
export interface QueueChangeOutput {
  readonly after: QueueId | undefined;
  readonly changed: number;
  readonly spared: number;
  /** Of what was changed, as it is now; each once. */
  readonly hops: readonly NextHop[];
}

/** Jobs by name. */
export const QUEUE_CHANGE_JOBS = { changeQueue } as const;

function changeQueue(db: Connection, input: QueueChangeInput, context: JobContext): QueueChangeOutput {
  const { selection, change, at, upTo } = input;
  const items = selectSelectable(db, selection, input.after, upTo, QUEUE_SLICE_ROWS);
  const orphaned = new OrphanedContents();
  let after: QueueId | undefined;
  let changed = 0;
  let spared = 0;
  const hops = new Map<string, NextHop>();
  for (const item of items) {
    if (changed >= QUEUE_CHANGE_SLICE_ITEMS) break;
    after = item.id;
    if (!isSelected(item, selection)) continue;
    if (isUnderWay(item, at)) spared += 1;
    else if (changeItem(db, item, change, at, orphaned)) {
      changed += 1;
      const hop = change.kind === 'reroute' ? change.nextHop : item.nextHop;
      hops.set(`${hop.kind} ${hop.name}`, hop);
    }
  }
  orphaned.insert(db, context.batch);
  if (changed > 0) context.publish({ kind: 'queue' });
  const isLast = items.length < QUEUE_SLICE_ROWS && after === items.at(-1)?.id;
  return { after: isLast ? undefined : after, changed, spared, hops: [...hops.values()] };
}

function isUnderWay({ state, leasedUntil }: SelectableItem, at: UnixMs): boolean {
  return state === 'leased' && leasedUntil !== null && leasedUntil > at;
}

/** Answers whether there was something to change. */
function changeItem(
  db: Connection,
  item: SelectableItem,
  change: QueueChange,
  at: UnixMs,
  orphaned: OrphanedContents,
): boolean {
  const isHeld = item.state === 'held';
  const tell = (kind: TraceEvent['kind'], more: TraceEvent['fields'] = {}) => {
    const { kind: hop, name } = change.kind === 'reroute' ? change.nextHop : item.nextHop;
    const fields = { recipient: item.recipient, hop, name, by: 'administrator', ...more };
    appendQueueEvent(db, item.traceId, { at, kind, fields });
    return true;
  };
  switch (change.kind) {
    case 'hold':
      if (isHeld) return false;
      updateState(db, item.id, HELD);
      return tell('held');
    case 'release':
      if (!isHeld) return false;
      updateDue(db, item.id, WAITING, at);
      return tell('released');
    case 'retry':
      if (isHeld) return false;
      updateDue(db, item.id, WAITING, at);
      return tell('retried', { by: change.by ?? 'administrator' });
    case 'delete':
      deleteItem(db, item.id);
      orphaned.add(item.contentId);
      return tell('removed');
    case 'reroute': {
      const { kind, name } = item.nextHop;
      if (kind === change.nextHop.kind && name === change.nextHop.name) return false;
      updateHop(db, item.id, hopIdOf(db, change.nextHop));
      updateDue(db, item.id, isHeld ? HELD : WAITING, at);
      return tell('rerouted', { fromHop: kind, fromName: name });
    }
    case 'prioritize':
      if (item.priority === change.priority) return false;
      updatePriority(db, item.id, change.priority);
      return tell('prioritized', { priority: change.priority });
  }
}

const WAITING = 0;
const HELD = 2;

function updateState(db: Connection, id: QueueId, state: number): void {
  db.run('UPDATE queue_state SET state = ?, leased_until = NULL WHERE queue_id = ?', state, id);
}

function updateDue(db: Connection, id: QueueId, state: number, at: UnixMs): void {
  db.run(
    'UPDATE queue_state SET state = ?, leased_until = NULL, next_attempt_at = ? WHERE queue_id = ?',
    state,
    at,
    id,
  );
}

function updateHop(db: Connection, id: QueueId, hopId: number): void {
  db.run('UPDATE queue_state SET hop_id = ? WHERE queue_id = ?', hopId, id);
}

function updatePriority(db: Connection, id: QueueId, priority: number): void {
  db.run('UPDATE queue_state SET priority = ? WHERE queue_id = ?', priority, id);
}
