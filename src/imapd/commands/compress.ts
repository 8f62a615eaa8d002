/**
 * COMPRESS=DEFLATE (RFC 4978 section 3): both directions are compressed behind the completion.
 *
 * Trust: what an octet of input may stand for, and the memory of a session, are bounded by net/compression.ts.
 */

import { bad, failed, no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';

/** Begins compression once the completion is on its way. */
export function compress(session: SessionContext): Completion {
  // Section 3 allows BAD as well; NO with the code is what Dovecot says and what tells a client that all is well.
  if (session.isCompressed) return no('DEFLATE is active already', 'COMPRESSIONACTIVE');
  if (!session.server.settings.compression) return bad('Compression is not offered');
  return session.compressAfterCompletion() ? ok('DEFLATE active') : failed('limit');
}
