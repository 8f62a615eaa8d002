/**
 * A mailbox's kept counters, as jobs read and change them. Every change of entries goes through here, in the same
 * transaction, so that nothing ever has to be counted. Writer thread only.
 */

import { MailError } from '../../../base/error.ts';
import type { AccountId, MailboxId, ModSeq } from '../../../base/ids.ts';
import type { Connection } from '../connection.ts';
import { UID_LIMIT } from '../limits.ts';
import type { JobContext } from './context.ts';

/** What jobs need to know of a mailbox. */
export interface MailboxState {
  readonly accountId: AccountId;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModSeq: number;
}

/** Sums over some entries. */
export interface EntrySums {
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  readonly octets: number;
  readonly pop3Octets: number;
  /** Entries that are retained (contract/retention.ts), among `messages`. */
  readonly retained: number;
  readonly retainedOctets: number;
}

/** No entries. */
export const NO_SUMS: EntrySums = {
  messages: 0,
  unseen: 0,
  deleted: 0,
  octets: 0,
  pop3Octets: 0,
  retained: 0,
  retainedOctets: 0,
};

/** The mailbox. Errors: `mailboxMissing`. */
export function requireMailbox(db: Connection, mailboxId: MailboxId): MailboxState {
  const state = findMailboxState(db, mailboxId);
  if (state === undefined) throw new MailError('mailboxMissing');
  return state;
}

/** `one` and `other` together; `sign` -1 takes `other` off. */
export function addSums(one: EntrySums, other: EntrySums, sign: 1 | -1 = 1): EntrySums {
  return {
    messages: one.messages + sign * other.messages,
    unseen: one.unseen + sign * other.unseen,
    deleted: one.deleted + sign * other.deleted,
    octets: one.octets + sign * other.octets,
    pop3Octets: one.pop3Octets + sign * other.pop3Octets,
    retained: one.retained + sign * other.retained,
    retainedOctets: one.retainedOctets + sign * other.retainedOctets,
  };
}

/**
 * Changes the counters by `delta`, takes `uids` new UIDs, sets the mod-sequence and puts the mailbox on the feed.
 * Errors: `limit` when no UID is left.
 */
export function changeMailbox(
  db: Connection,
  mailboxId: MailboxId,
  state: MailboxState,
  change: { readonly modSeq: ModSeq; readonly uids: number; readonly delta: EntrySums },
  context: JobContext,
): void {
  if (state.uidNext + change.uids - 1 > UID_LIMIT)
    throw new MailError('limit', 'no UID is left in this mailbox');
  updateCounters(db, mailboxId, change.uids, change.modSeq, change.delta);
  context.publish({ kind: 'mailbox', mailboxId, modSeq: change.modSeq });
}

/** The mod-sequence that the next change of this mailbox has. */
export function nextModSeq(state: MailboxState): ModSeq {
  return (state.highestModSeq + 1) as ModSeq;
}

/** Refuses `octets` more in an account when that is above its quota. Errors: `overQuota`. */
export function checkQuota(db: Connection, accountId: AccountId, octets: number): void {
  const quota = findQuota(db, accountId);
  if (quota === undefined || quota === null) return;
  if (sumOctets(db, accountId) + octets > quota)
    throw new MailError('overQuota', 'the account would be over its quota');
}

function findMailboxState(db: Connection, mailboxId: MailboxId): MailboxState | undefined {
  return db.get(
    `SELECT account_id AS accountId, uid_validity AS uidValidity, uid_next AS uidNext,
       highest_modseq AS highestModSeq
     FROM mailbox WHERE id = ?`,
    mailboxId,
  );
}

function updateCounters(
  db: Connection,
  mailboxId: MailboxId,
  uids: number,
  modSeq: ModSeq,
  delta: EntrySums,
): void {
  db.run(
    `UPDATE mailbox
     SET uid_next = uid_next + ?, highest_modseq = ?, messages = messages + ?, unseen = unseen + ?,
       deleted = deleted + ?, octets = octets + ?, pop3_octets = pop3_octets + ?,
       retained = retained + ?, retained_octets = retained_octets + ?
     WHERE id = ?`,
    uids,
    modSeq,
    delta.messages,
    delta.unseen,
    delta.deleted,
    delta.octets,
    delta.pop3Octets,
    delta.retained,
    delta.retainedOctets,
    mailboxId,
  );
}

function findQuota(db: Connection, accountId: AccountId): number | null | undefined {
  return db.value('SELECT quota_octets FROM account WHERE id = ?', accountId);
}

function sumOctets(db: Connection, accountId: AccountId): number {
  const octets = db.value<number>(
    'SELECT coalesce(sum(octets - retained_octets), 0) FROM mailbox WHERE account_id = ?',
    accountId,
  );
  return octets ?? 0;
}
