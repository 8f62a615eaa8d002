/**
 * What SEARCH, SORT and THREAD begin with: charset, updates, keys (RFC 3501 section 6.4.4, RFC 5256 section 3).
 *
 * New messages are told first, then searched. A charset that is not known is NO, a sequence number that the client was not
 * told of BAD. What the search may cost is bounded by the search room.
 */

import { WireError } from '../base/error.ts';
import { formatBadCharset } from '../wire/imap/responseCode.ts';
import { someSearchKey } from '../wire/imap/searchKey.ts';
import type { SearchProgram, SearchReturns } from '../wire/imap/search.ts';
import { decodeCharset } from '../wire/mime/charset.ts';
import { no } from './completion.ts';
import type { Completion } from './completion.ts';
import { flagBit } from './flagNames.ts';
import { messagesOf } from './messageSet.ts';
import { criterionOf } from './searchCriterion.ts';
import type { Criterion } from './searchCriterion.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';
import type { MailboxView } from './view.ts';

/** RFC 3501 section 6.4.4 wants US-ASCII, RFC 5256 section 3 UTF-8 as well; ISO-8859-1 is what old clients send. */
const CHARSETS = ['US-ASCII', 'UTF-8', 'ISO-8859-1'];

/** A search that can be asked of messages, or how it was refused. */
export type PreparedSearch =
  | { readonly kind: 'ready'; readonly criterion: Criterion }
  | { readonly kind: 'refused'; readonly completion: Completion };

/** Makes a search ready; `isUid` after UID. Errors: WireError, SessionEnd. */
export async function prepareSearch(
  session: SessionContext,
  { view }: Selection,
  { charset = 'US-ASCII', key }: SearchProgram,
  isUid: boolean,
): Promise<PreparedSearch> {
  if (!CHARSETS.includes(charset)) {
    const completion = no('This charset is not supported', formatBadCharset(CHARSETS));
    return { kind: 'refused', completion };
  }
  if (someSearchKey(key, ({ kind }) => kind === 'modSeq')) session.enable('CONDSTORE');
  // RFC 7162 section 3.2.10.2: no expunge beside a UID SEARCH that names messages by their numbers.
  if (someSearchKey(key, ({ kind }) => kind === 'numbers')) session.holdExpunges();
  await session.tellUpdates({ mayExpunge: false, isUid });
  const criterion = criterionOf(key, {
    // Clients that name no charset send UTF-8 or Latin-1 all the same.
    decode: (text) => decodeCharset(text, charset),
    numbers: (numbers) => messagesOf(view, numbers.set, numbers.kind === 'uids'),
    bit: flagBit,
    now: session.server.clock.now(),
  });
  return { kind: 'ready', criterion };
}

/**
 * Runs a search, and empties the search result variable where one that would save its result ends with NO. One that ends
 * with BAD leaves it as it was (RFC 5182 section 2.1).
 */
export async function guardSavedMessages(
  view: MailboxView,
  returns: SearchReturns,
  run: () => Promise<Completion>,
): Promise<Completion> {
  if (returns?.has('SAVE') !== true) return run();
  try {
    const completion = await run();
    if (completion.condition === 'NO') view.saveMessages([]);
    return completion;
  } catch (error) {
    if (!(error instanceof WireError)) view.saveMessages([]);
    throw error;
  }
}
