/**
 * The answer to a command that would change a mailbox that was opened by EXAMINE (RFC 3501 section 6.3.2).
 */

import { no } from './completion.ts';
import type { Completion } from './completion.ts';

/** NO [READ-ONLY]. */
export function readOnly(): Completion {
  return no('The mailbox is read-only', 'READ-ONLY');
}
