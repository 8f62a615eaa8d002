/**
 * The messages that SORT and THREAD work on: found by SEARCH, with what was derived from them, a batch at a time.
 *
 * What is kept of each is the caller's; how much it may be in all is counted here, because senders choose how long a Subject
 * is and how many message IDs a References field has.
 */

import { MailError } from '../base/error.ts';
import type { DerivedMessage } from '../store/contract/derived.ts';
import { FETCH_BATCH_MESSAGES, SORT_KEPT_CHARS_LIMIT } from './limits.ts';
import type { Criterion } from './searchCriterion.ts';
import { searchMailbox } from './searchMailbox.ts';
import type { Match } from './searchMailbox.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';

/** A message that was found, and what was derived from it. */
export interface FoundMessage extends Match {
  readonly derived: DerivedMessage;
}

/** What a number, a date and their object cost, in characters. */
const ITEM_CHARS = 100;

/** Counts what is kept of the messages of one command. */
export class KeptChars {
  #left: number;

  constructor(limit: number = SORT_KEPT_CHARS_LIMIT) {
    this.#left = limit;
  }

  /** Counts an item with `chars` characters of text. Errors: `limit`. */
  add(chars: number): void {
    this.#left -= ITEM_CHARS + chars;
    if (this.#left < 0) throw new MailError('limit', 'the messages to be sorted are too many or too long');
  }
}

/** The messages that meet `criterion`, in order. Errors: those of the store. */
export async function* foundMessages(
  session: SessionContext,
  selection: Selection,
  criterion: Criterion,
): AsyncGenerator<FoundMessage> {
  for await (const matches of searchMailbox(session, selection, criterion)) {
    for (let from = 0; from < matches.length; from += FETCH_BATCH_MESSAGES)
      yield* withDerived(session, matches.slice(from, from + FETCH_BATCH_MESSAGES));
  }
}

async function* withDerived(
  { server, pacer }: SessionContext,
  batch: readonly Match[],
): AsyncGenerator<FoundMessage> {
  const derived = await server.contents.derived(batch.map(({ entry }) => entry.contentId));
  for (const [index, match] of batch.entries()) {
    const message = derived[index];
    if (message !== undefined) yield { ...match, derived: message };
    if (pacer.isDue) await pacer.breathe();
  }
}
