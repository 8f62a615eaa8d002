/**
 * SEARCH and UID SEARCH (RFC 3501 section 6.4.4).
 *
 * New messages are told first, then searched. The line is sent without a match too.
 */

import { WireError } from '../../base/error.ts';
import { formatBadCharset } from '../../wire/imap/responseCode.ts';
import { formatSearch } from '../../wire/imap/responses.ts';
import type { SearchArguments } from '../../wire/imap/search.ts';
import type { SearchKey } from '../../wire/imap/searchKey.ts';
import { decodeCharset } from '../../wire/mime/charset.ts';
import { failed, no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { flagBit } from '../flagNames.ts';
import { SEARCH_BODY_TEXT_LIMIT } from '../limits.ts';
import { messagesOf } from '../messageSet.ts';
import { bodyNeedlesOf, criterionOf } from '../searchCriterion.ts';
import { searchMailbox } from '../searchMailbox.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SelectedState } from '../sessionState.ts';

const CHARSETS = ['US-ASCII', 'UTF-8'];

/** Finds messages; `isUid` for UID SEARCH. */
export async function search(
  session: SessionContext,
  { selection }: SelectedState,
  args: SearchArguments,
  isUid: boolean,
): Promise<Completion> {
  if (args.returns !== undefined || usesModSeq(args.key)) throw new WireError(0, 'search-key');
  if (args.charset !== undefined && !CHARSETS.includes(args.charset)) {
    return no('This charset is not supported', formatBadCharset(CHARSETS));
  }
  await session.tellUpdates({ mayExpunge: false, isUid });
  const { view } = selection;
  const criterion = criterionOf(args.key, {
    decode: (text) => decodeCharset(text, 'utf-8'),
    numbers: (key) => messagesOf(view, key.set, key.kind === 'uids'),
    bit: flagBit,
    now: session.server.clock.now(),
  });
  if (bodyNeedlesOf(criterion).length > SEARCH_BODY_TEXT_LIMIT) return failed('limit');
  const found: number[] = [];
  for await (const { number, entry } of searchMailbox(session, selection, criterion)) {
    found.push(isUid ? entry.uid : number);
  }
  session.writer.write(formatSearch(found));
  return ok('SEARCH completed');
}

/** CONDSTORE is not offered. */
function usesModSeq(key: SearchKey): boolean {
  switch (key.kind) {
    case 'modSeq':
      return true;
    case 'not':
      return usesModSeq(key.key);
    case 'or':
      return usesModSeq(key.left) || usesModSeq(key.right);
    case 'and':
      return key.keys.some(usesModSeq);
    default:
      return false;
  }
}
