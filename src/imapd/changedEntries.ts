/**
 * The entries of some messages that have changed since a mod-sequence (RFC 7162 section 3.1.4.1), in the order of their
 * numbers and in slices: which UIDs they are is held at once, what they hold is not.
 *
 * For FETCH with CHANGEDSINCE and for SELECT with QRESYNC.
 */

import { holdsNumber, rangesOfNumbers } from '../wire/imap/sequenceSet.ts';
import type { NumberRange } from '../wire/imap/sequenceSet.ts';
import type { Entry } from '../store/contract/mailboxes.ts';
import { uidRangesOf } from './messageSet.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';

/** Unchanged messages that are read along where that saves a question to the store: about what a question costs. */
const GAP_MESSAGES = 16;

/** The entries of `messages`, which are in order, whose mod-sequence is above `since`. */
export async function* changedEntries(
  { server, pacer }: SessionContext,
  { id, view }: Selection,
  messages: readonly NumberRange[],
  since: number,
): AsyncGenerator<readonly Entry[]> {
  const numbers: number[] = [];
  const uids = await server.mailboxes.changedUids(id, since);
  for (const [index, uid] of uids.entries()) {
    const number = view.numberOf(uid);
    if (number !== undefined && holdsNumber(messages, number)) numbers.push(number);
    if (index % 1000 === 0) await pacer.breathe();
  }
  for (const range of uidRangesOf(view, joinNear(rangesOfNumbers(numbers)))) {
    for await (const entries of server.mailboxes.entries(id, range)) {
      const changed = entries.filter(
        ({ uid, modSeq }) => modSeq > since && isAmong(view.numberOf(uid), messages),
      );
      if (changed.length > 0) yield changed;
    }
  }
}

function isAmong(number: number | undefined, messages: readonly NumberRange[]): boolean {
  return number !== undefined && holdsNumber(messages, number);
}

function joinNear(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const joined: NumberRange[] = [];
  for (const range of ranges) {
    const before = joined.at(-1);
    if (before === undefined || range.first > before.last + GAP_MESSAGES) joined.push(range);
    else joined[joined.length - 1] = { first: before.first, last: range.last };
  }
  return joined;
}
