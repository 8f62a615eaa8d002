/**
 * Claims as rows, for deliveries, and the jobs that lengthen one and forget those that are over. Writer thread only.
 *
 * Looked for and taken within the delivery's savepoint: of two deliveries with the same claim, also in one batch, the second
 * one finds it; a delivery that is undone gives its claims back. A hit does not lengthen a claim's time,
 * unless that is asked for.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { TraceId } from '../../../base/ids.ts';
import type { Duplicate, DuplicateKind, PlannedClaim } from '../../contract/claims.ts';
import type { TraceEvent } from '../../contract/trace.ts';
import { selectHolder } from '../claimQueries.ts';
import type { Connection } from '../connection.ts';
import { CLAIM_SWEEP_ROWS } from '../limits.ts';
import type { JobContext } from './context.ts';
import { appendTraceEvent, isTraced } from './traceRows.ts';

/** Jobs by name. */
export const CLAIM_JOBS = { renewClaim, sweepClaims } as const;

/**
 * Takes the claims of `traceId` that nobody holds; answers the recipients for whom one is held. Such a recipient's other claims
 * are noted for the message that was stored, so that each kind of copy is found from now on.
 */
export function takeClaims(
  db: Connection,
  traceId: TraceId,
  claims: readonly PlannedClaim[],
  now: UnixMs,
): ReadonlyMap<string, Duplicate> {
  const duplicates = new Map<string, Duplicate>();
  const free: PlannedClaim[] = [];
  for (const claim of claims) {
    const { recipient, kind } = claim;
    const of = selectHolder(db, claim.key, now);
    if (of === undefined) free.push(claim);
    else if (!duplicates.has(recipient)) duplicates.set(recipient, { recipient, kind, of });
  }
  for (const claim of free) {
    const before = claim.kind === 'pickup' ? undefined : duplicates.get(claim.recipient)?.of;
    insertClaim(db, claim, before ?? traceId);
  }
  return duplicates;
}

/** Tells both traces of the duplicates: the one that stores nothing for them, and those of the messages stored before. */
export function traceDuplicates(
  db: Connection,
  traceId: TraceId,
  duplicates: Iterable<Duplicate>,
  now: UnixMs,
): readonly TraceEvent[] {
  const events: TraceEvent[] = [];
  for (const { kind, of, recipients } of grouped(duplicates)) {
    const [only, ...others] = recipients;
    const whose = others.length === 0 && only !== undefined ? { recipient: only } : {};
    const fields = { reason: kind, ...whose, recipients: recipients.length };
    events.push({ at: now, kind: 'duplicate', fields: { ...fields, of } });
    // A trace that the retention has ended is not begun again by a copy.
    if (isTraced(db, of))
      appendTraceEvent(db, of, { at: now, kind: 'duplicate', fields: { ...fields, again: traceId } });
  }
  return events;
}

interface DuplicateGroup {
  readonly kind: DuplicateKind;
  readonly of: TraceId;
  readonly recipients: string[];
}

/** A message to a thousand recipients that comes again is one event, not a thousand. */
function grouped(duplicates: Iterable<Duplicate>): Iterable<DuplicateGroup> {
  const groups = new Map<string, DuplicateGroup>();
  for (const { kind, of, recipient } of duplicates) {
    const name = `${kind} ${of}`;
    const group = groups.get(name) ?? { kind, of, recipients: [] };
    group.recipients.push(recipient);
    groups.set(name, group);
  }
  return groups.values();
}

/** Lengthens a claim that is held, and answers who holds it. */
function renewClaim(
  db: Connection,
  { key, expiresAt }: { readonly key: string; readonly expiresAt: UnixMs },
  { now }: JobContext,
): TraceId | undefined {
  const holder = selectHolder(db, key, now);
  if (holder !== undefined) lengthenClaim(db, key, expiresAt);
  return holder;
}

/** Forgets some of the claims that are over; answers whether there may be more. */
function sweepClaims(db: Connection, input: { readonly upTo: UnixMs }): boolean {
  return deleteExpired(db, input.upTo) === CLAIM_SWEEP_ROWS;
}

function insertClaim(db: Connection, { key, expiresAt }: PlannedClaim, traceId: TraceId): void {
  db.run(
    `INSERT INTO claim (key, expires_at, trace_id) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at, trace_id = excluded.trace_id`,
    Buffer.from(key, 'hex'),
    expiresAt,
    traceId,
  );
}

function lengthenClaim(db: Connection, key: string, expiresAt: UnixMs): void {
  db.run(
    'UPDATE claim SET expires_at = ? WHERE key = ? AND expires_at < ?',
    expiresAt,
    Buffer.from(key, 'hex'),
    expiresAt,
  );
}

function deleteExpired(db: Connection, upTo: UnixMs): number {
  return db.run(
    'DELETE FROM claim WHERE key IN (SELECT key FROM claim WHERE expires_at <= ? LIMIT ?)',
    upTo,
    CLAIM_SWEEP_ROWS,
  );
}
