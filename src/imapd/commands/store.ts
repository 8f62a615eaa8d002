/**
 * STORE and UID STORE (RFC 3501 section 6.4.6).
 *
 * The store combines flags itself, so that two sessions that add different keywords both keep theirs. Every message of the set
 * is answered, changed or not, unless .SILENT; what others changed is told even then.
 */

import { WireError } from '../../base/error.ts';
import { formatFetch, formatFlagsItem, formatUidItem } from '../../wire/imap/fetchData.ts';
import type { StoreArguments } from '../../wire/imap/store.ts';
import type { Entry, FlagOutcome, UidRange } from '../../store/contract/mailboxes.ts';
import { no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { flagNames, storedFlags } from '../flagNames.ts';
import { countMessages, messagesOf, uidRangesOf } from '../messageSet.ts';
import { readOnly } from '../readOnly.ts';
import type { Selection } from '../selection.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';
import { announceKeywords } from '../updates.ts';

/** Changes flags; `isUid` for UID STORE. */
export async function store(
  session: SessionContext,
  { selection }: SelectedState,
  args: StoreArguments,
  isUid: boolean,
): Promise<Completion> {
  if (args.unchangedSince !== undefined) throw new WireError(0, 'no UNCHANGEDSINCE');
  if (selection.isReadOnly) return readOnly();
  const messages = messagesOf(selection.view, args.set, isUid);
  const ranges = uidRangesOf(selection.view, messages);
  if (ranges.length === 0) return ok('STORE completed');
  // What others have changed so far is known before, so that the answer to .SILENT holds our own change alone.
  if (args.isSilent) await selection.pull();
  const { mailboxes } = session.server;
  const before = selection.view.modSeq;
  const outcome = await mailboxes.setFlags(selection.id, ranges, args.operation, storedFlags(args.flags));
  if (args.isSilent) {
    noteOwnChanges(selection, outcome, before);
    return ok('STORE completed');
  }
  const expected = countMessages(messages);
  const told = await tellFlags(session, selection, outcome, { ranges, expected, isUid });
  if (isUid || told === expected) return ok('STORE completed');
  return told === 0
    ? no('These messages have been expunged', 'EXPUNGEISSUED')
    : ok('Some of these messages have been expunged', 'EXPUNGEISSUED');
}

/**
 * The client knows its own change, which has one mod-sequence. When another change came between (the mod-sequence has made a
 * leap), the flags are told all the same: they may hold more than the client knows.
 */
function noteOwnChanges({ view }: Selection, { changed }: FlagOutcome, before: number): void {
  for (const entry of changed) if (entry.modSeq === before + 1) view.noteOwn(entry);
}

interface Told {
  readonly ranges: readonly UidRange[];
  readonly expected: number;
  readonly isUid: boolean;
}

/** Writes the flags of all messages in the ranges; answers how many there were. */
async function tellFlags(
  session: SessionContext,
  selection: Selection,
  { changed }: FlagOutcome,
  { ranges, expected, isUid }: Told,
): Promise<number> {
  if (changed.length === expected) {
    await writeFlags(session, selection, changed, isUid);
    return changed.length;
  }
  let count = 0;
  for (const range of ranges) {
    for await (const entries of session.server.mailboxes.entries(selection.id, range)) {
      await writeFlags(session, selection, entries, isUid);
      count += entries.length;
    }
  }
  return count;
}

async function writeFlags(
  session: SessionContext,
  selection: Selection,
  entries: readonly Entry[],
  isUid: boolean,
): Promise<void> {
  const { view } = selection;
  for (const entry of entries) {
    const number = view.numberOf(entry.uid);
    if (number === undefined) continue;
    announceKeywords(session.writer, selection, entry.flags.keywords);
    const flags = formatFlagsItem(flagNames(entry.flags, view.isRecent(entry.uid)));
    session.writer.write(formatFetch(number, isUid ? [formatUidItem(entry.uid), flags] : [flags]));
    view.noteTold(entry);
    if (session.writer.isFlushDue) await session.writer.flush();
    await session.pacer.breathe();
  }
}
