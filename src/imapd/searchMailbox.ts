/**
 * Asks a criterion of the messages of a mailbox, in slices.
 *
 * Entries decide what they can; of what is left the search room is asked, in a thread of its own: first what the header
 * answers, then, of those still open, what takes the body. What the session was told of stays readable while its hold lives.
 */

import type { NumberRange } from '../wire/imap/sequenceSet.ts';
import type { Entry } from '../store/contract/mailboxes.ts';
import { isOfHeader, type TextQuestion } from '../search/question.ts';
import type { TextSearch } from '../search/search.ts';
import { entriesOf } from './messageEntries.ts';
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

/** The messages that meet `criterion`, in order. Errors: `limit` where it asks for too many texts, those of TextSearch.ask. */
export async function* searchMailbox(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
): AsyncGenerator<Match> {
  const searches = beginSearches(session, questionsOf(criterion));
  try {
    for await (const entries of entriesOf(session, selection, messagesFor(selection, criterion))) {
      yield* searchSlice(session, selection, criterion, searches, entries);
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

async function* searchSlice(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
  searches: readonly TextSearch[],
  entries: readonly Entry[],
): AsyncGenerator<Match> {
  let candidates = await identify(session, criterion, candidatesOf(selection, entries));
  for (const search of searches) {
    if (session.isGone) throw new SessionEnd('connectionLost', 'The connection was lost');
    candidates = await askOpen(session, criterion, search, candidates);
  }
  for (const candidate of candidates) {
    if (meets(criterion, candidate) === true) yield candidate;
    if (session.pacer.isDue) await session.pacer.breathe();
  }
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
