/**
 * The Queue view of the SQLite store: what waits, read in slices of the narrow table of states.
 */

import type { QueueId } from '../../base/ids.ts';
import { yieldTurn } from '../../base/pacer.ts';
import type { Queue, QueueFilter, QueueItem } from '../contract/queue.ts';
import { QUEUE_SLICE_ROWS } from './limits.ts';
import {
  type QueueStateRow,
  selectCounts,
  selectItem,
  selectStatesAfter,
  selectStatesOf,
} from './queueQueries.ts';
import type { Reader } from './reader.ts';

/** Items read in one turn of the event loop, about a millisecond. */
const ITEMS_PER_TURN = 50;

/** The Queue that reads by `reader`. */
export function createQueue(reader: Reader): Queue {
  return {
    list: (filter, limit, after) => list(reader, filter, limit, after),
    count: async () => reader.read(selectCounts),
  };
}

/** Items that go while this reads are left out. */
async function list(
  reader: Reader,
  filter: QueueFilter,
  limit: number,
  after: QueueId | undefined,
): Promise<QueueItem[]> {
  const items: QueueItem[] = [];
  for await (const states of slices(reader, filter, after))
    for (const state of states) {
      if (!fits(state, filter)) continue;
      const item = reader.read((db) => selectItem(db, state.id));
      if (item !== undefined) items.push(item);
      if (items.length === limit) return items;
      if (items.length % ITEMS_PER_TURN === 0) await yieldTurn();
    }
  return items;
}

async function* slices(
  reader: Reader,
  { traceId }: QueueFilter,
  after: QueueId | undefined,
): AsyncGenerator<readonly QueueStateRow[]> {
  let last = after ?? (0 as QueueId);
  for (;;) {
    const states = reader.read((db) =>
      traceId === undefined
        ? selectStatesAfter(db, last, QUEUE_SLICE_ROWS)
        : selectStatesOf(db, traceId, last, QUEUE_SLICE_ROWS),
    );
    yield states;
    if (states.length < QUEUE_SLICE_ROWS) return;
    last = states.at(-1)?.id ?? last;
    await yieldTurn();
  }
}

function fits(row: QueueStateRow, { nextHop, state }: QueueFilter): boolean {
  if (state !== undefined && row.state !== state) return false;
  return nextHop === undefined || (row.nextHop.kind === nextHop.kind && row.nextHop.name === nextHop.name);
}
