/**
 * The jobs behind COPY and MOVE: entries of one mailbox become entries of another, by one INSERT. Ranges of UIDs ride along as
 * JSON: a client that names every other of 20,000 messages must not cost five statements each, for which deliveries would wait.
 *
 * New UIDs go up in the order of the old ones (RFC 3501 section 6.4.7 says SHOULD). Keywords have other positions in the
 * other mailbox: the combinations that occur are few, and a map of them is JSON as well. A moved content never becomes an
 * orphan; within one account a move takes no quota, but for retained entries, whose copies are retained no more.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { MailboxId, ModSeq, Uid } from '../../../base/ids.ts';
import type { CopyOutcome, UidRange } from '../../contract/mailboxes.ts';
import type { Connection } from '../connection.ts';
import { bitsOf, type KeywordBits, positionsOf } from '../keywordBits.ts';
import { readKeywordNames, readMailboxName } from '../mailboxReads.ts';
import type { JobContext } from './context.ts';
import {
  addSums,
  changeMailbox,
  checkQuota,
  type EntrySums,
  type MailboxState,
  NO_SUMS,
  nextModSeq,
  requireMailbox,
} from './counters.ts';
import { appendEntryEvents } from './entryEvents.ts';
import { forgetOldExpunges } from './expunge.ts';
import { keywordPositions } from './keywordRows.ts';

/** A COPY or MOVE as it comes over from the main thread; ranges are in order and apart. */
export interface CopyInput {
  readonly from: MailboxId;
  readonly ranges: readonly UidRange[];
  readonly to: MailboxId;
}

/** Jobs by name. */
export const COPY_JOBS = { copy, move } as const;

function copy(db: Connection, input: CopyInput, context: JobContext): CopyOutcome {
  const source = requireMailbox(db, input.from);
  const target = requireMailbox(db, input.to);
  const plan = planOf(db, input, source);
  checkQuota(db, target.accountId, plan.sums.octets);
  return copyEntries(db, plan, target, context);
}

/** Moves entries; exported for RENAME of the INBOX, which is a move. */
export function move(db: Connection, input: CopyInput, context: JobContext): CopyOutcome {
  const source = requireMailbox(db, input.from);
  const target = requireMailbox(db, input.to);
  const plan = planOf(db, input, source);
  const taken = source.accountId === target.accountId ? plan.sums.retainedOctets : plan.sums.octets;
  if (taken > 0) checkQuota(db, target.accountId, taken);
  const outcome = copyEntries(db, plan, target, context);
  if (outcome.from.length > 0) removeMoved(db, plan, context);
  return outcome;
}

/** What is to be copied, fixed before anything changes: in a copy into itself new entries would fall into open ranges. */
interface CopyPlan {
  readonly from: MailboxId;
  readonly to: MailboxId;
  /** `[[first, last], ...]`. */
  readonly ranges: string;
  readonly uids: readonly Uid[];
  readonly sums: EntrySums;
}

function planOf(db: Connection, { from, to, ranges: wanted }: CopyInput, source: MailboxState): CopyPlan {
  const lastUid = source.uidNext - 1;
  const ranges = JSON.stringify(
    wanted.filter(({ first }) => first <= lastUid).map(({ first, last }) => [first, Math.min(last, lastUid)]),
  );
  const uids = readUids(db, from, ranges);
  return { from, to, ranges, uids, sums: sumEntries(db, from, ranges) };
}

function copyEntries(db: Connection, plan: CopyPlan, target: MailboxState, context: JobContext): CopyOutcome {
  const { uids: from } = plan;
  const { uidValidity, uidNext } = target;
  if (from.length === 0) return { uidValidity, from: [], to: [] };
  const modSeq = nextModSeq(target);
  const keywordMap = JSON.stringify(mapKeywords(db, plan));
  insertCopies(db, plan, keywordMap, { firstUid: uidNext, modSeq, savedAt: context.now });
  const delta = { ...plan.sums, retained: 0, retainedOctets: 0 };
  changeMailbox(db, plan.to, target, { modSeq, uids: from.length, delta }, context);
  if (plan.sums.retained > 0) traceRestored(db, plan, context);
  return { uidValidity, from, to: from.map((_uid, index) => (uidNext + index) as Uid) };
}

/** Tells the traces of what was retained that it is back. */
function traceRestored(db: Connection, plan: CopyPlan, context: JobContext): void {
  const mailbox = readMailboxName(db, plan.to).join('/');
  const { from: mailboxId, ranges } = plan;
  const event = { at: context.now, kind: 'restored', fields: { mailbox } } as const;
  appendEntryEvents(db, { mailboxId, ranges, uidField: 'fetchedUid', isOnlyRetained: true }, event);
}

