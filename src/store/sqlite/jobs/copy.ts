/**
 * The jobs behind COPY and MOVE: entries of one mailbox become entries of another, by one INSERT for each range of UIDs.
 *
 * New UIDs go up in the order of the old ones (RFC 3501 section 6.4.7 says SHOULD). Keywords have other positions in the
 * other mailbox: the combinations that occur are few, and a map of them rides along as JSON. A moved content never becomes an
 * orphan; within one account a move takes no quota.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { MailboxId, ModSeq, Uid } from '../../../base/ids.ts';
import type { CopyOutcome, UidRange } from '../../contract/mailboxes.ts';
import type { Connection } from '../connection.ts';
import { bitsOf, type KeywordBits, positionsOf } from '../keywordBits.ts';
import { readKeywordNames } from '../mailboxReads.ts';
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
import { forgetOldExpunges, readUids, removeEntries, sumEntries } from './expunge.ts';
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
  if (source.accountId !== target.accountId) checkQuota(db, target.accountId, plan.sums.octets);
  const outcome = copyEntries(db, plan, target, context);
  if (outcome.from.length > 0) removeMoved(db, plan, outcome.from.length, context);
  return outcome;
}

/** What is to be copied, fixed before anything changes: in a copy into itself new entries would fall into open ranges. */
interface CopyPlan extends CopyInput {
  readonly sums: EntrySums;
}

function planOf(db: Connection, input: CopyInput, source: MailboxState): CopyPlan {
  const last = source.uidNext - 1;
  const ranges = input.ranges
    .filter((range) => range.first <= last)
    .map((range) => ({ first: range.first, last: Math.min(range.last, last) }));
  const sumsOf = (range: UidRange) => sumEntries(db, { mailboxId: input.from, range, flags: 0 });
  const sums = ranges.reduce((total, range) => addSums(total, sumsOf(range)), NO_SUMS);
  return { from: input.from, to: input.to, ranges, sums };
}

function copyEntries(db: Connection, plan: CopyPlan, target: MailboxState, context: JobContext): CopyOutcome {
  const from: Uid[] = [];
  const modSeq = nextModSeq(target);
  const keywordMap = JSON.stringify(mapKeywords(db, plan));
  for (const range of plan.ranges) {
    const uids = readUids(db, { mailboxId: plan.from, range, flags: 0 });
    if (uids.length === 0) continue;
    const copies = { firstUid: target.uidNext + from.length, modSeq, savedAt: context.now };
    insertCopies(db, plan, range, keywordMap, copies);
    for (const uid of uids) from.push(uid);
  }
  const to = from.map((_uid, index) => (target.uidNext + index) as Uid);
  if (from.length > 0)
    changeMailbox(db, plan.to, target, { modSeq, uids: from.length, delta: plan.sums }, context);
  return { uidValidity: target.uidValidity, from, to };
}

/** Takes the moved entries out of their old mailbox; its state is read anew, for a move into itself has changed it. */
function removeMoved(db: Connection, plan: CopyPlan, count: number, context: JobContext): void {
  const mailboxId = plan.from;
  const state = requireMailbox(db, mailboxId);
  const modSeq = nextModSeq(state);
  for (const range of plan.ranges) removeEntries(db, { mailboxId, range, flags: 0 }, modSeq);
  forgetOldExpunges(db, mailboxId, count);
  const delta = addSums(NO_SUMS, plan.sums, -1);
  changeMailbox(db, mailboxId, state, { modSeq, uids: 0, delta }, context);
}

type KeywordMapping = readonly [fromLow: number, fromHigh: number, toLow: number, toHigh: number];

/** How each combination of keywords that occurs is written in the target mailbox. */
function mapKeywords(db: Connection, plan: CopyPlan): readonly KeywordMapping[] {
  const combinations = new Map<string, KeywordBits>();
  for (const range of plan.ranges)
    for (const bits of readKeywordCombinations(db, plan.from, range))
      combinations.set(`${bits.low} ${bits.high}`, bits);
  if (combinations.size === 0) return [];
  const names = readKeywordNames(db, plan.from);
  return [...combinations.values()].map((bits) => {
    const keywords = positionsOf(bits).map((position) => names[position] ?? '');
    const { low, high } = bitsOf(keywordPositions(db, plan.to, keywords));
    return [bits.low, bits.high, low, high];
  });
}

function readKeywordCombinations(db: Connection, mailboxId: MailboxId, range: UidRange): KeywordBits[] {
  return db.all(
    `SELECT DISTINCT keywords_low AS low, keywords_high AS high FROM entry
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND (keywords_low <> 0 OR keywords_high <> 0)`,
    mailboxId,
    range.first,
    range.last,
  );
}

function insertCopies(
  db: Connection,
  plan: CopyPlan,
  range: UidRange,
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
     FROM entry
     LEFT JOIN keyword_map ON from_low = keywords_low AND from_high = keywords_high
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ?
     ORDER BY uid`,
    keywordMap,
    plan.to,
    copies.firstUid,
    copies.modSeq,
    copies.savedAt,
    plan.from,
    range.first,
    range.last,
  );
}
