/**
 * STARTTLS (RFC 3501 section 6.2.1, RFC 2595 section 3).
 *
 * Whatever the client sent behind the command in the clear is dropped, and it has to ask for the capabilities anew.
 */

import { bad, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';

/** Begins TLS once the completion is on its way. */
export function startTls(session: SessionContext): Completion {
  if (session.isSecure) return bad('TLS is on already');
  if (!session.mayStartTls) return bad('TLS is not available');
  session.startTlsAfterCompletion();
  return ok('Begin TLS negotiation now');
}
