/**
 * Reads of entries, in slices by key range: each is one short statement, and the next one begins behind its last key.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { ContentId, MailboxId, ModSeq, Uid } from '../../base/ids.ts';
import type { Entry, EntryFlags } from '../contract/mailboxes.ts';
import type { Connection } from './connection.ts';
import { positionsOf } from './keywordBits.ts';
import { ENTRY_SLICE_ROWS } from './limits.ts';
import { readKeywordNames } from './mailboxReads.ts';

type EntryTuple = readonly [
  uid: Uid,
  contentId: ContentId,
  modSeq: ModSeq,
  system: number,
  keywordsLow: number,
  keywordsHigh: number,
  at: UnixMs,
  zoneMinutes: number,
  octets: number,
  pop3Octets: number,
  savedAt: UnixMs | null,
];

type FlagsTuple = readonly [
  uid: Uid,
  modSeq: ModSeq,
  system: number,
  keywordsLow: number,
  keywordsHigh: number,
];

/** A UID, and when something happened to it. */
export interface UidAndModSeq {
  readonly modSeq: ModSeq;
  readonly uid: Uid;
}

const NO_KEYWORDS: readonly string[] = [];

/** The next entries from `first` to `last`, in UID order, at most ENTRY_SLICE_ROWS. */
export function readEntries(
  db: Connection,
  mailboxId: MailboxId,
  first: number,
  last: number,
): readonly Entry[] {
  const tuples = db.tuples<EntryTuple>(
    `SELECT uid, content_id, modseq, flags, keywords_low, keywords_high, internal_at, zone_minutes,
       octets, pop3_octets, saved_at
     FROM entry WHERE mailbox_id = ? AND uid BETWEEN ? AND ?
     ORDER BY uid LIMIT ?`,
    mailboxId,
    first,
    last,
    ENTRY_SLICE_ROWS,
  );
  return entriesOf(db, mailboxId, tuples);
}

/** The same of their flags alone: most of the time goes into the columns. */
export function readFlags(
  db: Connection,
  mailboxId: MailboxId,
  first: number,
  last: number,
): readonly EntryFlags[] {
  const tuples = db.tuples<FlagsTuple>(
    `SELECT uid, modseq, flags, keywords_low, keywords_high
     FROM entry WHERE mailbox_id = ? AND uid BETWEEN ? AND ?
     ORDER BY uid LIMIT ?`,
    mailboxId,
    first,
    last,
    ENTRY_SLICE_ROWS,
  );
  return flagsOf(db, mailboxId, tuples);
}

/** Flags of the next changed entries behind (`modSeq`, `uid`) and up to `upTo`, in this order, at most ENTRY_SLICE_ROWS. */
export function readChangedFlags(
  db: Connection,
  mailboxId: MailboxId,
  modSeq: number,
  uid: number,
  upTo: number,
): readonly EntryFlags[] {
  const tuples = db.tuples<FlagsTuple>(
    `SELECT uid, modseq, flags, keywords_low, keywords_high
     FROM entry WHERE mailbox_id = ? AND (modseq, uid) > (?, ?) AND modseq <= ?
     ORDER BY modseq, uid LIMIT ?`,
    mailboxId,
    modSeq,
    uid,
    upTo,
    ENTRY_SLICE_ROWS,
  );
  return flagsOf(db, mailboxId, tuples);
}

/** The same without what the entries hold. */
export function readChangedUids(
  db: Connection,
  mailboxId: MailboxId,
  modSeq: number,
  uid: number,
  upTo: number,
): readonly UidAndModSeq[] {
  return db.all(
    `SELECT modseq AS modSeq, uid FROM entry
     WHERE mailbox_id = ? AND (modseq, uid) > (?, ?) AND modseq <= ?
     ORDER BY modseq, uid LIMIT ?`,
    mailboxId,
    modSeq,
    uid,
    upTo,
    ENTRY_SLICE_ROWS,
  );
}

/** The next expunges behind (`modSeq`, `uid`) and up to `upTo`, in this order, at most ENTRY_SLICE_ROWS. */
export function readExpunged(
  db: Connection,
  mailboxId: MailboxId,
  modSeq: number,
  uid: number,
  upTo: number,
): readonly UidAndModSeq[] {
  return db.all(
    `SELECT modseq AS modSeq, uid FROM expunged
     WHERE mailbox_id = ? AND (modseq, uid) > (?, ?) AND modseq <= ?
     ORDER BY modseq, uid LIMIT ?`,
    mailboxId,
    modSeq,
    uid,
    upTo,
    ENTRY_SLICE_ROWS,
  );
}

function entriesOf(db: Connection, mailboxId: MailboxId, tuples: readonly EntryTuple[]): readonly Entry[] {
  const hasKeywords = tuples.some(([, , , , low, high]) => low !== 0 || high !== 0);
  const names = hasKeywords ? readKeywordNames(db, mailboxId) : NO_KEYWORDS;
  return tuples.map((tuple) => entryOf(tuple, names));
}

function entryOf(tuple: EntryTuple, names: readonly string[]): Entry {
  const [uid, contentId, modSeq, system, low, high, at, zoneMinutes, octets, pop3Octets, saved] = tuple;
  const keywords = low === 0 && high === 0 ? NO_KEYWORDS : namesOf(low, high, names);
  const internalDate = { at, zoneMinutes };
  const flags = { system, keywords };
  const savedAt = saved ?? undefined;
  return { uid, contentId, flags, modSeq, internalDate, octets, pop3Octets, savedAt };
}

function flagsOf(db: Connection, mailboxId: MailboxId, tuples: readonly FlagsTuple[]): readonly EntryFlags[] {
  const hasKeywords = tuples.some(([, , , low, high]) => low !== 0 || high !== 0);
  const names = hasKeywords ? readKeywordNames(db, mailboxId) : NO_KEYWORDS;
  return tuples.map(([uid, modSeq, system, low, high]) => {
    const keywords = low === 0 && high === 0 ? NO_KEYWORDS : namesOf(low, high, names);
    return { uid, flags: { system, keywords }, modSeq };
  });
}

function namesOf(low: number, high: number, names: readonly string[]): readonly string[] {
  return positionsOf({ low, high })
    .map((position) => names[position])
    .filter((name) => name !== undefined);
}
