/**
 * The Mailboxes view of the SQLite store: reads in the main thread, in slices; changes as jobs of the writer.
 */

import { MailError } from '../../base/error.ts';
import type { MailboxId, Uid } from '../../base/ids.ts';
import { yieldTurn } from '../../base/pacer.ts';
import type {
  Appendix,
  CopyOutcome,
  EntryFlags,
  Flags,
  FlagOperation,
  FlagOutcome,
  MailboxChanges,
  Mailboxes,
  MailboxStatus,
  UidRange,
} from '../contract/mailboxes.ts';
import type { Connection } from './connection.ts';
import type { Drafts } from './drafts.ts';
import { readChangedFlags, readChangedUids, readEntries, readExpunged, readFlags } from './entryReads.ts';
import type { Holds } from './holds.ts';
import type { Lifetime } from './lifetime.ts';
import { ENTRY_SLICE_ROWS, KEYWORDS_PER_MAILBOX, UID_LIMIT } from './limits.ts';
import {
  readMailbox,
  readMailboxes,
  readModSeqs,
  readStatus,
  readSubscriptions,
  readUsage,
} from './mailboxReads.ts';
import { ALL_UIDS, orderedRanges, rangesFrom, withinRanges } from './ranges.ts';
import type { Reader } from './reader.ts';
import { createRetention } from './retention.ts';
import type { Writer } from './writer/client.ts';

/** What the view works with. */
export interface MailboxesOptions {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly drafts: Drafts;
  readonly holds: Holds;
  readonly lifetime: Lifetime;
}

/** The Mailboxes of an open store. */
export function createMailboxes(options: MailboxesOptions): Mailboxes {
  const { reader, writer, holds, lifetime } = options;
  return {
    keywordLimit: KEYWORDS_PER_MAILBOX,
    list: async (accountId) => reader.read((db) => readMailboxes(db, accountId)),
    find: async (accountId, name) => reader.read((db) => readMailbox(db, accountId, name)),
    create: (accountId, name, specialUse) =>
      lifetime.run(() => writer.run('createMailbox', { accountId, name, specialUse })),
    remove: (accountId, name) => lifetime.run(() => writer.run('removeMailbox', { accountId, name })),
    rename: (accountId, from, to) => lifetime.run(() => writer.run('renameMailbox', { accountId, from, to })),
    subscriptions: async (accountId) => reader.read((db) => readSubscriptions(db, accountId)),
    setSubscribed: (accountId, name, isSubscribed) =>
      lifetime.run(() => writer.run('setSubscribed', { accountId, name, isSubscribed })),
    status: async (mailboxId) => requireStatus(reader, mailboxId),
    claimRecent: (mailboxId) => lifetime.run(() => claimRecent(options, mailboxId)),
    entries: (mailboxId, range) => readSlices(reader, readEntries, mailboxId, range),
    flags: (mailboxId, range) => readSlices(reader, readFlags, mailboxId, range),
    changes: (mailboxId, since) => lifetime.run(() => readChanges(reader, mailboxId, since)),
    changedUids: (mailboxId, since) => lifetime.run(() => readAllChangedUids(reader, mailboxId, since)),
    expungedUids: (mailboxId, since) => lifetime.run(() => readAllExpunged(reader, mailboxId, since)),
    usage: async (accountId) => reader.read((db) => readUsage(db, accountId)),
    append: (mailboxId, appendices) => lifetime.run(() => append(options, mailboxId, appendices)),
    setFlags: (mailboxId, ranges, operation, flags, unchangedSince) =>
      lifetime.run(() => setFlags(options, mailboxId, ranges, operation, flags, unchangedSince)),
    expunge: (mailboxId, ranges, isOnlyDeleted) =>
      lifetime.run(() => expunge(options, mailboxId, orderedRanges(ranges ?? ALL_UIDS), isOnlyDeleted)),
    copy: (from, ranges, to) =>
      lifetime.run(() => writer.run('copy', { from, ranges: orderedRanges(ranges), to })),
    move: (from, ranges, to) =>
      lifetime.run(() => writer.run('move', { from, ranges: orderedRanges(ranges), to })),
    hold: () => holds.take(),
    ...createRetention(options),
  };
}

function requireStatus(reader: Reader, mailboxId: MailboxId): MailboxStatus {
  const status = reader.read((db) => db.snapshot(() => readStatus(db, mailboxId)));
  if (status === undefined) throw new MailError('mailboxMissing');
  return status;
}

/** Costs no commit where nothing is \Recent, as in most polls. */
async function claimRecent(options: MailboxesOptions, mailboxId: MailboxId): Promise<MailboxStatus> {
  const status = requireStatus(options.reader, mailboxId);
  if (status.firstRecentUid >= status.uidNext) return status;
  return options.writer.run('claimRecent', { mailboxId });
}

async function* readSlices<Read extends EntryFlags>(
  reader: Reader,
  readSlice: (db: Connection, mailboxId: MailboxId, first: number, last: number) => readonly Read[],
  mailboxId: MailboxId,
  range: UidRange,
): AsyncGenerator<readonly Read[]> {
  requireModSeqs(reader, mailboxId);
  const last = Math.min(range.last, UID_LIMIT);
  let first = Math.max(range.first, 1);
  while (first <= last) {
    const next = first;
    const slice = reader.read((db) => db.snapshot(() => readSlice(db, mailboxId, next, last)));
    if (slice.length > 0) yield slice;
    if (slice.length < ENTRY_SLICE_ROWS) return;
    first = (slice.at(-1)?.uid ?? last) + 1;
    await yieldTurn();
  }
}

