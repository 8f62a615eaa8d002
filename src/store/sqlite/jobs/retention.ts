/**
 * The jobs of retention: what POP3 deletes is moved to the account's own mailbox for it, and ends there; what POP3 only fetches
 * ends some days later.
 *
 * Everything that expires goes in slices, a job each, with its trace. UIDs of a move are new ones, as always, so that
 * what is restored into an INBOX is a message that no client has seen yet.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { MailboxId, Uid } from '../../../base/ids.ts';
import type { UidRange } from '../../contract/mailboxes.ts';
import { FETCHED_MAILBOX } from '../../contract/retention.ts';
import type { Connection } from '../connection.ts';
import { EXPIRY_SLICE_ENTRIES } from '../limits.ts';
import { orderedRanges } from '../ranges.ts';
import type { JobContext } from './context.ts';
import { move } from './copy.ts';
import { requireMailbox } from './counters.ts';
import { appendEntryEvents } from './entryEvents.ts';
import { expunge } from './expunge.ts';
import { findMailboxId, insertMailbox } from './mailboxRows.ts';

/** Fields of a trace's event. */
type EventFields = Readonly<Record<string, string | number>>;

/** What expires: entries of a mailbox that came to be so at `upTo` or before. */
interface ExpiryInput {
  readonly mailboxId: MailboxId;
  readonly upTo: UnixMs;
  readonly fields: EventFields;
}

/** Jobs by name. */
export const RETENTION_JOBS = { retain, markFetched, expireRetained, expireFetched } as const;

function retain(
  db: Connection,
  input: {
    readonly from: MailboxId;
    readonly ranges: readonly UidRange[];
    readonly fields: EventFields;
  },
  context: JobContext,
): readonly Uid[] {
  const { from, ranges, fields } = input;
  const to = takeFetchedMailbox(db, from, context);
  const outcome = move(db, { from, ranges, to }, context);
  const [first, last] = [outcome.to[0], outcome.to.at(-1)];
  if (first === undefined || last === undefined) return [];
  const range = { first, last };
  updateRetainedAt(db, to, range, context.now);
  updateRetained(db, to, outcome.to.length, sumOctets(db, to, range));
  const event = { at: context.now, kind: 'retained', fields: { ...fields, mailbox: 'Fetched' } } as const;
  const entries = { mailboxId: to, ranges: textOf([range]), uidField: 'uid', isOnlyRetained: true } as const;
  appendEntryEvents(db, entries, event);
  return outcome.from;
}

function markFetched(
  db: Connection,
  input: { readonly mailboxId: MailboxId; readonly ranges: readonly UidRange[] },
  context: JobContext,
): void {
  for (const range of input.ranges) updateFetchedAt(db, input.mailboxId, range, context.now);
}

/** Expunges a slice of what was retained long enough; answers how many. */
function expireRetained(db: Connection, input: ExpiryInput, context: JobContext): number {
  const uids = readRetainedUpTo(db, input.mailboxId, input.upTo);
  expire(db, input, rangesOf(uids), context);
  return uids.length;
}

/** Retains or expunges a slice of what was fetched long enough ago; answers how many. */
function expireFetched(
  db: Connection,
  input: ExpiryInput & { readonly isRetained: boolean },
  context: JobContext,
): number {
  const { mailboxId, upTo, fields, isRetained } = input;
  const uids = readFetchedUpTo(db, mailboxId, upTo);
  const ranges = rangesOf(uids);
  if (isRetained) retain(db, { from: mailboxId, ranges, fields }, context);
  else expire(db, input, ranges, context);
  return uids.length;
}

function expire(
  db: Connection,
  { mailboxId, fields }: ExpiryInput,
  ranges: readonly UidRange[],
  context: JobContext,
): void {
  const entries = { mailboxId, ranges: textOf(ranges), uidField: 'uid', isOnlyRetained: false } as const;
  appendEntryEvents(db, entries, { at: context.now, kind: 'expired', fields });
  expunge(db, { mailboxId, ranges, isOnlyDeleted: false }, context);
}

/**
 * The mailbox Fetched of the account that has the mailbox `from`. Where somebody has made one of that name already, it is that
 * one. It is not subscribed, so that a program that walks through LSUB does not fetch everything a second time.
 */
function takeFetchedMailbox(db: Connection, from: MailboxId, context: JobContext): MailboxId {
  const { accountId } = requireMailbox(db, from);
  const known = findMailboxId(db, accountId, FETCHED_MAILBOX);
  // An account that may have no more mailboxes shall not lose a QUIT by it.
  const unlimited = { ...context, mailboxesPerAccountLimit: Number.POSITIVE_INFINITY };
  return known ?? insertMailbox(db, accountId, FETCHED_MAILBOX, undefined, unlimited).id;
}

function rangesOf(uids: readonly Uid[]): readonly UidRange[] {
  return orderedRanges(uids.map((uid) => ({ first: uid, last: uid })));
}

/** As statements take them: `[[first, last], ...]`. */
function textOf(ranges: readonly UidRange[]): string {
  return JSON.stringify(ranges.map(({ first, last }) => [first, last]));
}

function sumOctets(db: Connection, mailboxId: MailboxId, range: UidRange): number {
  const octets = db.value<number>(
    'SELECT coalesce(sum(octets), 0) FROM entry WHERE mailbox_id = ? AND uid BETWEEN ? AND ?',
    mailboxId,
    range.first,
    range.last,
  );
  return octets ?? 0;
}

function updateRetainedAt(db: Connection, mailboxId: MailboxId, range: UidRange, at: UnixMs): void {
  db.run(
    'UPDATE entry SET retained_at = ? WHERE mailbox_id = ? AND uid BETWEEN ? AND ?',
    at,
    mailboxId,
    range.first,
    range.last,
  );
}

function updateRetained(db: Connection, mailboxId: MailboxId, messages: number, octets: number): void {
  db.run(
    'UPDATE mailbox SET retained = retained + ?, retained_octets = retained_octets + ? WHERE id = ?',
    messages,
    octets,
    mailboxId,
  );
}

function updateFetchedAt(db: Connection, mailboxId: MailboxId, range: UidRange, at: UnixMs): void {
  db.run(
    `UPDATE entry SET fetched_at = ?
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND fetched_at IS NULL`,
    at,
    mailboxId,
    range.first,
    range.last,
  );
}

function readRetainedUpTo(db: Connection, mailboxId: MailboxId, upTo: UnixMs): Uid[] {
  return db.column(
    `SELECT uid FROM entry
     WHERE mailbox_id = ? AND retained_at IS NOT NULL AND retained_at <= ?
     ORDER BY retained_at, uid LIMIT ?`,
    mailboxId,
    upTo,
    EXPIRY_SLICE_ENTRIES,
  );
}

function readFetchedUpTo(db: Connection, mailboxId: MailboxId, upTo: UnixMs): Uid[] {
  return db.column(
    `SELECT uid FROM entry
     WHERE mailbox_id = ? AND fetched_at IS NOT NULL AND fetched_at <= ?
     ORDER BY fetched_at, uid LIMIT ?`,
    mailboxId,
    upTo,
    EXPIRY_SLICE_ENTRIES,
  );
}
