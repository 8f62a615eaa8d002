/**
 * Narrows a search down by the index: tells which messages cannot hold a text, without reading them.
 *
 * The index is asked once for each text of a search, and what it answers is kept for the search's next requests; contents
 * that were indexed later are not judged by it. Everything that the index does not know of is read.
 */

import type { ContentId } from '../base/ids.ts';
import type { IndexCandidates } from '../store/sqlite/searchIndex.ts';
import { CANDIDATE_LIMIT, CANDIDATE_SETS_KEPT } from './limits.ts';
import type { OpenIndex } from './openIndex.ts';
import { needleOf, type TextQuestion } from './question.ts';
import { trigramsOf } from './trigrams.ts';

/** Whether a content may answer a question yes. */
export type MayHold = (id: ContentId, question: TextQuestion) => boolean;

interface CandidateSet {
  readonly generation: number;
  /** By needle; those that the index cannot narrow are absent. */
  readonly byNeedle: ReadonlyMap<string, IndexCandidates>;
  /** The index's state: the same for all of them, as nothing is written between. */
  readonly batch: number;
}

/** What the index says for the searches that are under way. */
export class Narrowing {
  readonly #index: OpenIndex;
  /** By search, the one that was used last at the end. */
  readonly #sets = new Map<number, CandidateSet>();

  constructor(index: OpenIndex) {
    this.#index = index;
  }

  /** What the index knows of `ids` for a search's questions; undefined where all have to be read. */
  of(search: number, questions: readonly TextQuestion[], ids: readonly ContentId[]): MayHold | undefined {
    const set = this.#setOf(search, questions);
    if (set === undefined || set.byNeedle.size === 0) return undefined;
    const whole = this.#index.ask((index) => index.wholeAmong(ids, set.batch));
    if (whole === undefined) return undefined;
    return (id, question) => {
      const candidates = set.byNeedle.get(needleOf(question) ?? '');
      return candidates === undefined || !whole.has(id) || includesSorted(candidates.ids, id);
    };
  }

  /** The search has ended. */
  forget(search: number): void {
    this.#sets.delete(search);
  }

  #setOf(search: number, questions: readonly TextQuestion[]): CandidateSet | undefined {
    const { generation } = this.#index;
    const known = this.#sets.get(search);
    const isValid = known !== undefined && known.generation === generation;
    const set = isValid ? known : this.#askIndex(questions, generation);
    this.#sets.delete(search);
    if (set === undefined) return undefined;
    this.#sets.set(search, set);
    for (const oldest of this.#sets.keys()) {
      if (this.#sets.size <= CANDIDATE_SETS_KEPT) break;
      this.#sets.delete(oldest);
    }
    return set;
  }

  #askIndex(questions: readonly TextQuestion[], generation: number): CandidateSet | undefined {
    const needles = new Set(questions.flatMap((question) => needleOf(question) ?? []));
    const byNeedle = new Map<string, IndexCandidates>();
    let batch = 0;
    let room = CANDIDATE_LIMIT;
    for (const needle of needles) {
      const trigrams = trigramsOf(needle);
      if (trigrams.length === 0) continue;
      const candidates = this.#index.ask((index) => index.candidates(trigrams, room));
      if (candidates === undefined) continue;
      room -= candidates.ids.length;
      ({ batch } = candidates);
      byNeedle.set(needle, candidates);
    }
    return this.#index.isChecked && this.#index.generation === generation
      ? { generation, byNeedle, batch }
      : undefined;
  }
}

function includesSorted(ids: Float64Array, wanted: number): boolean {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return ids[low] === wanted;
}
