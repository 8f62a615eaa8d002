/**
 * The head of a command: its tag and its name.
 *
 * RFC 3501 section 9: command, tag, uid. Sessions read the head first, look the name up in their table and hand the decoder
 * on to that command's parser, which finds SP or the end next.
 * Trust: names are not checked against any list here; see uid.ts for those that may follow UID.
 */

import type { CommandDecoder } from './decoder.ts';
import { OCTET_CLASSES, TAG_CHAR } from './octetClass.ts';
import { parseUidCommandName } from './uid.ts';

/** What every command begins with. */
export interface CommandHead {
  /** In the very octets that were sent. */
  readonly tag: string;
  /** In upper case; for `UID FETCH` it is `FETCH`. */
  readonly name: string;
  /** Whether UID came before the name. */
  readonly isUid: boolean;
}

/** Takes tag and name. */
export function parseCommandHead(decoder: CommandDecoder): CommandHead {
  const tag = decoder.tag();
  decoder.sp();
  const name = decoder.atom().toUpperCase();
  if (name !== 'UID') return { tag, name, isUid: false };
  decoder.sp();
  return { tag, name: parseUidCommandName(decoder), isUid: true };
}

/** The tag at the beginning of a command's first line, for the answer to a command that does not parse; undefined without one. */
export function findTag(line: Buffer): string | undefined {
  let end = 0;
  while (end < line.length && ((OCTET_CLASSES[line[end] as number] as number) & TAG_CHAR) !== 0) end += 1;
  const isTag = end > 0 && (end === line.length || line[end] === 0x20);
  return isTag ? line.toString('latin1', 0, end) : undefined;
}
