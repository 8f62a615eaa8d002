/**
 * Ranges of UIDs, as sessions name them, brought into the form that jobs and reads want: in order, apart, within bounds.
 */

import type { UidRange } from '../contract/mailboxes.ts';
import { UID_LIMIT } from './limits.ts';

/** Every UID. */
export const ALL_UIDS: readonly UidRange[] = [{ first: 1, last: UID_LIMIT }];

/** The same UIDs as `ranges`, as few ranges in order. Empty ranges fall away. */
export function orderedRanges(ranges: readonly UidRange[]): readonly UidRange[] {
  const sorted = ranges
    .map(({ first, last }) => ({ first: Math.max(first, 1), last: Math.min(last, UID_LIMIT) }))
    .filter(({ first, last }) => first <= last)
    .sort((one, other) => one.first - other.first);
  const merged: { readonly first: number; last: number }[] = [];
  for (const range of sorted) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1)
      before.last = Math.max(before.last, range.last);
    else merged.push({ ...range });
  }
  return merged;
}

/** What of `ranges`, which are in order, is at `uid` or above. */
export function rangesFrom(ranges: readonly UidRange[], uid: number): readonly UidRange[] {
  return ranges
    .filter(({ last }) => last >= uid)
    .map(({ first, last }) => ({ first: Math.max(first, uid), last }));
}

/** Those of `entries`, which are in UID order, whose UID is within `ranges`, which are in order. */
export function withinRanges<Entry extends { readonly uid: number }>(
  entries: readonly Entry[],
  ranges: readonly UidRange[],
): readonly Entry[] {
  let index = 0;
  return entries.filter(({ uid }) => {
    while ((ranges[index]?.last ?? UID_LIMIT) < uid) index += 1;
    return (ranges[index]?.first ?? UID_LIMIT + 1) <= uid;
  });
}
