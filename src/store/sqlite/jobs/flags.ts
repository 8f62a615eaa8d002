/**
 * The job behind IMAP STORE: flags of a mailbox's entries, by one UPDATE for each range of UIDs.
 *
 * All three operations are one formula: new = (old & keep) | set. Only entries that differ afterwards are touched and get
 * the new mod-sequence (RFC 7162 section 3.1); how the counters change is summed up before, over the same entries. Which
 * entries they were is read by whoever asked, by the new mod-sequence.
 */

import type { MailboxId, ModSeq, Uid } from '../../../base/ids.ts';
import { ALL_FLAGS, type FlagOperation, type Flags, type UidRange } from '../../contract/mailboxes.ts';
import type { Connection } from '../connection.ts';
import { ALL_KEYWORD_BITS, type KeywordBits } from '../keywordBits.ts';
import type { JobContext } from './context.ts';
import { addSums, changeMailbox, type EntrySums, NO_SUMS, nextModSeq, requireMailbox } from './counters.ts';
import type { FlagBits } from './entryRows.ts';
import { knownKeywords, takeKeywords } from './keywordRows.ts';

/** A STORE as it comes over from the main thread; ranges are in order and apart. */
export interface SetFlagsInput {
  readonly mailboxId: MailboxId;
  readonly ranges: readonly UidRange[];
  readonly operation: FlagOperation;
  readonly flags: Flags;
  readonly unchangedSince: number | undefined;
}

/** What it did. */
export interface SetFlagsOutput {
  /** The mod-sequence of the changed entries; undefined when none differs. */
  readonly modSeq: ModSeq | undefined;
  /** UIDs that were above `unchangedSince`. */
  readonly modified: readonly Uid[];
}

/** Jobs by name. */
export const FLAG_JOBS = { setFlags } as const;

/** New flags = (old & keep) | set. */
interface Formula {
  readonly keep: FlagBits;
  readonly set: FlagBits;
}

/** Which entries pass: those up to a mod-sequence and, for UNCHANGEDSINCE 0, those without these keywords. */
interface Bound {
  readonly modSeq: number;
  readonly absent: KeywordBits | undefined;
}

const NO_BITS: FlagBits = { system: 0, low: 0, high: 0 };

function setFlags(db: Connection, input: SetFlagsInput, context: JobContext): SetFlagsOutput {
  const { mailboxId, ranges } = input;
  const state = requireMailbox(db, mailboxId);
  const formula = formulaOf(db, input);
  const bound = boundOf(db, input);
  const isConditional = input.unchangedSince !== undefined;
  const modified = isConditional ? ranges.flatMap((range) => readModified(db, mailboxId, range, bound)) : [];
  const modSeq = nextModSeq(state);
  let delta: EntrySums = NO_SUMS;
  let changed = 0;
  for (const range of ranges) {
    delta = addSums(delta, readDelta(db, mailboxId, range, bound, formula));
    changed += updateFlags(db, mailboxId, range, bound, formula, modSeq);
  }
  if (changed === 0) return { modSeq: undefined, modified };
  changeMailbox(db, mailboxId, state, { modSeq, uids: 0, delta }, context);
  return { modSeq, modified };
}

function formulaOf(db: Connection, input: SetFlagsInput): Formula {
  const { mailboxId, operation } = input;
  const system = input.flags.system & ALL_FLAGS;
  if (operation === 'remove') {
    const { low, high } = knownKeywords(db, mailboxId, input.flags.keywords);
    return {
      keep: { system: ALL_FLAGS - system, low: ALL_KEYWORD_BITS - low, high: ALL_KEYWORD_BITS - high },
      set: NO_BITS,
    };
  }
  const set = { system, ...takeKeywords(db, mailboxId, input.flags.keywords) };
  const all = { system: ALL_FLAGS, low: ALL_KEYWORD_BITS, high: ALL_KEYWORD_BITS };
  return { keep: operation === 'add' ? all : NO_BITS, set };
}

/** RFC 7162 section 3.1.3: 0 fails where the flag exists, as system flags always do; a keyword that is not set does not. */
function boundOf(db: Connection, { mailboxId, operation, flags, unchangedSince }: SetFlagsInput): Bound {
  if (unchangedSince !== 0) return { modSeq: unchangedSince ?? Number.MAX_SAFE_INTEGER, absent: undefined };
  const mayBeAbsent = operation !== 'replace' && (flags.system & ALL_FLAGS) === 0;
  return { modSeq: 0, absent: mayBeAbsent ? knownKeywords(db, mailboxId, flags.keywords) : undefined };
}

/** The parameters of `+modseq <= ? OR (? AND keywords_low & ? = 0 AND keywords_high & ? = 0)`. */
function parametersOf({ modSeq, absent }: Bound): readonly [number, number, number, number] {
  return [modSeq, absent === undefined ? 0 : 1, absent?.low ?? 0, absent?.high ?? 0];
}

function readModified(db: Connection, mailboxId: MailboxId, range: UidRange, bound: Bound): Uid[] {
  return db.column(
    `SELECT uid FROM entry
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ?
       AND NOT (+modseq <= ? OR (? AND keywords_low & ? = 0 AND keywords_high & ? = 0))
     ORDER BY uid`,
    mailboxId,
    range.first,
    range.last,
    ...parametersOf(bound),
  );
}

/** How the counters change; bits 1 and 8 are FLAG.seen and FLAG.deleted. Entries that stay as they are add nothing. */
function readDelta(
  db: Connection,
  mailboxId: MailboxId,
  range: UidRange,
  bound: Bound,
  formula: Formula,
): EntrySums {
  const { keep, set } = formula;
  const row = db.get<{ readonly unseen: number; readonly deleted: number }>(
    `SELECT coalesce(sum((flags & 1) - (((flags & ?) | ?) & 1)), 0) AS unseen,
       coalesce(sum(((((flags & ?) | ?) & 8) - (flags & 8)) / 8), 0) AS deleted
     FROM entry
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ?
       AND (+modseq <= ? OR (? AND keywords_low & ? = 0 AND keywords_high & ? = 0))`,
    keep.system,
    set.system,
    keep.system,
    set.system,
    mailboxId,
    range.first,
    range.last,
    ...parametersOf(bound),
  );
  return { ...NO_SUMS, unseen: row?.unseen ?? 0, deleted: row?.deleted ?? 0 };
}

function updateFlags(
  db: Connection,
  mailboxId: MailboxId,
  range: UidRange,
  bound: Bound,
  formula: Formula,
  modSeq: ModSeq,
): number {
  const { keep, set } = formula;
  const bits = [keep.system, set.system, keep.low, set.low, keep.high, set.high];
  return db.run(
    `UPDATE entry
     SET flags = (flags & ?) | ?, keywords_low = (keywords_low & ?) | ?,
       keywords_high = (keywords_high & ?) | ?, modseq = ?
     WHERE mailbox_id = ? AND uid BETWEEN ? AND ?
       AND (+modseq <= ? OR (? AND keywords_low & ? = 0 AND keywords_high & ? = 0))
       AND (flags <> ((flags & ?) | ?) OR keywords_low <> ((keywords_low & ?) | ?)
         OR keywords_high <> ((keywords_high & ?) | ?))`,
    ...bits,
    modSeq,
    mailboxId,
    range.first,
    range.last,
    ...parametersOf(bound),
    ...bits,
  );
}
