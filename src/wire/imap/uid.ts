/**
 * UID: the prefix that makes a command speak of unique identifiers in place of message sequence numbers.
 *
 * RFC 3501 section 6.4.8 (uid: copy, fetch, search, store), RFC 4315 section 2.1 (uid-expunge), RFC 6851 section 5 (move),
 * RFC 5256 section 5 (sort, thread).
 */

import type { CommandDecoder } from './decoder.ts';

/** The names that may follow UID. */
export const UID_COMMAND_NAMES: ReadonlySet<string> = new Set([
  'COPY',
  'EXPUNGE',
  'FETCH',
  'MOVE',
  'SEARCH',
  'SORT',
  'STORE',
  'THREAD',
]);

/** Takes the name after `UID SP`, in upper case. */
export function parseUidCommandName(decoder: CommandDecoder): string {
  const start = decoder.offset;
  const name = decoder.atom().toUpperCase();
  if (!UID_COMMAND_NAMES.has(name))
    throw decoder.error('COPY, EXPUNGE, FETCH, MOVE, SEARCH, SORT, STORE or THREAD', start);
  return name;
}
