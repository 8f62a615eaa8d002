/**
 * MOVE and UID MOVE: COPY's grammar under another name.
 *
 * RFC 6851 section 5: move.
 */

import { parseCopy } from './copy.ts';
import type { CopyArguments } from './copy.ts';
import type { CommandDecoder } from './decoder.ts';

/** Takes MOVE's arguments. */
export function parseMove(decoder: CommandDecoder): CopyArguments {
  return parseCopy(decoder);
}
