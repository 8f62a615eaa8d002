/**
 * UID EXPUNGE: which of the deleted messages to expunge. EXPUNGE alone has no arguments (noArguments.ts).
 *
 * RFC 4315 section 4: uid-expunge.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMessageSet } from './sequenceSet.ts';
import type { MessageSet } from './sequenceSet.ts';

/** UID EXPUNGE's argument. */
export interface UidExpungeArguments {
  readonly set: MessageSet;
}

/** Takes UID EXPUNGE's argument. */
export function parseUidExpunge(decoder: CommandDecoder): UidExpungeArguments {
  decoder.sp();
  const set = parseMessageSet(decoder);
  decoder.eof();
  return { set };
}
