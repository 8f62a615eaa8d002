/**
 * A client's sequence set as messages of its view (RFC 3501 section 9: sequence-set; sections 6.4.8 and 2.3.1.2).
 *
 * UIDs that the client does not know are left out; a sequence number that it does not know is an error (BAD): it was never
 * told of it. A range with `*` is never one: `5:*` in a mailbox of three is the third, and `1:*` in an empty one is nothing,
 * because home-made clients fetch `1:*` without looking at EXISTS. `$` names what a SEARCH saved, by number and by UID alike
 * (RFC 5182 section 2.1).
 */

import { WireError } from '../base/error.ts';
import { resolveSequenceSet } from '../wire/imap/sequenceSet.ts';
import type { MessageSet, NumberRange, SequenceRange } from '../wire/imap/sequenceSet.ts';
import type { UidRange } from '../store/contract/mailboxes.ts';
import type { MailboxView } from './view.ts';

/** The numbers of the messages that `set` names, sorted and disjoint. Errors: WireError. */
export function messagesOf(view: MailboxView, set: MessageSet, isUid: boolean): readonly NumberRange[] {
  if (set === '$') return view.savedMessages;
  if (!isUid) {
    if (set.some((range) => isUnknown(range, view.count))) {
      throw new WireError(0, `message sequence numbers from 1 to ${view.count}`);
    }
    return resolveSequenceSet(set, view.count);
  }
  const spans: NumberRange[] = [];
  // `*` is the highest UID in use; what is higher names nothing, but for a range that ends with `*`.
  for (const { first, last } of resolveSequenceSet(set, view.lastUid)) {
    const span = view.spanOfUids(first, last);
    if (span !== undefined) spans.push(span);
  }
  return spans;
}

function isUnknown({ first, last }: SequenceRange, count: number): boolean {
  return first !== '*' && last !== '*' && (first > count || last > count);
}

/** The UIDs of messages, as ranges for the store. */
export function uidRangesOf(view: MailboxView, messages: readonly NumberRange[]): readonly UidRange[] {
  return messages.map((span) => view.uidRange(span));
}

/** How many messages the ranges hold. */
export function countMessages(messages: readonly NumberRange[]): number {
  return messages.reduce((count, { first, last }) => count + last - first + 1, 0);
}
