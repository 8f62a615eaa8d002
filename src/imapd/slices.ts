/**
 * Long work without I/O, in slices: generators that yield at their steps, and who runs them.
 *
 * Pure but for runInSlices, which lets other sessions have the event loop in between (base/pacer.ts).
 */

import type { Pacer } from '../base/pacer.ts';

/** Work that yields wherever it may be interrupted, at least once in about STEP_ITEMS items. */
export type SlicedWork<Result> = Generator<undefined, Result>;

/** Items between two yields: some ten microseconds of sorting or threading. */
export const STEP_ITEMS = 128;

/** Does the work. */
export async function runInSlices<Result>(work: SlicedWork<Result>, pacer: Pacer): Promise<Result> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (pacer.isDue) await pacer.breathe();
  }
}

/** `items` sorted; those that are alike keep their order. Array.sort would hold the event loop for all of them. */
export function* sortInSlices<Item>(
  items: readonly Item[],
  compare: (left: Item, right: Item) => number,
): SlicedWork<readonly Item[]> {
  let runs: (readonly Item[])[] = [];
  for (let from = 0; from < items.length; from += STEP_ITEMS) {
    runs.push(items.slice(from, from + STEP_ITEMS).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: (readonly Item[])[] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(yield* merge(runs[index] ?? [], runs[index + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<Item>(
  left: readonly Item[],
  right: readonly Item[],
  compare: (left: Item, right: Item) => number,
): SlicedWork<readonly Item[]> {
  const merged: Item[] = [];
  let [leftAt, rightAt] = [0, 0];
  for (let count = 1; leftAt < left.length && rightAt < right.length; count += 1) {
    const [one, other] = [left[leftAt] as Item, right[rightAt] as Item];
    if (compare(one, other) <= 0) {
      merged.push(one);
      leftAt += 1;
    } else {
      merged.push(other);
      rightAt += 1;
    }
    if (count % STEP_ITEMS === 0) yield;
  }
  for (; leftAt < left.length; leftAt += 1) merged.push(left[leftAt] as Item);
  for (; rightAt < right.length; rightAt += 1) merged.push(right[rightAt] as Item);
  yield;
  return merged;
}
