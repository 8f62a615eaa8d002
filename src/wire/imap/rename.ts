/**
 * RENAME: from one mailbox name to another.
 *
 * RFC 3501 section 6.3.5 and section 9: rename. RFC 4466's rename-params have no member yet and are errors.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';

/** RENAME's arguments. */
export interface RenameArguments {
  readonly from: string;
  readonly to: string;
}

/** Takes RENAME's arguments. */
export function parseRename(decoder: CommandDecoder): RenameArguments {
  decoder.sp();
  const from = parseMailbox(decoder);
  decoder.sp();
  const to = parseMailbox(decoder);
  decoder.eof();
  return { from, to };
}
