/**
 * LOGOUT (RFC 3501 section 6.1.3): BYE, then OK, then the end, in any state.
 */

import { formatUntagged } from '../../wire/imap/responses.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';

/** Says goodbye; the session closes the connection after the completion. */
export function logout(session: SessionContext): Completion {
  session.writer.write(formatUntagged('BYE', 'Logging out'));
  session.enter({ kind: 'logout' });
  return ok('LOGOUT completed');
}
