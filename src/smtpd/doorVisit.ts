/**
 * A session as the door for mail from Exchange Online sees it (src/exchange).
 */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { checkCertificate, presentedChain } from '../net/clientCertificate.ts';
import type { ClientCertificate, DoorVisitor } from '../exchange/doorVisitor.ts';
import type { SmtpContext, SmtpSurroundings } from './context.ts';

/** Who says MAIL, or hands a message over, in this session. */
export function visitorOf({ peer, certificate }: SmtpContext): DoorVisitor {
  const { remoteAddress, heloName, tls } = peer;
  return { remoteAddress, heloName, tls, certificate };
}

/** What the certificate of a client shows; absent where the listener asks for none, and without TLS. Looked at once. */
export function certificateOf(socket: Socket, surroundings: SmtpSurroundings): ClientCertificate {
  const { door, trustRoots: roots, clock } = surroundings;
  if (door?.asksCertificate !== true || roots === undefined || !(socket instanceof TLSSocket))
    return { kind: 'absent' };
  const { certificateNames: names } = door;
  const found =
    looked.get(socket) ?? checkCertificate(presentedChain(socket), { names, roots, now: clock.now() });
  looked.set(socket, found);
  return found;
}

const looked = new WeakMap<Socket, ClientCertificate>();
