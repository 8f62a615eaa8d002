/**
 * Tells the client what changed in its mailbox: EXPUNGE or VANISHED, EXISTS, RECENT, FLAGS, FETCH (RFC 3501 sections 5.2 and
 * 7, RFC 7162 sections 3.2.4 and 3.2.10).
 *
 * The view says what and in which order; keywords that the client has not heard of are announced first.
 */

import type { Uid } from '../base/ids.ts';
import { formatFetch, formatModSeqItem, formatUidItem } from '../wire/imap/fetchData.ts';
import { SYSTEM_FLAGS } from '../wire/imap/flags.ts';
import { formatPermanentFlags } from '../wire/imap/responseCode.ts';
import {
  formatExists,
  formatExpunge,
  formatFlags,
  formatRecent,
  formatUntagged,
} from '../wire/imap/responses.ts';
import { rangesOfNumbers } from '../wire/imap/sequenceSet.ts';
import type { EntryFlags } from '../store/contract/mailboxes.ts';
import { flagsItemOf } from './flagNames.ts';
import type { ResponseWriter } from './responseWriter.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';
import { writeVanished } from './vanished.ts';
import type { ViewUpdate } from './view.ts';

/** Writes `updates` of `selection`, of which there may be thousands. With `isUid`, FETCH names the UID. */
export async function writeUpdates(
  session: SessionContext,
  selection: Selection,
  updates: readonly ViewUpdate[],
  isUid: boolean,
): Promise<void> {
  const { writer, pacer } = session;
  const vanishedCount = session.enabled.has('QRESYNC')
    ? await writeExpungesAsVanished(session, selection, updates)
    : 0;
  for (const update of updates.slice(vanishedCount)) {
    if (update.kind === 'flags') writeFlags(session, selection, update, isUid);
    else writer.write(formatUpdate(update));
    if (writer.isFlushDue) await writer.flush();
    if (pacer.isDue) await pacer.breathe();
  }
}

/** Writes the flags of a message that the client did not ask for; once CONDSTORE is on, with UID and MODSEQ (section 3.2.4). */
export function writeFlags(
  session: SessionContext,
  selection: Selection,
  { uid, flags, modSeq }: EntryFlags,
  isUid: boolean,
): void {
  const { view } = selection;
  const number = view.numberOf(uid);
  if (number === undefined) return;
  announceKeywords(session.writer, selection, flags.keywords);
  const flagsItem = flagsItemOf(flags, view.isRecent(uid));
  session.writer.write(formatFetch(number, itemsWith(session, selection, { uid, modSeq }, isUid, flagsItem)));
}

/** Writes a message's mod-sequence, of a change that the client has made itself and did not want to hear of. */
export function writeModSeq(
  session: SessionContext,
  selection: Selection,
  entry: Pick<EntryFlags, 'uid' | 'modSeq'>,
): void {
  const number = selection.view.numberOf(entry.uid);
  if (number !== undefined)
    session.writer.write(formatFetch(number, itemsWith(session, selection, entry, true)));
}

function itemsWith(
  session: SessionContext,
  { clientModSeq }: Selection,
  { uid, modSeq }: Pick<EntryFlags, 'uid' | 'modSeq'>,
  isUid: boolean,
  ...items: readonly string[]
): readonly string[] {
  if (!session.enabled.has('CONDSTORE')) return isUid ? [formatUidItem(uid), ...items] : items;
  clientModSeq.noteItem(modSeq);
  return [formatUidItem(uid), ...items, formatModSeqItem(modSeq)];
}

/** The expunges, which come first, in one VANISHED; answers how many they were. */
async function writeExpungesAsVanished(
  session: SessionContext,
  { clientModSeq }: Selection,
  updates: readonly ViewUpdate[],
): Promise<number> {
  const uids: Uid[] = [];
  for (const update of updates) {
    if (update.kind !== 'expunge') break;
    uids.push(update.uid);
  }
  if (uids.length > 0) clientModSeq.noteVanished();
  await writeVanished(session, [rangesOfNumbers(uids)], false);
  return uids.length;
}

/** Writes FLAGS and PERMANENTFLAGS when one of `keywords` is new to the client. */
export function announceKeywords(
  writer: ResponseWriter,
  selection: Selection,
  keywords: readonly string[],
): void {
  if (selection.keywords.add(keywords)) writeFlagNames(writer, selection);
}

/** Writes FLAGS and PERMANENTFLAGS as they stand. A mailbox that is read-only keeps none; one that is full, no new keywords. */
export function writeFlagNames(writer: ResponseWriter, { keywords, isReadOnly }: Selection): void {
  const names = [...SYSTEM_FLAGS, ...keywords.names];
  const permanent = keywords.takesNew ? [...names, '\\*'] : names;
  const text = isReadOnly ? 'No permanent flags permitted' : 'Flags permitted';
  writer.write(formatFlags(names));
  writer.write(formatUntagged('OK', text, formatPermanentFlags(isReadOnly ? [] : permanent)));
}

function formatUpdate(update: Exclude<ViewUpdate, { readonly kind: 'flags' }>): string {
  switch (update.kind) {
    case 'expunge':
      return formatExpunge(update.number);
    case 'exists':
      return formatExists(update.count);
    case 'recent':
      return formatRecent(update.count);
  }
}
