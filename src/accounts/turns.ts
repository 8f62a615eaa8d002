/**
 * Many short steps without holding up the others: an alias may have a thousand targets, and each look-up in the directory
 * is some 10 µs of this one thread.
 */

import { yieldTurn } from '../base/pacer.ts';

/** Steps in one turn of the event loop, some milliseconds. */
const STEPS_PER_TURN = 100;

/** `step` for one item after the other; now and then everything else has its turn. */
export async function mapInTurns<Item, Result>(
  items: readonly Item[],
  step: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) {
    results.push(await step(item));
    if (results.length % STEPS_PER_TURN === 0) await yieldTurn();
  }
  return results;
}
