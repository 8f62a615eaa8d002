/**
 * BDAT: whether a chunk may come, and what it is answered with (RFC 3030 section 2). BINARYMIME is not offered: what Exchange Online
 * needs is chunks alone, for messages with bare LF, and a server that takes binary parts must be able to pass them on.
 */

import type { SmtpContext } from '../context.ts';
import { REPLIES, type Reply, reply } from '../reply.ts';

/** What a chunk is answered with that may not come, or undefined. It stands behind its command all the same. */
export function refuseChunk({ surroundings, peer, transaction }: SmtpContext): Reply | undefined {
  if (surroundings.chunking === 'hide') return REPLIES.chunkingHidden;
  if (peer.heloName === '') return REPLIES.ehloFirst;
  if (transaction === undefined) return REPLIES.mailFirst;
  if (transaction.recipients.size > 0) return undefined;
  // RFC 3030 section 4.2: a client that pipelines sends its chunk although nobody is left.
  return transaction.isSomeRefused ? REPLIES.nobodyLeft : REPLIES.rcptFirst;
}

/** The reply to a chunk that is not the last. */
export function chunkTaken(octets: number): Reply {
  return reply(250, '2.0.0', `${octets} octets received`);
}
