/**
 * What a SEARCH or SORT found, and its answer (RFC 3501 section 7.2.5; RFC 4731; RFC 5182 section 2.4; RFC 5267 section 3).
 *
 * The result is what is returned, in the order of the answer: where only MIN or MAX is wanted, those alone. What is saved and
 * whose mod-sequences count follows from it.
 */

import { formatEsearch, formatFound } from '../wire/imap/responses.ts';
import type { SearchReturns } from '../wire/imap/search.ts';
import type { Entry } from '../store/contract/mailboxes.ts';
import { usesModSeq } from './searchCriterion.ts';
import type { Criterion } from './searchCriterion.ts';
import type { SessionContext } from './sessionContext.ts';
import type { MailboxView } from './view.ts';

/** Messages by number, in the order of the answer. */
export class SearchResult {
  readonly #numbers: number[] = [];
  #modSeq = 0;

  get numbers(): readonly number[] {
    return this.#numbers;
  }

  /** The highest mod-sequence among the messages; 0 without any. */
  get modSeq(): number {
    return this.#modSeq;
  }

  add(number: number, { modSeq }: Pick<Entry, 'modSeq'>): void {
    this.#numbers.push(number);
    this.#modSeq = Math.max(this.#modSeq, modSeq);
  }
}

/** How a result is answered. */
export interface AnswerOptions {
  readonly name: 'SEARCH' | 'SORT';
  readonly returns: SearchReturns;
  readonly isUid: boolean;
  readonly criterion: Criterion;
}

/** Whether MIN or MAX is wanted and nothing that needs the other messages: RFC 4731 section 3.2, RFC 5182 section 2.4. */
export function wantsEndsOnly(returns: SearchReturns): boolean {
  if (returns === undefined || returns.has('ALL') || returns.has('COUNT')) return false;
  return returns.has('MIN') || returns.has('MAX');
}

/** Saves the result where that is asked for, and writes it. */
export async function answerSearch(
  session: SessionContext,
  view: MailboxView,
  result: SearchResult,
  { name, returns, isUid, criterion }: AnswerOptions,
): Promise<void> {
  if (returns?.has('SAVE') === true) view.saveMessages(result.numbers.toSorted((a, b) => a - b));
  const told = isUid ? result.numbers.map((number) => view.uidOf(number) ?? 0) : result.numbers;
  const modSeq = usesModSeq(criterion) && told.length > 0 ? result.modSeq : undefined;
  if (returns === undefined) {
    await writePieces(session, formatFound(name, told, modSeq));
    return;
  }
  // RFC 5182 section 1: SAVE alone answers nothing.
  if (returns.size === 1 && returns.has('SAVE')) return;
  const data = {
    min: returns.has('MIN') ? told[0] : undefined,
    max: returns.has('MAX') ? told.at(-1) : undefined,
    count: returns.has('COUNT') ? told.length : undefined,
    all: returns.has('ALL') ? told : undefined,
    modSeq,
  };
  await writePieces(session, formatEsearch(session.tag, isUid, data));
}

async function writePieces({ writer, pacer }: SessionContext, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    writer.write(piece);
    if (writer.isFlushDue) await writer.flush();
    await pacer.breathe();
  }
}
