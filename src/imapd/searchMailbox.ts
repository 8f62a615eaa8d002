/**
 * Asks a criterion of the messages of a mailbox, in slices.
 *
 * Entries decide what they can; of what is left the search room is asked, in a thread of its own: first what the header
 * answers, then, of those still open, what takes the body. What the session was told of stays readable while its hold lives.
 */

import type { NumberRange } from '../wire/imap/sequenceSet.ts';
import type { Entry, EntryFlags } from '../store/contract/mailboxes.ts';
import { isOfHeader, type TextQuestion } from '../search/question.ts';
import type { TextSearch } from '../search/search.ts';
import { flagTestOf } from './flagCriterion.ts';
import { entriesOf, flagsOf } from './messageEntries.ts';
import { emailContentsOf, meets, numbersOf, questionsOf } from './searchCriterion.ts';
import type { Candidate, Criterion } from './searchCriterion.ts';
import { emailIdOf } from './objectIds.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';
import { SessionEnd } from './sessionEnd.ts';

/** A message that was found. */
export interface Match {
  readonly number: number;
  readonly entry: Entry;
}

/** What of a match the answer to SEARCH is made from. */
export interface FlagMatch {
  readonly number: number;
  readonly entry: EntryFlags;
}

/** The numbers of messages that meet `criterion`, in slices and in order; what flags decide takes a third of the time. */
export async function* searchNumbers(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
): AsyncGenerator<readonly FlagMatch[]> {
  const { view } = selection;
  const test = flagTestOf(criterion, (uid) => view.isRecent(uid));
  if (test === undefined) {
    yield* searchMailbox(session, selection, criterion);
    return;
  }
  for await (const entries of flagsOf(session, selection, messagesFor(selection, criterion))) {
    const matches: FlagMatch[] = [];
    for (const entry of entries) {
      const number = view.numberOf(entry.uid);
      if (number !== undefined && test(entry, number)) matches.push({ number, entry });
    }
    if (matches.length > 0) yield matches;
    await session.pacer.breathe();
  }
}

/** The messages that meet `criterion`, in slices and in order. Errors: `limit` where it asks for too many texts, those of TextSearch.ask. */
export async function* searchMailbox(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
): AsyncGenerator<readonly Match[]> {
  const searches = beginSearches(session, questionsOf(criterion));
  try {
    for await (const entries of entriesOf(session, selection, messagesFor(selection, criterion))) {
      const matches = await searchSlice(session, selection, criterion, searches, entries);
      if (matches.length > 0) yield matches;
    }
  } finally {
    for (const search of searches) search.end();
  }
}

/** One for what headers answer and one for the rest, as far as there is something to ask. */
function beginSearches(session: SessionContext, questions: readonly TextQuestion[]): readonly TextSearch[] {
  const ofHeader = questions.filter(isOfHeader);
  const ofBody = questions.filter((question) => !isOfHeader(question));
  return [ofHeader, ofBody]
    .filter((asked) => asked.length > 0)
    .map((asked) => session.server.search.begin(asked));
}

function messagesFor({ view }: Selection, criterion: Criterion): readonly NumberRange[] {
  if (view.count === 0) return [];
  return numbersOf(criterion) ?? [{ first: 1, last: view.count }];
}

async function searchSlice(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
  searches: readonly TextSearch[],
  entries: readonly Entry[],
): Promise<readonly Match[]> {
  let candidates = await identify(session, criterion, candidatesOf(selection, entries));
  for (const search of searches) {
    if (session.isGone) throw new SessionEnd('connectionLost', 'The connection was lost');
    candidates = await askOpen(session, criterion, search, candidates);
  }
  const matches: Match[] = [];
  for (const candidate of candidates) {
    if (meets(criterion, candidate) === true) matches.push(candidate);
    if (session.pacer.isDue) await session.pacer.breathe();
  }
  return matches;
}

function candidatesOf({ view }: Selection, entries: readonly Entry[]): readonly Candidate[] {
  return entries.flatMap((entry) => {
    const number = view.numberOf(entry.uid);
    if (number === undefined) return [];
    return [{ number, entry, isRecent: view.isRecent(entry.uid), emailId: undefined, answers: [] }];
  });
}

/** `candidates`, with the EMAILID of those whose content a key names. */
async function identify(
  { server }: SessionContext,
  criterion: Criterion,
  candidates: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const named = new Set(emailContentsOf(criterion));
  if (named.size === 0) return candidates;
  const identified = candidates.map(async (candidate) => {
    const { contentId, internalDate } = candidate.entry;
    if (!named.has(contentId)) return candidate;
    return { ...candidate, emailId: emailIdOf(await server.contents.open(contentId), internalDate) };
  });
  return Promise.all(identified);
}

/** `candidates`, with answers for those that cannot be decided without. */
async function askOpen(
  session: SessionContext,
  criterion: Criterion,
  search: TextSearch,
  candidates: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const open: Candidate[] = [];
  for (const candidate of candidates) {
    if (meets(criterion, candidate) === undefined) open.push(candidate);
    if (session.pacer.isDue) await session.pacer.breathe();
  }
  if (open.length === 0) return candidates;
  const answers = await search.ask(open.map(({ entry }) => entry.contentId));
  const asked = new Set(search.questions);
  const answered = new Map(
    open.map((candidate, index) => [candidate, { asked, yes: answers[index] ?? NOTHING }] as const),
  );
  return candidates.map((candidate) => {
    const answer = answered.get(candidate);
    return answer === undefined ? candidate : { ...candidate, answers: [...candidate.answers, answer] };
  });
}

const NOTHING: ReadonlySet<TextQuestion> = new Set();
