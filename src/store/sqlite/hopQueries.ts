/**
 * What is asked of the next hops' tables, and when each hop has something to do.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { NextHop } from '../contract/queue.ts';
import type { HopHold, HopUse } from '../contract/queueWork.ts';
import type { Connection } from './connection.ts';

/** A hop with its id. */
export interface KnownHop {
  readonly id: number;
  readonly nextHop: NextHop;
}

/** The first of a hop's waiting items of one priority. */
export interface WaitingHead {
  readonly priority: number;
  readonly nextAttemptAt: UnixMs;
}

/** Below every priority. */
const BEFORE_ALL_PRIORITIES = Number.MIN_SAFE_INTEGER;

/** The id of a hop; undefined when nothing ever went there. */
export function selectHopId(db: Connection, { kind, name }: NextHop): number | undefined {
  return db.value('SELECT id FROM next_hop WHERE kind = ? AND name = ?', kind, name);
}

/** Every hop that there ever was something for. */
export function selectHops(db: Connection): KnownHop[] {
  return db
    .tuples<readonly [number, NextHop['kind'], string]>(
      'SELECT id, kind, name FROM next_hop ORDER BY kind, name',
    )
    .map(([id, kind, name]) => ({ id, nextHop: { kind, name } }));
}

/** For each priority that waits for a hop, from the lowest up, when its first item is due: a step in the index for each. */
export function selectWaitingHeads(db: Connection, hopId: number): WaitingHead[] {
  const heads: WaitingHead[] = [];
  for (let last = BEFORE_ALL_PRIORITIES; ; ) {
    const head = selectHeadAbove(db, hopId, last);
    if (head === undefined) return heads;
    heads.push(head);
    last = head.priority;
  }
}

/** Hops that something waits for, and when the first of it is due. */
export function selectDueHops(db: Connection): { readonly nextHop: NextHop; readonly earliestAt: UnixMs }[] {
  return selectHops(db).flatMap(({ id, nextHop }) => {
    const [first, ...others] = selectWaitingHeads(db, id).map(({ nextAttemptAt }) => nextAttemptAt);
    return first === undefined ? [] : [{ nextHop, earliestAt: Math.min(first, ...others) as UnixMs }];
  });
}

/** Hops that are held. */
export function selectHolds(db: Connection): HopHold[] {
  return db
    .tuples<readonly [NextHop['kind'], string, HopHold['by'], string, UnixMs]>(
      `SELECT kind, name, held_by, reason, since
       FROM hop_hold JOIN next_hop ON next_hop.id = hop_id
       ORDER BY kind, name`,
    )
    .map(([kind, name, by, reason, since]) => ({ nextHop: { kind, name }, by, reason, since }));
}

/** What a hop has taken on a day. */
export function selectUse(db: Connection, nextHop: NextHop, day: number): HopUse {
  const row = db.get<{ readonly messages: number; readonly recipients: number }>(
    `SELECT messages, recipients FROM hop_use
     WHERE hop_id = (SELECT id FROM next_hop WHERE kind = ? AND name = ?) AND day = ?`,
    nextHop.kind,
    nextHop.name,
    day,
  );
  return { nextHop, day, messages: row?.messages ?? 0, recipients: row?.recipients ?? 0 };
}

function selectHeadAbove(db: Connection, hopId: number, priority: number): WaitingHead | undefined {
  return db.get(
    `SELECT priority, next_attempt_at AS nextAttemptAt
     FROM queue_state
     WHERE hop_id = ? AND state = 0 AND priority > ?
     ORDER BY priority, next_attempt_at
     LIMIT 1`,
    hopId,
    priority,
  );
}