/** Takes the moved entries out of their old mailbox; its state is read anew, for a move into itself has changed it. */
function removeMoved(db: Connection, { from, ranges, uids, sums }: CopyPlan, context: JobContext): void {
  const state = requireMailbox(db, from);
  const modSeq = nextModSeq(state);
  insertExpunged(db, from, ranges, modSeq);
  deleteEntries(db, from, ranges);
  forgetOldExpunges(db, from, uids.length);
  changeMailbox(db, from, state, { modSeq, uids: 0, delta: addSums(NO_SUMS, sums, -1) }, context);
}

type KeywordMapping = readonly [fromLow: number, fromHigh: number, toLow: number, toHigh: number];

/** How each combination of keywords that occurs is written in the target mailbox. */
function mapKeywords(db: Connection, plan: CopyPlan): readonly KeywordMapping[] {
  const combinations = readKeywordCombinations(db, plan.from, plan.ranges);
  if (combinations.length === 0) return [];
  const names = readKeywordNames(db, plan.from);
  return combinations.map((bits) => {
    const keywords = positionsOf(bits).map((position) => names[position] ?? '');
    const { low, high } = bitsOf(keywordPositions(db, plan.to, keywords));
    return [bits.low, bits.high, low, high];
  });
}

function readUids(db: Connection, mailboxId: MailboxId, ranges: string): readonly Uid[] {
  return db.column(
    `SELECT uid FROM json_each(?) AS range
     CROSS JOIN entry ON mailbox_id = ? AND uid BETWEEN range.value ->> 0 AND range.value ->> 1
     ORDER BY uid`,
    ranges,
    mailboxId,
  );
}

function sumEntries(db: Connection, mailboxId: MailboxId, ranges: string): EntrySums {
  const sums = db.get<EntrySums>(
    `SELECT count(*) AS messages, coalesce(sum((flags & 1) = 0), 0) AS unseen,
       coalesce(sum((flags & 8) <> 0), 0) AS deleted, coalesce(sum(octets), 0) AS octets,
       coalesce(sum(pop3_octets), 0) AS pop3Octets, count(retained_at) AS retained,
       coalesce(sum(octets) FILTER (WHERE retained_at IS NOT NULL), 0) AS retainedOctets
     FROM json_each(?) AS range
     CROSS JOIN entry ON mailbox_id = ? AND uid BETWEEN range.value ->> 0 AND range.value ->> 1`,
    ranges,
    mailboxId,
  );
  return sums ?? NO_SUMS;
}

function readKeywordCombinations(
  db: Connection,
  mailboxId: MailboxId,
  ranges: string,
): readonly KeywordBits[] {
  return db.all(
    `SELECT DISTINCT keywords_low AS low, keywords_high AS high FROM json_each(?) AS range
     CROSS JOIN entry ON mailbox_id = ? AND uid BETWEEN range.value ->> 0 AND range.value ->> 1
     WHERE keywords_low <> 0 OR keywords_high <> 0`,
    ranges,
    mailboxId,
  );
}

function insertCopies(
  db: Connection,
  { from, to, ranges }: CopyPlan,
  keywordMap: string,
  copies: { readonly firstUid: number; readonly modSeq: ModSeq; readonly savedAt: UnixMs },
): void {
  db.run(
    `WITH keyword_map (from_low, from_high, to_low, to_high) AS MATERIALIZED (
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)
     )
     INSERT INTO entry (mailbox_id, uid, content_id, modseq, flags, keywords_low, keywords_high,
       internal_at, zone_minutes, octets, pop3_octets, saved_at)
     SELECT ?, ? - 1 + row_number() OVER (ORDER BY uid), content_id, ?, flags, coalesce(to_low, 0),
       coalesce(to_high, 0), internal_at, zone_minutes, octets, pop3_octets, ?
     FROM json_each(?) AS range
     CROSS JOIN entry ON mailbox_id = ? AND uid BETWEEN range.value ->> 0 AND range.value ->> 1
     LEFT JOIN keyword_map ON from_low = keywords_low AND from_high = keywords_high
     ORDER BY uid`,
    keywordMap,
    to,
    copies.firstUid,
    copies.modSeq,
    copies.savedAt,
    ranges,
    from,
  );
}

function insertExpunged(db: Connection, mailboxId: MailboxId, ranges: string, modSeq: ModSeq): void {
  db.run(
    `INSERT INTO expunged (mailbox_id, modseq, uid)
     SELECT mailbox_id, ?, uid FROM json_each(?) AS range
     CROSS JOIN entry ON mailbox_id = ? AND uid BETWEEN range.value ->> 0 AND range.value ->> 1
     ORDER BY uid`,
    modSeq,
    ranges,
    mailboxId,
  );
}

function deleteEntries(db: Connection, mailboxId: MailboxId, ranges: string): void {
  db.run(
    `DELETE FROM entry
     WHERE (mailbox_id, uid) IN (
       SELECT mailbox_id, uid FROM json_each(?) AS range
       CROSS JOIN entry ON mailbox_id = ? AND uid BETWEEN range.value ->> 0 AND range.value ->> 1
     )`,
    ranges,
    mailboxId,
  );
}
