/**
 * STORE and UID STORE: which flags to set, add or remove.
 *
 * RFC 3501 section 6.4.6 and section 9: store, store-att-flags; RFC 4466 section 3: store-modifiers; RFC 7162 section 7:
 * UNCHANGEDSINCE.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseBareFlags, parseFlagList } from './flags.ts';
import type { FlagList } from './flags.ts';
import { parseMessageSet } from './sequenceSet.ts';
import type { MessageSet } from './sequenceSet.ts';

/** STORE's arguments. */
export interface StoreArguments {
  readonly set: MessageSet;
  readonly operation: 'add' | 'remove' | 'replace';
  readonly isSilent: boolean;
  readonly flags: FlagList;
  /** Leave alone what has a higher mod-sequence; 0 leaves alone everything. */
  readonly unchangedSince: number | undefined;
}

const PARENTHESIS_OPEN = 0x28;
const PLUS = 0x2b;
const HYPHEN = 0x2d;

/** Takes STORE's arguments. */
export function parseStore(decoder: CommandDecoder): StoreArguments {
  decoder.sp();
  const set = parseMessageSet(decoder);
  decoder.sp();
  const unchangedSince = decoder.peek() === PARENTHESIS_OPEN ? parseModifiers(decoder) : undefined;
  const operation = parseOperation(decoder);
  const isSilent = parseFlagsItem(decoder);
  decoder.sp();
  const flags = decoder.peek() === PARENTHESIS_OPEN ? parseFlagList(decoder) : parseBareFlags(decoder);
  decoder.eof();
  return { set, operation, isSilent, flags, unchangedSince };
}

function parseModifiers(decoder: CommandDecoder): number | undefined {
  decoder.special('(');
  const start = decoder.offset;
  if (decoder.label('store-modifier') !== 'UNCHANGEDSINCE') throw decoder.error('UNCHANGEDSINCE', start);
  decoder.sp();
  const unchangedSince = decoder.number64();
  decoder.special(')');
  decoder.sp();
  return unchangedSince;
}

function parseOperation(decoder: CommandDecoder): StoreArguments['operation'] {
  if (decoder.accept(PLUS)) return 'add';
  return decoder.accept(HYPHEN) ? 'remove' : 'replace';
}

/** FLAGS or FLAGS.SILENT; whether it is silent. */
function parseFlagsItem(decoder: CommandDecoder): boolean {
  const start = decoder.offset;
  const name = decoder.label('FLAGS');
  if (name !== 'FLAGS' && name !== 'FLAGS.SILENT') throw decoder.error('FLAGS or FLAGS.SILENT', start);
  return name === 'FLAGS.SILENT';
}
