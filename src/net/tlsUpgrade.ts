/**
 * Puts TLS on a socket that has been accepted: for implicit TLS at once, for STARTTLS (RFC 3207, RFC 2595) later.
 *
 * The wrapped socket belongs to the TLSSocket from then on and must not be destroyed under it: tearing a TLS wrap down from
 * below in the middle of a handshake has crashed Node (smtp-server's sources say so as well). Whoever keeps the plain
 * socket, as the listener does, therefore closes it by destroySocket, which destroys the topmost one.
 * Trust: the octets of the handshake, which OpenSSL bounds; time is bounded by HANDSHAKE_DEADLINE_MS.
 */

import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { SECOND_MS } from '../base/units.ts';
import { explainTlsFailure } from './tlsFailure.ts';

/** How long a handshake may take. A handshake is two round trips; a satellite line and a loaded client fit in easily. */
export const HANDSHAKE_DEADLINE_MS = 30 * SECOND_MS;

/** What TLS agreed on, for logs and for Received fields. */
export interface TlsInfo {
  /** `TLSv1.3` and so on. */
  readonly protocol: string;
  /** The cipher by its RFC name, `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
}

/** What TLS agreed on, once the handshake is done. */
export function tlsInfoOf(socket: TLSSocket): TlsInfo {
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher()?.standardName ?? 'unknown',
  };
}

/** A handshake under way. */
export interface TlsHandshake {
  /** The socket that carries the session from now on, already while the handshake runs. */
  readonly socket: TLSSocket;
  /**
   * Resolves when the handshake is done. Rejects, and the socket is destroyed, with MailError('deadlineExceeded'), or with
   * 'connectionLost' whose message says why it failed.
   */
  readonly secured: Promise<void>;
}

/** The TLSSocket that wraps a socket. */
const wrappers = new WeakMap<Socket, TLSSocket>();
/** Who is told when a socket has TLS. */
const watchers = new WeakMap<Socket, (secure: TLSSocket) => void>();

/** Calls `heard` once TLS is on `socket`, whoever puts it there and when: a listener sees the STARTTLS of its sessions so. */
export function onceSecured(socket: Socket, heard: (secure: TLSSocket) => void): void {
  watchers.set(socket, heard);
}

/** What a handshake may have otherwise. */
export interface HandshakeOptions {
  readonly deadlineMs?: number | undefined;
  /**
   * Whether the client is asked for its certificate. Whatever it presents, or nothing, the handshake goes on: who asks looks at it
   * (clientCertificate.ts). Its context has to be one without session tickets, or a session that is resumed has no chain.
   */
  readonly asksCertificate?: boolean | undefined;
}

/** Begins the server's side of a handshake on `socket`. Octets that `socket` has received and nobody read are taken as TLS. */
export function beginTls(
  socket: Socket,
  context: SecureContext,
  clock: Clock,
  { deadlineMs = HANDSHAKE_DEADLINE_MS, asksCertificate = false }: HandshakeOptions = {},
): TlsHandshake {
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    requestCert: asksCertificate,
    rejectUnauthorized: false,
  });
  wrappers.set(socket, secure);
  // 'close' follows every error and is what is heard; without these listeners a reset would end the process.
  socket.on('error', ignore);
  secure.on('error', ignore);
  // TLSSocket swallows errors after the handshake unless a tls.Server owns it (lib/_tls_wrap.js, _tlsError): a corrupt record
  // would leave a connection that is neither alive nor closed.
  secure.on('_tlsError', () => secure.destroy());
  return { socket: secure, secured: whenSecured(socket, secure, clock, deadlineMs) };
}

/** Whether TLS is on `socket`, or about to be. */
export function hasTls(socket: Socket): boolean {
  return socket instanceof TLSSocket || wrappers.has(socket);
}

/** Destroys `socket`, or the TLSSocket around it. */
export function destroySocket(socket: Socket): void {
  (wrappers.get(socket) ?? socket).destroy();
}

/** Destroys `socket` with a reset where that can be, so that the system drops what a stalled reader left in its buffers. */
export function resetSocket(socket: Socket): void {
  // Only a plain TCP handle can be reset (ERR_INVALID_HANDLE_TYPE otherwise).
  if (hasTls(socket)) destroySocket(socket);
  else socket.resetAndDestroy();
}

function whenSecured(socket: Socket, secure: TLSSocket, clock: Clock, deadlineMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: unknown;
    const remember = (error: unknown) => {
      failure ??= error;
    };
    const settle = (error?: MailError) => {
      deadline.clear();
      secure.off('secure', onSecure);
      secure.off('close', onClose);
      socket.off('close', onClose);
      secure.off('end', onEnd);
      socket.off('end', onEnd);
      secure.off('error', remember);
      secure.off('_tlsError', remember);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onSecure = () => {
      settle();
      watchers.get(socket)?.(secure);
    };
    const onClose = () => settle(lostInHandshake(failure));
    // A Connection's socket may stay open in one direction; in a handshake that would wait for the deadline.
    const onEnd = () => secure.destroy();
    const deadline = clock.after(deadlineMs, () => {
      settle(new MailError('deadlineExceeded', `the TLS handshake took longer than ${deadlineMs} ms`));
      secure.destroy();
    });
    // 'secure' is the event of both sides ('secureConnect' is the client's only).
    secure.on('secure', onSecure);
    secure.on('close', onClose);
    // The wrapped socket closes first; a listener that waits for it to close is then done with the deadline, too.
    socket.on('close', onClose);
    secure.on('end', onEnd);
    // A client that had closed its side before the handshake began: `secure` would never hear of it.
    socket.on('end', onEnd);
    if (socket.readableEnded) onEnd();
    secure.on('error', remember);
    secure.prependListener('_tlsError', remember);
  });
}

function lostInHandshake(failure: unknown): MailError {
  if (failure === undefined)
    return new MailError('connectionLost', 'the client closed the connection in the TLS handshake');
  return new MailError('connectionLost', explainTlsFailure(failure), { cause: failure });
}

function ignore(): void {}
