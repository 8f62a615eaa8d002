/**
 * What a session tells an administrator who tries a relay without a message: each step as one line.
 */

import { TLSSocket } from 'node:tls';

import { normalizeAddress } from '../../net/addressRange.ts';
import type { RelayCheck } from '../../transfer/relay.ts';
import type { HopConnection } from './hopConnection.ts';
import type { TakenSession } from './sessionPool.ts';

/** Describes the session, in which `user` has logged in, and ends it. */
export async function checkSession(session: TakenSession, user?: string): Promise<RelayCheck> {
  if (session.kind === 'failed')
    return { isReady: false, steps: [session.trouble.reason], trouble: session.trouble };
  const { connection } = session;
  const steps = [
    connected(connection),
    `greeted: ${connection.greeting}`,
    secured(connection),
    offered(connection),
    user === undefined ? 'no login' : `logged in as ${user}`,
  ];
  await connection.quit();
  return { isReady: true, steps };
}

function connected({ host, socket }: HopConnection): string {
  return `connected to ${host} (${normalizeAddress(socket.remoteAddress ?? '')} port ${socket.remotePort})`;
}

function secured({ socket }: HopConnection): string {
  if (!(socket instanceof TLSSocket)) return 'no TLS: everything goes in clear';
  const { subject, valid_to: until } = socket.getPeerCertificate();
  const proof = socket.authorized ? 'verified' : 'not verified';
  const name = typeof subject?.CN === 'string' ? ` of ${subject.CN}` : '';
  return `${socket.getProtocol()} with ${socket.getCipher().standardName}, certificate${name} until ${until}, ${proof}`;
}

function offered({ keywords }: HopConnection): string {
  const all = [...keywords].map(([keyword, value]) => (value === '' ? keyword : `${keyword} ${value}`));
  return all.length === 0 ? 'offers no extension' : `offers ${all.join(', ')}`;
}
