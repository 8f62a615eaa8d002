/**
 * SORT and UID SORT: which messages, in which order.
 *
 * RFC 5256 section 5: sort, sort-criteria, sort-criterion, sort-key, search-criteria; RFC 5267 section 3 (RETURN);
 * RFC 5957 section 5 (DISPLAYFROM, DISPLAYTO).
 * A key that comes again cannot change the order any more and is left out, so that there are never more than there are names.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseSearchCriteria, parseSearchReturns } from './search.ts';
import type { SearchProgram, SearchReturns } from './search.ts';

/** sort-key. */
export type SortKey = (typeof SORT_KEYS)[number];

/** sort-criterion. */
export interface SortCriterion {
  readonly key: SortKey;
  /** Descending; messages that are alike by all keys stay in their order all the same. */
  readonly isReverse: boolean;
}

/** SORT's arguments. */
export interface SortArguments extends SearchProgram {
  readonly returns: SearchReturns;
  /** At least one, the most important first, no key twice. */
  readonly criteria: readonly SortCriterion[];
}

const SORT_KEYS = [
  'ARRIVAL',
  'CC',
  'DATE',
  'DISPLAYFROM',
  'DISPLAYTO',
  'FROM',
  'SIZE',
  'SUBJECT',
  'TO',
] as const;

const PARENTHESIS_OPEN = 0x28;

/** Takes SORT's arguments. */
export function parseSort(decoder: CommandDecoder): SortArguments {
  decoder.sp();
  const returns = decoder.peek() === PARENTHESIS_OPEN ? undefined : parseReturn(decoder);
  const criteria = new Map<SortKey, SortCriterion>();
  decoder.list(() => {
    const criterion = parseCriterion(decoder);
    if (!criteria.has(criterion.key)) criteria.set(criterion.key, criterion);
  });
  decoder.sp();
  return { returns, criteria: [...criteria.values()], ...parseSearchCriteria(decoder) };
}

function parseReturn(decoder: CommandDecoder): SearchReturns {
  const start = decoder.offset;
  if (decoder.label('sort-criteria') !== 'RETURN') throw decoder.error('RETURN or sort-criteria', start);
  return parseSearchReturns(decoder);
}

function parseCriterion(decoder: CommandDecoder): SortCriterion {
  const start = decoder.offset;
  const word = decoder.label('sort-criterion');
  if (word !== 'REVERSE') return { key: sortKey(decoder, word, start), isReverse: false };
  decoder.sp();
  const keyStart = decoder.offset;
  return { key: sortKey(decoder, decoder.label('sort-key'), keyStart), isReverse: true };
}

function sortKey(decoder: CommandDecoder, word: string, start: number): SortKey {
  const key = SORT_KEYS.find((known) => known === word);
  if (key === undefined) throw decoder.error('sort-key', start);
  return key;
}
