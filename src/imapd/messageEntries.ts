/**
 * The entries of some messages, in the order of their numbers and in slices, as FETCH, STORE and SEARCH read them.
 *
 * A client that names every other message names thousands of ranges. Each costs a question to the store, so ranges that are
 * near each other are read as one; and between two questions others have their turn, also where all entries are gone.
 */

import { holdsNumber } from '../wire/imap/sequenceSet.ts';
import type { NumberRange } from '../wire/imap/sequenceSet.ts';
import type { Entry, EntryFlags, UidRange } from '../store/contract/mailboxes.ts';
import { uidRangesOf } from './messageSet.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';

/** Messages that are read along where that saves a question to the store: about what a question costs. */
const GAP_MESSAGES = 16;

/** The entries of `messages`, which are in order; those that are gone are left out. Errors: the store's. */
export function entriesOf(
  session: SessionContext,
  selection: Selection,
  messages: readonly NumberRange[],
): AsyncGenerator<readonly Entry[]> {
  const { mailboxes } = session.server;
  return readAll(session, selection, messages, (range) => mailboxes.entries(selection.id, range));
}

/** The same of their flags alone, in half the time. */
export function flagsOf(
  session: SessionContext,
  selection: Selection,
  messages: readonly NumberRange[],
): AsyncGenerator<readonly EntryFlags[]> {
  const { mailboxes } = session.server;
  return readAll(session, selection, messages, (range) => mailboxes.flags(selection.id, range));
}

async function* readAll<Read extends EntryFlags>(
  { pacer }: SessionContext,
  { view }: Selection,
  messages: readonly NumberRange[],
  read: (range: UidRange) => AsyncIterable<readonly Read[]>,
): AsyncGenerator<readonly Read[]> {
  const joined = joinNear(messages);
  const isAmong = ({ uid }: EntryFlags) => {
    const number = view.numberOf(uid);
    return number !== undefined && holdsNumber(messages, number);
  };
  for (const range of uidRangesOf(view, joined)) {
    for await (const entries of read(range)) {
      // Between the ends of a range the client knows every message that there is.
      const wanted = joined.length === messages.length ? entries : entries.filter(isAmong);
      if (wanted.length > 0) yield wanted;
    }
    await pacer.breathe();
  }
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
