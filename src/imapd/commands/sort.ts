/**
 * SORT and UID SORT (RFC 5256 section 3), with result options (RFC 5267 section 3: ESORT) and by display (RFC 5957).
 *
 * MIN and MAX are the first and the last in the order asked for. Sorting by ARRIVAL and SIZE reads no message.
 */

import type { SearchReturns } from '../../wire/imap/search.ts';
import type { SortArguments, SortCriterion } from '../../wire/imap/sort.ts';
import type { FetchEnvelope } from '../../wire/mime/structure.ts';
import type { Entry } from '../../store/contract/mailboxes.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { foundMessages, KeptChars } from '../foundMessages.ts';
import type { Criterion } from '../searchCriterion.ts';
import { searchMailbox } from '../searchMailbox.ts';
import { guardSavedMessages, prepareSearch } from '../searchProgram.ts';
import { answerSearch, SearchResult, wantsEndsOnly } from '../searchResult.ts';
import type { Selection } from '../selection.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';
import { runInSlices, sortInSlices } from '../slices.ts';
import { comparison, ENTRY_KEYS, sortValueOf } from '../sortValue.ts';
import type { SortItem } from '../sortValue.ts';

/** Finds messages and sorts them; `isUid` for UID SORT. */
export function sort(
  session: SessionContext,
  { selection }: SelectedState,
  args: SortArguments,
  isUid: boolean,
): Promise<Completion> {
  const { view } = selection;
  const { returns, criteria } = args;
  return guardSavedMessages(view, returns, async () => {
    const prepared = await prepareSearch(session, selection, args, isUid);
    if (prepared.kind === 'refused') return prepared.completion;
    const { criterion } = prepared;
    const items = await sortItems(session, selection, criterion, criteria);
    const sorted = await runInSlices(sortInSlices(items, comparison(criteria)), session.pacer);
    const result = resultOf(sorted, returns);
    await answerSearch(session, view, result, { name: 'SORT', returns, isUid, criterion });
    return ok('SORT completed');
  });
}

interface FoundItem extends SortItem {
  readonly modSeq: Entry['modSeq'];
}

async function sortItems(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
  criteria: readonly SortCriterion[],
): Promise<readonly FoundItem[]> {
  const items: FoundItem[] = [];
  const kept = new KeptChars();
  const add = (number: number, entry: Entry, envelope?: FetchEnvelope): void => {
    const values = criteria.map(({ key }) => sortValueOf(key, entry, envelope));
    kept.add(values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0));
    items.push({ number, modSeq: entry.modSeq, values });
  };
  if (criteria.every(({ key }) => ENTRY_KEYS.has(key))) {
    for await (const matches of searchMailbox(session, selection, criterion))
      for (const { number, entry } of matches) add(number, entry);
  } else {
    for await (const { number, entry, derived } of foundMessages(session, selection, criterion)) {
      add(number, entry, derived.envelope);
    }
  }
  return items;
}

function resultOf(sorted: readonly FoundItem[], returns: SearchReturns): SearchResult {
  const result = new SearchResult();
  for (const item of wantsEndsOnly(returns) ? endsOf(sorted, returns) : sorted) result.add(item.number, item);
  return result;
}

function endsOf(sorted: readonly FoundItem[], returns: SearchReturns): readonly FoundItem[] {
  const first = returns?.has('MIN') ? sorted.slice(0, 1) : [];
  const last = returns?.has('MAX') ? sorted.slice(-1) : [];
  return [...new Set([...first, ...last])];
}
