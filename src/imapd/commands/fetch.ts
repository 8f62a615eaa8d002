/**
 * FETCH and UID FETCH (RFC 3501 section 6.4.5), with CHANGEDSINCE and VANISHED (RFC 7162 sections 3.1.4 and 3.2.6).
 *
 * New messages are told first, so that `5:*` means what the client sees. Messages are read and answered in batches; those that
 * become \Seen are flagged once their batch has been handed to the socket, so that a client that loses its connection finds
 * what it has not got still unseen. Once CONDSTORE is on they are told again then, with the new mod-sequence.
 */

import { asMailError, WireError } from '../../base/error.ts';
import type { FetchArguments } from '../../wire/imap/fetch.ts';
import { resolveSequenceSet } from '../../wire/imap/sequenceSet.ts';
import type { NumberRange } from '../../wire/imap/sequenceSet.ts';
import { FLAG } from '../../store/contract/mailboxes.ts';
import type { Entry } from '../../store/contract/mailboxes.ts';
import { changedEntries } from '../changedEntries.ts';
import { completionOf, no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { entriesOf } from '../messageEntries.ts';
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

/** The messages from index `from` on that are read together: at least one. */
function batchAt(entries: readonly Entry[], from: number, { needsContent }: FetchPlan): readonly Entry[] {
  let to = from;
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
    const isSeenBy = await fetchOne(run, entry, { derived: derived[index], content: contents[index] });
    if (isSeenBy) seen.push(entry);
    if (session.pacer.isDue) await session.pacer.breathe();
  }
  if (seen.length > 0) await markSeen(run, seen);
}

/** Answers one message; whether it is to be flagged \Seen. */
async function fetchOne(
  run: FetchRun,
  entry: Entry,
  { derived, content }: Pick<FetchedMessage, 'derived' | 'content'>,
): Promise<boolean> {
  const { session, selection, plan } = run;
  const number = selection.view.numberOf(entry.uid);
  if (number === undefined) return false;
  run.toldCount += 1;
  const becomesSeen = plan.setsSeen && !selection.isReadOnly && (entry.flags.system & FLAG.seen) === 0;
  const isCondstore = session.enabled.has('CONDSTORE');
  // A flag goes with its mod-sequence, which \Seen has not got yet.
  const tellsSeen = becomesSeen && !isCondstore;
  const tellsFlags = tellsSeen || plan.items.some(({ kind }) => kind === 'flags');
  if (tellsFlags) announceKeywords(session.writer, selection, entry.flags.keywords);
  try {
    const isRecent = selection.view.isRecent(entry.uid);
    if (plan.tellsModSeq) selection.clientModSeq.noteItem(entry.modSeq);
    const message = { number, entry, isRecent, becomesSeen: tellsSeen, derived, content };
    const isToldWhole =
      writeFromMemory(session.writer, message, plan) ?? (await writeMessage(session, message, plan));
    if (isToldWhole) session.note(entry.contentId, 'fetched', { uid: entry.uid });
    if (tellsFlags && !tellsSeen && (plan.tellsModSeq || !isCondstore)) selection.view.noteTold(entry);
    if (session.writer.isFlushDue) await session.writer.flush();
    return becomesSeen;
  } catch (error) {
    if (error instanceof SessionEnd || session.isGone) throw error;
    const isTheClients = asMailError(error).code === 'unknownEncoding';
    if (!isTheClients) {
      session.log.error('imapd.fetch.failed', { uid: entry.uid, contentId: entry.contentId, error });
    }
    run.failure ??= completionOf(error);
    return false;
  }
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

function isSeenOnly(before: Entry, after: Entry): boolean {
  return (
    after.flags.system === (before.flags.system | FLAG.seen) &&
    after.flags.keywords.length === before.flags.keywords.length &&
    after.flags.keywords.every((keyword, index) => keyword === before.flags.keywords[index])
  );
}
