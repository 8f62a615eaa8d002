/**
 * The entries of some messages that have changed since a mod-sequence (RFC 7162 section 3.1.4.1), in the order of their
 * numbers and in slices: which UIDs they are is held at once, what they hold is not.
 *
 * For FETCH with CHANGEDSINCE and for SELECT with QRESYNC.
 */

import { holdsNumber, rangesOfNumbers } from '../wire/imap/sequenceSet.ts';
import type { NumberRange } from '../wire/imap/sequenceSet.ts';
import type { Entry } from '../store/contract/mailboxes.ts';
import { entriesOf } from './messageEntries.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';

/** The entries of `messages`, which are in order, whose mod-sequence is above `since`. */
export async function* changedEntries(
  session: SessionContext,
  selection: Selection,
  messages: readonly NumberRange[],
  since: number,
): AsyncGenerator<readonly Entry[]> {
  const numbers: number[] = [];
  const uids = await session.server.mailboxes.changedUids(selection.id, since);
  for (const [index, uid] of uids.entries()) {
    const number = selection.view.numberOf(uid);
    if (number !== undefined && holdsNumber(messages, number)) numbers.push(number);
    if (index % 1000 === 0) await session.pacer.breathe();
  }
  yield* entriesOf(session, selection, rangesOfNumbers(numbers));
}
