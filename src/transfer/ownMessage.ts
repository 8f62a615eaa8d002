/**
 * What messages that this server writes itself (reports, vacation replies, trials of relays) have in common when they come in by the one door.
 *
 * Nobody has submitted them: what they may do beyond that, whoever writes one says in its own origin.
 */

import type { SessionOrigin } from './contract.ts';

/** The origin of a message of our own, from no listener and no client; `serverName` is who wrote it. */
export function ownOrigin(serverName: string): SessionOrigin {
  return {
    kind: 'report',
    listener: '',
    remoteAddress: '',
    heloName: serverName,
    isExtended: true,
    tls: undefined,
    role: 'relayIn',
    submitter: { kind: 'anyone' },
  };
}

/** A message that is in memory, as the door takes it. */
export async function* inOnePiece(octets: Buffer): AsyncGenerator<Buffer> {
  yield octets;
}
