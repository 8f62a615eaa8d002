/**
 * Next hops as rows: their ids, who has stopped them, and what they have taken. Writer thread only.
 */

import type { NextHop } from '../../contract/queue.ts';
import type { HopHold, HopUse } from '../../contract/queueWork.ts';
import type { Connection } from '../connection.ts';
import { selectHopId } from '../hopQueries.ts';
import { HOP_USE_DAYS } from '../limits.ts';
import type { JobContext } from './context.ts';

type TroubleHold = Pick<HopHold, 'reason' | 'since'>;

/** Jobs by name. */
export const HOP_JOBS = { holdHop, holdHopForTrouble } as const;

/** The id of a hop, which is made when it is new. */
export function hopIdOf(db: Connection, hop: NextHop): number {
  return selectHopId(db, hop) ?? insertHop(db, hop);
}

/** Adds to what a hop has taken on a day, and forgets days that nobody asks for any more. */
export function countHopUse(db: Connection, { nextHop, day, messages, recipients }: HopUse): void {
  const hopId = hopIdOf(db, nextHop);
  deleteUseBefore(db, hopId, day - HOP_USE_DAYS);
  upsertUse(db, hopId, day, messages, recipients);
}

function holdHop(
  db: Connection,
  input: { readonly nextHop: NextHop; readonly hold: Omit<HopHold, 'nextHop'> | undefined },
  context: JobContext,
): void {
  const hopId = hopIdOf(db, input.nextHop);
  if (input.hold === undefined) deleteHold(db, hopId);
  else upsertHold(db, hopId, input.hold);
  context.publish({ kind: 'queue' });
}

function holdHopForTrouble(
  db: Connection,
  { nextHop, trouble }: { readonly nextHop: NextHop; readonly trouble: TroubleHold | undefined },
  context: JobContext,
): void {
  if (selectHolder(db, hopIdOf(db, nextHop)) === 'administrator') return;
  holdHop(db, { nextHop, hold: trouble && { ...trouble, by: 'trouble' } }, context);
}

function insertHop(db: Connection, { kind, name }: NextHop): number {
  return db.value('INSERT INTO next_hop (kind, name) VALUES (?, ?) RETURNING id', kind, name) as number;
}

function selectHolder(db: Connection, hopId: number): unknown {
  return db.value('SELECT held_by FROM hop_hold WHERE hop_id = ?', hopId);
}

function upsertHold(db: Connection, hopId: number, { by, reason, since }: Omit<HopHold, 'nextHop'>): void {
  db.run(
    `INSERT INTO hop_hold (hop_id, held_by, reason, since) VALUES (?, ?, ?, ?)
     ON CONFLICT (hop_id) DO UPDATE SET held_by = excluded.held_by, reason = excluded.reason, since = excluded.since`,
    hopId,
    by,
    reason,
    since,
  );
}

function deleteHold(db: Connection, hopId: number): void {
  db.run('DELETE FROM hop_hold WHERE hop_id = ?', hopId);
}

function upsertUse(db: Connection, hopId: number, day: number, messages: number, recipients: number): void {
  db.run(
    `INSERT INTO hop_use (hop_id, day, messages, recipients) VALUES (?, ?, ?, ?)
     ON CONFLICT (hop_id, day) DO UPDATE
     SET messages = messages + excluded.messages, recipients = recipients + excluded.recipients`,
    hopId,
    day,
    messages,
    recipients,
  );
}

function deleteUseBefore(db: Connection, hopId: number, day: number): void {
  db.run('DELETE FROM hop_use WHERE hop_id = ? AND day < ?', hopId, day);
}
