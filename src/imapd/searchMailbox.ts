/**
 * Asks a criterion of the messages of a mailbox, in slices.
 *
 * Entries decide what they can; what is left is read, header first, the body only where a text is asked of it. What the
 * session was told of stays readable while its hold lives.
 */

import type { DerivedMessage } from '../store/contract/derived.ts';
import type { Entry, UidRange } from '../store/contract/mailboxes.ts';
import { FETCH_BATCH_MESSAGES } from './limits.ts';
import { uidRangesOf } from './messageSet.ts';
import { bodyNeedlesOf, meets, numbersOf } from './searchCriterion.ts';
import type { Candidate, Criterion } from './searchCriterion.ts';
import { emailIdOf } from './objectIds.ts';
import { findInBody, readHeader } from './searchText.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';

/** A message that was found. */
export interface Match {
  readonly number: number;
  readonly entry: Entry;
}

/** The messages that meet `criterion`, in order. */
export async function* searchMailbox(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
): AsyncGenerator<Match> {
  const needles = bodyNeedlesOf(criterion);
  for (const range of rangesOf(selection, criterion)) {
    for await (const entries of session.server.mailboxes.entries(selection.id, range)) {
      for (let from = 0; from < entries.length; from += FETCH_BATCH_MESSAGES) {
        const batch = candidatesOf(selection, entries.slice(from, from + FETCH_BATCH_MESSAGES));
        yield* searchBatch(session, criterion, needles, batch);
      }
    }
  }
}

function rangesOf({ view }: Selection, criterion: Criterion): readonly UidRange[] {
  if (view.count === 0) return [];
  return uidRangesOf(view, numbersOf(criterion) ?? [{ first: 1, last: view.count }]);
}

function candidatesOf({ view }: Selection, entries: readonly Entry[]): readonly Candidate[] {
  return entries.flatMap((entry) => {
    const number = view.numberOf(entry.uid);
    if (number === undefined) return [];
    const isRecent = view.isRecent(entry.uid);
    return [{ number, entry, isRecent, header: undefined, emailId: undefined, bodyNeedles: undefined }];
  });
}

async function* searchBatch(
  session: SessionContext,
  criterion: Criterion,
  needles: readonly string[],
  batch: readonly Candidate[],
): AsyncGenerator<Match> {
  const open = batch.filter((candidate) => meets(criterion, candidate) === undefined);
  const derived = await deriveAll(session, open);
  await session.pacer.breathe();
  for (const candidate of batch) {
    const message = derived.get(candidate);
    const isMatch =
      message === undefined
        ? meets(criterion, candidate) === true
        : await readAndAsk(session, criterion, needles, candidate, message);
    if (isMatch) yield candidate;
    await session.pacer.breathe();
  }
}

async function deriveAll(
  { server }: SessionContext,
  candidates: readonly Candidate[],
): Promise<ReadonlyMap<Candidate, DerivedMessage>> {
  const found = new Map<Candidate, DerivedMessage>();
  if (candidates.length === 0) return found;
  const derived = await server.contents.derived(candidates.map(({ entry }) => entry.contentId));
  for (const [index, candidate] of candidates.entries()) {
    const message = derived[index];
    if (message !== undefined) found.set(candidate, message);
  }
  return found;
}

async function readAndAsk(
  session: SessionContext,
  criterion: Criterion,
  needles: readonly string[],
  candidate: Candidate,
  derived: DerivedMessage,
): Promise<boolean> {
  const content = await session.server.contents.open(candidate.entry.contentId);
  const emailId = emailIdOf(content, candidate.entry.internalDate);
  const withHeader = { ...candidate, emailId, header: await readHeader({ content, derived }) };
  const answer = meets(criterion, withHeader);
  if (answer !== undefined) return answer;
  const bodyNeedles = await findInBody({ content, derived }, needles, session.pacer);
  return meets(criterion, { ...withHeader, bodyNeedles }) === true;
}
