/**
 * FETCH and UID FETCH (RFC 3501 section 6.4.5), with CHANGEDSINCE and VANISHED (RFC 7162 sections 3.1.4 and 3.2.6).
 *
 * New messages are told first, so that `5:*` means what the client sees. Messages are read and answered in batches; those that
 * become \Seen are flagged once their batch has been handed to the socket, so that a client that loses its connection finds
 * what it has not got still unseen. Once CONDSTORE is on they are told again then, with the new mod-sequence.
 */

import { asMailError, WireError } from '../../base/error.ts';
import { FETCH_END, formatFetchStart, formatModSeqItem, formatUidItem } from '../../wire/imap/fetchData.ts';
import type { FetchArguments } from '../../wire/imap/fetch.ts';
import { resolveSequenceSet } from '../../wire/imap/sequenceSet.ts';
import type { NumberRange } from '../../wire/imap/sequenceSet.ts';
import { FLAG } from '../../store/contract/mailboxes.ts';
import type { Entry, EntryFlags } from '../../store/contract/mailboxes.ts';
import { changedEntries } from '../changedEntries.ts';
import { completionOf, no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { entriesOf, flagsOf } from '../messageEntries.ts';
import { flagsItemOf } from '../flagNames.ts';
import { writeMessage } from '../fetchMessage.ts';
import type { FetchedMessage } from '../fetchMessage.ts';
import { planFetch } from '../fetchPlan.ts';
import type { FetchPlan } from '../fetchPlan.ts';
import { FETCH_BATCH_MESSAGES, FETCH_BATCH_OCTETS } from '../limits.ts';
import { writeFromMemory } from '../messageInMemory.ts';
import { countMessages, messagesOf } from '../messageSet.ts';
import type { Selection } from '../selection.ts';
import type { SessionContext } from '../sessionContext.ts';
import { SessionEnd } from '../sessionEnd.ts';
import type { SelectedState } from '../sessionState.ts';
import { announceKeywords, writeFlags } from '../updates.ts';
import { goneSince, writeVanished } from '../vanished.ts';

/** `*` among UIDs that may be gone: none is above it. */
const UID_MAX = 0xffff_ffff;

/** Tells data of messages; `isUid` for UID FETCH. */
export async function fetch(
  session: SessionContext,
  { account, selection }: SelectedState,
  args: FetchArguments,
  isUid: boolean,
): Promise<Completion> {
  const plan = planFetch(args, isUid);
  if (plan.items.some(({ kind }) => kind === 'preview')) {
    session.log.debug('imapd.preview.asked', { address: account.address }); // RFC 8970 section 8: who costs that much
  }
  if (args.isVanished && !(isUid && session.enabled.has('QRESYNC'))) {
    throw new WireError(0, 'VANISHED in UID FETCH after ENABLE QRESYNC');
  }
  if (plan.tellsModSeq) session.enable('CONDSTORE');
  await session.tellUpdates({ mayExpunge: false, isUid });
  const messages = messagesOf(selection.view, args.set, isUid);
  const run: FetchRun = { session, selection, plan, toldCount: 0, failure: undefined };
  if (args.isVanished) await tellGone(run, args);
  if (plan.needsFlagsOnly && args.changedSince === undefined) {
    for await (const entries of flagsOf(session, selection, messages)) await fetchFlags(run, entries);
    return completionFor(isUid, run.toldCount, countMessages(messages));
  }
  for await (const entries of slicesOf(run, messages, args.changedSince)) {
    for (let from = 0; from < entries.length; ) {
      const batch = batchAt(entries, from, plan);
      await fetchBatch(run, batch);
      from += batch.length;
    }
  }
  const isAnyNumber = isUid || args.changedSince !== undefined;
  return run.failure ?? completionFor(isAnyNumber, run.toldCount, countMessages(messages));
}

interface FetchRun {
  readonly session: SessionContext;
  readonly selection: Selection;
  readonly plan: FetchPlan;
  toldCount: number;
  /** The first failure; other messages are told all the same. */
  failure: Completion | undefined;
}

/** Before any FETCH line, lest the client take numbers for others (RFC 7162 section 3.2.6). */
async function tellGone(
  { session, selection }: FetchRun,
  { set, changedSince = 0 }: FetchArguments,
): Promise<void> {
  const history = await session.server.mailboxes.expungedUids(selection.id, changedSince);
  // Saved messages that are gone are no longer saved.
  const asked = set === '$' ? [] : resolveSequenceSet(set, UID_MAX);
  await writeVanished(session, goneSince(selection.view, history, asked), true);
}

async function* slicesOf(
  { session, selection }: FetchRun,
  messages: readonly NumberRange[],
  changedSince: number | undefined,
): AsyncGenerator<readonly Entry[]> {
  if (changedSince !== undefined) {
    yield* changedEntries(session, selection, messages, changedSince);
    return;
  }
  yield* entriesOf(session, selection, messages);
}

function completionFor(isAnyNumber: boolean, toldCount: number, expected: number): Completion {
  if (isAnyNumber || toldCount >= expected) return ok('FETCH completed');
  return toldCount === 0
    ? no('These messages have been expunged', 'EXPUNGEISSUED')
    : ok('Some of these messages have been expunged', 'EXPUNGEISSUED');
}

/** Answers messages of which flags, UIDs and mod-sequences are asked: what polls ask of whole mailboxes. */
async function fetchFlags(run: FetchRun, entries: readonly EntryFlags[]): Promise<void> {
  const { session, selection, plan } = run;
  const { view, clientModSeq } = selection;
  const { writer, pacer } = session;
  const isNoted = plan.tellsFlags && (plan.tellsModSeq || !session.enabled.has('CONDSTORE'));
  for (const entry of entries) {
    const number = view.numberOf(entry.uid);
    if (number === undefined) continue;
    run.toldCount += 1;
    if (plan.tellsFlags) announceKeywords(writer, selection, entry.flags.keywords);
    if (plan.tellsModSeq) clientModSeq.noteItem(entry.modSeq);
    writer.write(formatFetchOfFlags(plan, number, entry, view.isRecent(entry.uid)));
    if (isNoted) view.noteTold(entry);
    if (writer.isFlushDue) await writer.flush();
    if (pacer.isDue) await pacer.breathe();
  }
}

function formatFetchOfFlags(
  { items }: FetchPlan,
  number: number,
  entry: EntryFlags,
  isRecent: boolean,
): string {
  let text = formatFetchStart(number);
  for (const [index, { kind }] of items.entries()) {
    if (index > 0) text += ' ';
    if (kind === 'uid') text += formatUidItem(entry.uid);
    else if (kind === 'modSeq') text += formatModSeqItem(entry.modSeq);
    else text += flagsItemOf(entry.flags, isRecent);
  }
  return text + FETCH_END;
}

/** The messages from index `from` on that are read together: at least one. */
function batchAt(
  entries: readonly Entry[],
  from: number,
  { needsDerived, needsContent }: FetchPlan,
): readonly Entry[] {
  let to = from;
  if (!needsDerived && !needsContent) return entries;
  for (let octets = 0; to < entries.length && to < from + FETCH_BATCH_MESSAGES; to += 1) {
    octets += entries[to]?.octets ?? 0;
    if (needsContent && to > from && octets > FETCH_BATCH_OCTETS) break;
  }
  return entries.slice(from, to);
}

async function fetchBatch(run: FetchRun, entries: readonly Entry[]): Promise<void> {
  const { session, plan } = run;
  const ids = entries.map(({ contentId }) => contentId);
  const derived = plan.needsDerived ? await session.server.contents.derived(ids) : [];
  const contents = plan.needsContent ? await session.server.contents.openAll(ids) : [];
  await session.pacer.breathe();
  const seen: Entry[] = [];
  for (const [index, entry] of entries.entries()) {
    const answer = fetchOne(run, entry, { derived: derived[index], content: contents[index] });
    if (typeof answer === 'boolean' ? answer : await answer) seen.push(entry);
    if (session.writer.isFlushDue) await session.writer.flush();
    if (session.pacer.isDue) await session.pacer.breathe();
  }
  if (seen.length > 0) await markSeen(run, seen);
}

/** Answers one message, at once where its octets are in memory; whether it is to be flagged \Seen. */
function fetchOne(
  run: FetchRun,
  entry: Entry,
  { derived, content }: Pick<FetchedMessage, 'derived' | 'content'>,
): boolean | Promise<boolean> {
  const { session, selection, plan } = run;
  const number = selection.view.numberOf(entry.uid);
  if (number === undefined) return false;
  run.toldCount += 1;
  // A flag goes with its mod-sequence, which \Seen has not got yet.
  const tellsSeen = becomesSeen(run, entry) && !session.enabled.has('CONDSTORE');
  if (tellsSeen || plan.tellsFlags) announceKeywords(session.writer, selection, entry.flags.keywords);
  try {
    const isRecent = selection.view.isRecent(entry.uid);
    if (plan.tellsModSeq) selection.clientModSeq.noteItem(entry.modSeq);
    const message = { number, entry, isRecent, becomesSeen: tellsSeen, derived, content };
    const isToldWhole = writeFromMemory(session.writer, message, plan);
    return isToldWhole === undefined ? readOne(run, message) : noteAnswered(run, message, isToldWhole);
  } catch (error) {
    return noteFailure(run, entry, error);
  }
}

/** Answers a message that has to be read. */
async function readOne(run: FetchRun, message: FetchedMessage): Promise<boolean> {
  try {
    return noteAnswered(run, message, await writeMessage(run.session, message, run.plan));
  } catch (error) {
    return noteFailure(run, message.entry, error);
  }
}

function noteAnswered(run: FetchRun, message: FetchedMessage, isToldWhole: boolean): boolean {
  const { session, selection, plan } = run;
  const { entry } = message;
  if (isToldWhole) session.note(entry.contentId, 'fetched', { uid: entry.uid });
  if (plan.tellsFlags && !message.becomesSeen && (plan.tellsModSeq || !session.enabled.has('CONDSTORE')))
    selection.view.noteTold(entry);
  return becomesSeen(run, entry);
}

function noteFailure(run: FetchRun, { uid, contentId }: Entry, error: unknown): false {
  const { session } = run;
  if (error instanceof SessionEnd || session.isGone) throw error;
  const isTheClients = asMailError(error).code === 'unknownEncoding';
  if (!isTheClients) session.log.error('imapd.fetch.failed', { uid, contentId, error });
  run.failure ??= completionOf(error);
  return false;
}

function becomesSeen({ selection, plan }: FetchRun, { flags }: Entry): boolean {
  return plan.setsSeen && !selection.isReadOnly && (flags.system & FLAG.seen) === 0;
}

/** Flags what has been sent. The client has been told the flags with \Seen; where they are others by now, it is told again. */
async function markSeen({ session, selection }: FetchRun, seen: readonly Entry[]): Promise<void> {
  await session.writer.flush();
  const ranges = seen.map(({ uid }) => ({ first: uid, last: uid }));
  const flags = { system: FLAG.seen, keywords: [] };
  const { changed } = await session.server.mailboxes.setFlags(selection.id, ranges, 'add', flags);
  const before = new Map(seen.map((entry) => [entry.uid, entry]));
  for (const entry of changed) {
    const told = before.get(entry.uid);
    if (session.enabled.has('CONDSTORE')) {
      writeFlags(session, selection, entry, true);
      selection.view.noteTold(entry);
    } else if (told !== undefined && isSeenOnly(told, entry)) selection.view.noteTold(entry);
  }
}

function isSeenOnly(before: EntryFlags, after: EntryFlags): boolean {
  return (
    after.flags.system === (before.flags.system | FLAG.seen) &&
    after.flags.keywords.length === before.flags.keywords.length &&
    after.flags.keywords.every((keyword, index) => keyword === before.flags.keywords[index])
  );
}
