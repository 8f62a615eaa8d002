/**
 * CAPABILITY (RFC 3501 section 6.1.1).
 */

import { formatCapability } from '../../wire/imap/responses.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';

/** Tells the capabilities of this state. */
export function capability(session: SessionContext): Completion {
  session.writer.write(formatCapability(session.capabilities));
  return ok('Capability completed');
}
