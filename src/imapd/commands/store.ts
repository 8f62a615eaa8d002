/**
 * STORE and UID STORE (RFC 3501 section 6.4.6), with UNCHANGEDSINCE (RFC 7162 section 3.1.3).
 *
 * The store combines flags itself, so that two sessions that add different keywords both keep theirs. Every message of the set
 * is answered, changed or not, unless .SILENT; what others changed is told even then. Once CONDSTORE is on, .SILENT tells the
 * new mod-sequences. Messages that UNCHANGEDSINCE left alone are named by MODIFIED, and their flags told as they are.
 * Deviates from RFC 7162 section 3.1.12 (SHOULD): any change of a message fails the test, not only one of the same flags,
 * because an entry has one mod-sequence.
 */

import type { Uid } from '../../base/ids.ts';
import { formatModified } from '../../wire/imap/responseCode.ts';
import type { NumberRange } from '../../wire/imap/sequenceSet.ts';
import type { StoreArguments } from '../../wire/imap/store.ts';
import type { EntryFlags, FlagOutcome } from '../../store/contract/mailboxes.ts';
import { no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { flagsOf } from '../messageEntries.ts';
import { storedFlags } from '../flagNames.ts';
import { countMessages, messagesOf, uidRangesOf } from '../messageSet.ts';
import { readOnly } from '../readOnly.ts';
import type { Selection } from '../selection.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';
import { writeFlags, writeModSeq } from '../updates.ts';

/** Changes flags; `isUid` for UID STORE. */
export async function store(
  session: SessionContext,
  { selection }: SelectedState,
  args: StoreArguments,
  isUid: boolean,
): Promise<Completion> {
  const { set, operation, flags, isSilent, unchangedSince } = args;
  if (unchangedSince !== undefined) session.enable('CONDSTORE');
  if (selection.isReadOnly) return readOnly();
  const messages = messagesOf(selection.view, set, isUid);
  const ranges = uidRangesOf(selection.view, messages);
  if (ranges.length === 0) return ok('STORE completed');
  // What others have changed so far is known before, so that the answer to .SILENT holds our own change alone.
  if (isSilent) await selection.pull();
  const before = selection.view.modSeq;
  const { mailboxes } = session.server;
  const outcome = await mailboxes.setFlags(
    selection.id,
    ranges,
    operation,
    storedFlags(flags),
    unchangedSince,
  );
  const run: StoreRun = {
    session,
    selection,
    outcome,
    isUid,
    isSilent,
    knownModSeq: knownAfter(outcome, before),
  };
  if (isSilent && !session.enabled.has('CONDSTORE')) {
    await noteOwnChanges(run);
    return ok('STORE completed');
  }
  const isWhole = isSilent && unchangedSince === undefined;
  const expected = isWhole ? outcome.changed.length : countMessages(messages);
  const told = await tellOutcome(run, messages, expected);
  return completionFor(run, told, expected);
}

/** A STORE that has been done and is to be answered. */
interface StoreRun {
  readonly session: SessionContext;
  readonly selection: Selection;
  readonly outcome: FlagOutcome;
  readonly isUid: boolean;
  readonly isSilent: boolean;
  /** The client knows the flags of entries up to here: by what it was told, and by what it has just done. */
  readonly knownModSeq: number;
}

/**
 * The client knows its own change, which has one mod-sequence. When another change came between (the mod-sequence has made a
 * leap), the flags are told all the same: they may hold more than the client knows.
 */
function knownAfter({ changed }: FlagOutcome, before: number): number {
  return changed.some(({ modSeq }) => modSeq === before + 1) ? before + 1 : before;
}

async function noteOwnChanges({ session, selection, outcome, knownModSeq }: StoreRun): Promise<void> {
  for (const entry of outcome.changed) {
    if (entry.modSeq > knownModSeq) selection.touch();
    else selection.view.noteOwn(entry);
    if (session.pacer.isDue) await session.pacer.breathe();
  }
}

function completionFor({ selection, outcome, isUid }: StoreRun, told: number, expected: number): Completion {
  const { modified } = outcome;
  if (modified.length > 0) {
    const numbers = isUid ? modified : modified.map((uid) => selection.view.numberOf(uid) ?? 0);
    return ok('Some of these messages have changed since, and were left alone', formatModified(numbers));
  }
  if (isUid || told >= expected) return ok('STORE completed');
  return told === 0
    ? no('These messages have been expunged', 'EXPUNGEISSUED')
    : ok('Some of these messages have been expunged', 'EXPUNGEISSUED');
}

/** Answers the messages; answers how many there were. */
async function tellOutcome(
  run: StoreRun,
  messages: readonly NumberRange[],
  expected: number,
): Promise<number> {
  const { changed, modified } = run.outcome;
  const left: ReadonlySet<Uid> = new Set(modified);
  if (changed.length === expected) {
    await tellEntries(run, changed, left);
    return changed.length;
  }
  let count = 0;
  for await (const entries of flagsOf(run.session, run.selection, messages)) {
    await tellEntries(run, entries, left);
    count += entries.length;
  }
  return count;
}

async function tellEntries(
  run: StoreRun,
  entries: readonly EntryFlags[],
  left: ReadonlySet<Uid>,
): Promise<void> {
  const { session } = run;
  for (const entry of entries) {
    if (run.isSilent && !left.has(entry.uid)) tellModSeq(run, entry);
    else tellFlags(run, entry);
    if (session.writer.isFlushDue) await session.writer.flush();
    if (session.pacer.isDue) await session.pacer.breathe();
  }
}

function tellFlags({ session, selection, isUid }: StoreRun, entry: EntryFlags): void {
  writeFlags(session, selection, entry, isUid);
  selection.view.noteTold(entry);
}

/** What others have changed as well is told with its flags, before the completion. */
function tellModSeq({ session, selection, knownModSeq }: StoreRun, entry: EntryFlags): void {
  if (entry.modSeq > knownModSeq) selection.touch();
  else if (!selection.view.noteOwn(entry)) writeModSeq(session, selection, entry);
}