/** Reaches up to the mod-sequence at its start: what changes while it reads is for the next question. */
async function readChanges(reader: Reader, mailboxId: MailboxId, since: number): Promise<MailboxChanges> {
  const { highest } = requireModSeqs(reader, mailboxId);
  const changed = await readChangedSince(reader, mailboxId, since, highest);
  const history = await readExpungedSince(reader, mailboxId, since, highest);
  return { changed, ...history, highestModSeq: highest };
}

async function readAllChangedUids(
  reader: Reader,
  mailboxId: MailboxId,
  since: number,
): Promise<readonly Uid[]> {
  const { highest } = requireModSeqs(reader, mailboxId);
  return readUidsSince(reader, readChangedUids, mailboxId, since, highest);
}

async function readAllExpunged(
  reader: Reader,
  mailboxId: MailboxId,
  since: number,
): Promise<Pick<MailboxChanges, 'expunged' | 'isComplete'>> {
  const { highest } = requireModSeqs(reader, mailboxId);
  return readExpungedSince(reader, mailboxId, since, highest);
}

/** The floor is asked for last: expunges may be forgotten between two slices. */
async function readExpungedSince(
  reader: Reader,
  mailboxId: MailboxId,
  since: number,
  upTo: number,
): Promise<Pick<MailboxChanges, 'expunged' | 'isComplete'>> {
  const expunged = await readUidsSince(reader, readExpunged, mailboxId, since, upTo);
  const { floor } = requireModSeqs(reader, mailboxId);
  return { expunged, isComplete: since >= floor };
}

async function readChangedSince(
  reader: Reader,
  mailboxId: MailboxId,
  since: number,
  upTo: number,
): Promise<readonly EntryFlags[]> {
  const changed: EntryFlags[] = [];
  for (let modSeq = since, uid: number = UID_LIMIT; ; ) {
    const key = { modSeq, uid };
    const slice = reader.read((db) =>
      db.snapshot(() => readChangedFlags(db, mailboxId, key.modSeq, key.uid, upTo)),
    );
    for (const entry of slice) changed.push(entry);
    const last = slice.at(-1);
    if (last === undefined || slice.length < ENTRY_SLICE_ROWS) break;
    ({ modSeq, uid } = last);
    await yieldTurn();
  }
  return changed.sort((one, other) => one.uid - other.uid);
}

async function readUidsSince(
  reader: Reader,
  readSlice: typeof readExpunged,
  mailboxId: MailboxId,
  since: number,
  upTo: number,
): Promise<readonly Uid[]> {
  const uids: Uid[] = [];
  for (let modSeq = since, uid: number = UID_LIMIT; ; ) {
    const key = { modSeq, uid };
    const slice = reader.read((db) => readSlice(db, mailboxId, key.modSeq, key.uid, upTo));
    for (const row of slice) uids.push(row.uid);
    const last = slice.at(-1);
    if (last === undefined || slice.length < ENTRY_SLICE_ROWS) break;
    ({ modSeq, uid } = last);
    await yieldTurn();
  }
  // Sorted as numbers in a row: many times faster than by comparing two at a time, and there may be 100,000.
  return Array.from(Uint32Array.from(uids).sort()) as Uid[];
}

function requireModSeqs(reader: Reader, mailboxId: MailboxId): NonNullable<ReturnType<typeof readModSeqs>> {
  const modSeqs = reader.read((db) => readModSeqs(db, mailboxId));
  if (modSeqs === undefined) throw new MailError('mailboxMissing');
  return modSeqs;
}

function append(
  { writer, drafts }: MailboxesOptions,
  mailboxId: MailboxId,
  appendices: readonly Appendix[],
): Promise<CopyOutcome> {
  const sources = appendices.map(({ draft }) => draft);
  return drafts.seal(sources, (ends, freight) => {
    const items = appendices.flatMap(({ flags, internalDate }, index) => {
      const draft = ends[index];
      return draft === undefined ? [] : [{ draft, flags, internalDate }];
    });
    return writer.run('append', { mailboxId, items }, freight);
  });
}

/** Slice by slice: what comes in between is committed between. */
async function expunge(
  { writer }: MailboxesOptions,
  mailboxId: MailboxId,
  ranges: readonly UidRange[],
  isOnlyDeleted: boolean,
): Promise<readonly Uid[]> {
  const expunged: Uid[] = [];
  let rest = ranges;
  while (rest.length > 0) {
    const { uids, next } = await writer.run('expunge', { mailboxId, ranges: rest, isOnlyDeleted });
    for (const uid of uids) expunged.push(uid);
    rest = next === undefined ? [] : rangesFrom(rest, next);
  }
  return expunged;
}

/** The changed entries are read here, by the job's mod-sequence: thousands of them would be slow to hand over. */
async function setFlags(
  { reader, writer }: MailboxesOptions,
  mailboxId: MailboxId,
  uids: readonly UidRange[],
  operation: FlagOperation,
  flags: Flags,
  unchangedSince: number | undefined,
): Promise<FlagOutcome> {
  const ranges = orderedRanges(uids);
  const input = { mailboxId, ranges, operation, flags, unchangedSince };
  const { modSeq, modified } = await writer.run('setFlags', input);
  if (modSeq === undefined) return { changed: [], modified };
  const later = await readChangedSince(reader, mailboxId, modSeq - 1, Number.MAX_SAFE_INTEGER);
  return { changed: withinRanges(later, ranges), modified };
}
