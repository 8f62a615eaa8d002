/**
 * VANISHED: which UIDs are gone, told as ranges (RFC 7162 section 3.2.10).
 *
 * A client may remember millions of UIDs in a few octets, so what is worked out and told here is ranges throughout: never
 * more of them than the mailbox has messages and the client named ranges.
 */

import { formatVanished } from '../wire/imap/responses.ts';
import type { SequenceMatch } from '../wire/imap/select.ts';
import { holdsNumber, rangesOfNumbers } from '../wire/imap/sequenceSet.ts';
import type { NumberRange } from '../wire/imap/sequenceSet.ts';
import type { MailboxChanges } from '../store/contract/mailboxes.ts';
import type { SessionContext } from './sessionContext.ts';
import type { MailboxView } from './view.ts';

/** Ranges in one line: at most about 8,000 octets, the line that RFC 7162 section 4 wants to be enough for anybody. */
const RANGES_PER_LINE = 360;
/** UIDs looked at in one go, well below a millisecond. */
const SLICE_UIDS = 1000;

/**
 * The UIDs of `known`, in order, that are gone for a client that knew the mailbox at some time. What the view still shows is
 * not among them, even if it is expunged: that will be told as it goes. Where the store has forgotten when messages went, all
 * that are gone are told (section 3.2.6). In slices, so that the caller can breathe between them.
 */
export function* goneSince(
  view: MailboxView,
  { expunged, isComplete }: Pick<MailboxChanges, 'expunged' | 'isComplete'>,
  known: readonly NumberRange[],
): Generator<readonly NumberRange[], void> {
  if (!isComplete) {
    yield* view.goneWithin(known);
    return;
  }
  const isGone = (uid: number) => view.numberOf(uid) === undefined && holdsNumber(known, uid);
  for (let from = 0; from < expunged.length; from += SLICE_UIDS) {
    yield rangesOfNumbers(expunged.slice(from, from + SLICE_UIDS).filter(isGone));
  }
}

/**
 * The highest UID of a message whose number the client has right: up to there it has missed no expunge (section 3.2.5.2).
 * 0 where it has none right.
 */
export function matchedUid(view: MailboxView, { numbers, uids }: SequenceMatch): number {
  let matched = 0;
  let index = 0;
  let uid = uids[0]?.first ?? 0;
  for (const { first, last } of numbers) {
    // Numbers ascend, so that what lies above the view's ends the walk: it is never longer than the mailbox.
    for (let number = first; number <= last && number <= view.count; number += 1) {
      if (view.uidOf(number) === uid) matched = uid;
      if (uid < (uids[index]?.last ?? 0)) uid += 1;
      else uid = uids[++index]?.first ?? 0;
    }
  }
  return matched;
}

/** What of `ranges` lies above `uid`. */
export function rangesAbove(ranges: readonly NumberRange[], uid: number): readonly NumberRange[] {
  return ranges
    .filter(({ last }) => last > uid)
    .map(({ first, last }) => ({ first: Math.max(first, uid + 1), last }));
}

/** Tells that UIDs, in order and in slices, are gone; nothing where none are. */
export async function writeVanished(
  { writer, pacer }: Pick<SessionContext, 'writer' | 'pacer'>,
  slices: Iterable<readonly NumberRange[]>,
  isEarlier: boolean,
): Promise<void> {
  let ranges: NumberRange[] = [];
  for (const slice of slices) {
    for (const range of slice) {
      const before = ranges.at(-1);
      if (before?.last === range.first - 1) ranges[ranges.length - 1] = { ...before, last: range.last };
      else ranges.push(range);
    }
    while (ranges.length > RANGES_PER_LINE) {
      writer.write(formatVanished(ranges.slice(0, RANGES_PER_LINE), isEarlier));
      ranges = ranges.slice(RANGES_PER_LINE);
      if (writer.isFlushDue) await writer.flush();
    }
    await pacer.breathe();
  }
  if (ranges.length > 0) writer.write(formatVanished(ranges, isEarlier));
}
