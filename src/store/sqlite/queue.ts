/**
 * The Queue view of the SQLite store: items are read in slices of the narrow table of states, and worked on by jobs of the writer.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { QueueId } from '../../base/ids.ts';
import { yieldTurn } from '../../base/pacer.ts';
import type { NextHop, QueueFilter, QueueItem } from '../contract/queue.ts';
import type {
  LeasedMessage,
  LeaseRequest,
  Queue,
  QueueChange,
  QueueChanged,
  QueueSelection,
} from '../contract/queueWork.ts';
import { selectDueHops, selectHolds, selectHopId, selectUse } from './hopQueries.ts';
import { QUEUE_SLICE_ROWS } from './limits.ts';
import {
  selectAged,
  selectCounts,
  selectDelayed,
  selectExpired,
  selectItem,
  selectOldestCreatedAt,
} from './queueQueries.ts';
import { isSelected, type SelectableItem, selectNewestId, selectSelectable } from './queueSelection.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer/client.ts';

/** Items read in one turn of the event loop, about a millisecond. */
const ITEMS_PER_TURN = 50;

/** Before all items. */
const NO_ID = 0 as QueueId;

/** The Queue that reads by `reader` and writes by `writer`. */
export function createQueue(reader: Reader, writer: Writer): Queue {
  return {
    list: (filter, limit, after) => list(reader, filter, limit, after),
    find: async (id) => reader.read((db) => selectItem(db, id)),
    count: async () => reader.read(selectCounts),
    lease: (request) => lease(reader, writer, request),
    releaseLeases: () => releaseLeases(writer),
    settle: (settlements, use) => writer.run('settle', { settlements, use }),
    due: async () => reader.read(selectDueHops),
    delayed: async (createdBefore, limit) =>
      readItems(
        reader,
        reader.read((db) => selectDelayed(db, createdBefore, limit)),
      ),
    expired: (now, createdBefore, limit, sparedHops = []) =>
      expired(reader, now, createdBefore, limit, sparedHops),
    oldestCreatedAt: async () => reader.read(selectOldestCreatedAt),
    change: (selection, change, at) => changeAll(reader, writer, selection, change, at),
    holdHop: (nextHop, hold) => writer.run('holdHop', { nextHop, hold }),
    holdHopForTrouble: (nextHop, trouble) => writer.run('holdHopForTrouble', { nextHop, trouble }),
    heldHops: async () => reader.read(selectHolds),
    use: async (nextHop, day) => reader.read((db) => selectUse(db, nextHop, day)),
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
  for await (const slice of slices(reader, filter, after))
    for (const candidate of slice) {
      if (!isSelected(candidate, filter)) continue;
      const item = reader.read((db) => selectItem(db, candidate.id));
      if (item !== undefined) items.push(item);
      if (items.length === limit) return items;
      if (items.length % ITEMS_PER_TURN === 0) await yieldTurn();
    }
  return items;
}

async function* slices(
  reader: Reader,
  filter: QueueFilter,
  after: QueueId | undefined,
): AsyncGenerator<readonly SelectableItem[]> {
  const upTo = Number.MAX_SAFE_INTEGER as QueueId;
  for (let last = after ?? NO_ID; ; ) {
    const behind = last;
    const slice = reader.read((db) => selectSelectable(db, filter, behind, upTo, QUEUE_SLICE_ROWS));
    yield slice;
    if (slice.length < QUEUE_SLICE_ROWS) return;
    last = slice.at(-1)?.id ?? last;
    await yieldTurn();
  }
}

/** The writer leases narrow rows; what the items are is read here, where nobody waits for it. */
async function lease(reader: Reader, writer: Writer, request: LeaseRequest): Promise<LeasedMessage[]> {
  const messages: LeasedMessage[] = [];
  for (const ids of await writer.run('lease', request)) {
    const [first, ...others] = await readItems(reader, ids);
    if (first !== undefined) messages.push([first, ...others]);
  }
  return messages;
}

async function releaseLeases(writer: Writer): Promise<number> {
  for (let total = 0; ; ) {
    const released = await writer.run('releaseLeases', undefined);
    total += released;
    if (released < QUEUE_SLICE_ROWS) return total;
  }
}

async function expired(
  reader: Reader,
  now: UnixMs,
  createdBefore: UnixMs,
  limit: number,
  sparedHops: readonly NextHop[],
): Promise<QueueItem[]> {
  const spared = reader
    .read((db) => sparedHops.map((hop) => selectHopId(db, hop)))
    .filter((id) => id !== undefined);
  const own = reader.read((db) => selectExpired(db, now, limit, spared));
  const aged = reader.read((db) => selectAged(db, createdBefore, limit - own.length, spared));
  return readItems(reader, [...own, ...aged]);
}

async function changeAll(
  reader: Reader,
  writer: Writer,
  selection: QueueSelection,
  change: QueueChange,
  at: UnixMs,
): Promise<QueueChanged> {
  const upTo = reader.read(selectNewestId);
  let changed = 0;
  let spared = 0;
  const hops = new Map<string, NextHop>();
  for (let after: QueueId | undefined = NO_ID; after !== undefined; ) {
    const slice: QueueChanged & { readonly after: QueueId | undefined } = await writer.run('changeQueue', {
      selection,
      change,
      at,
      after,
      upTo,
    });
    changed += slice.changed;
    spared += slice.spared;
    for (const hop of slice.hops) hops.set(`${hop.kind} ${hop.name}`, hop);
    ({ after } = slice);
    if (after !== undefined) await yieldTurn();
  }
  return { changed, spared, hops: [...hops.values()] };
}

async function readItems(reader: Reader, ids: readonly QueueId[]): Promise<QueueItem[]> {
  const items: QueueItem[] = [];
  for (const [index, id] of ids.entries()) {
    if (index > 0 && index % ITEMS_PER_TURN === 0) await yieldTurn();
    const item = reader.read((db) => selectItem(db, id));
    if (item !== undefined) items.push(item);
  }
  return items;
}
