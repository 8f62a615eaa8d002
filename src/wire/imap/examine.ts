/**
 * EXAMINE: SELECT's grammar under another name.
 *
 * RFC 3501 section 6.3.2 and section 9: examine; RFC 4466 section 3.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseSelect } from './select.ts';
import type { SelectArguments } from './select.ts';

/** Takes EXAMINE's arguments. */
export function parseExamine(decoder: CommandDecoder): SelectArguments {
  return parseSelect(decoder);
}
