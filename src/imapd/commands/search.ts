/**
 * SEARCH and UID SEARCH (RFC 3501 section 6.4.4), with result options (RFC 4731, RFC 5182).
 *
 * MIN alone ends the search at its first match; MAX is looked for from the mailbox's end, in blocks that grow.
 */

import type { SearchArguments, SearchReturns } from '../../wire/imap/search.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { SEARCH_FIRST_BLOCK_MESSAGES } from '../limits.ts';
import { numbersOf } from '../searchCriterion.ts';
import type { Criterion } from '../searchCriterion.ts';
import { searchNumbers } from '../searchMailbox.ts';
import type { FlagMatch } from '../searchMailbox.ts';
import { guardSavedMessages, prepareSearch } from '../searchProgram.ts';
import { answerSearch, SearchResult, wantsEndsOnly } from '../searchResult.ts';
import type { Selection } from '../selection.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';

/** Finds messages; `isUid` for UID SEARCH. */
export function search(
  session: SessionContext,
  { selection }: SelectedState,
  args: SearchArguments,
  isUid: boolean,
): Promise<Completion> {
  const { view } = selection;
  const { returns } = args;
  return guardSavedMessages(view, returns, async () => {
    const prepared = await prepareSearch(session, selection, args, isUid);
    if (prepared.kind === 'refused') return prepared.completion;
    const { criterion } = prepared;
    const result = new SearchResult();
    for await (const matches of found(session, selection, criterion, returns)) {
      for (const { number, entry } of matches) result.add(number, entry);
    }
    await answerSearch(session, view, result, { name: 'SEARCH', returns, isUid, criterion });
    return ok('SEARCH completed');
  });
}

async function* found(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
  returns: SearchReturns,
): AsyncGenerator<readonly FlagMatch[]> {
  if (!wantsEndsOnly(returns)) {
    yield* searchNumbers(session, selection, criterion);
    return;
  }
  const first = returns?.has('MIN') ? await findFirst(session, selection, criterion) : undefined;
  if (first !== undefined) yield [first];
  if (!returns?.has('MAX') || (returns.has('MIN') && first === undefined)) return;
  const last = await findLast(session, selection, criterion);
  if (last !== undefined && last.number !== first?.number) yield [last];
}

async function findFirst(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
): Promise<FlagMatch | undefined> {
  for await (const [match] of searchNumbers(session, selection, criterion)) return match;
  return undefined;
}

async function findLast(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
): Promise<FlagMatch | undefined> {
  const ranges = numbersOf(criterion) ?? [{ first: 1, last: selection.view.count }];
  const lowest = ranges[0]?.first ?? 1;
  let last = ranges.at(-1)?.last ?? 0;
  let match: FlagMatch | undefined;
  for (let size = SEARCH_FIRST_BLOCK_MESSAGES; last >= lowest && match === undefined; size *= 2) {
    const first = Math.max(lowest, last - size + 1);
    const block = within(criterion, first, last);
    for await (const matches of searchNumbers(session, selection, block)) match = matches.at(-1);
    last = first - 1;
  }
  return match;
}

function within(criterion: Criterion, first: number, last: number): Criterion {
  return { kind: 'every', criteria: [{ kind: 'numbers', ranges: [{ first, last }] }, criterion] };
}
