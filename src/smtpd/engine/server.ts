/**
 * smtp-server without its listener, its certificate and its handlers: sockets come from net's listeners, TLS contexts from net,
 * commands from ours. One for each listener of the room.
 *
 * Relies on smtp-server 3.21.6: `connect` makes the connection of a socket, `connections` holds those that are open. `connect`
 * and EngineConnection's `_createParser` belong together: overridden alone, neither has an effect.
 */

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';

import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';

import type { KeptPlace } from '../../net/listener.ts';
import type { SmtpSurroundings } from '../context.ts';
import { EngineConnection } from './connection.ts';

/** The SMTP engine of one listener. */
export class EngineServer extends SMTPServer {
  readonly #surroundings: SmtpSurroundings;
  readonly #open = new Set<EngineConnection>();

  constructor(surroundings: SmtpSurroundings) {
    super(engineOptions(surroundings));
    this.#surroundings = surroundings;
    // Errors of connections stay with them; what is left is a fault that nobody foresaw, and must not end the process.
    this.on('error', (error) => surroundings.log.error('smtpd.engine.failed', { error }));
  }

  /** Serves `socket`, of which nothing has been read. */
  serve(socket: Socket, place?: KeptPlace): void {
    const id = randomBytes(6).toString('base64url');
    const connection = new EngineConnection(this, socket, id, this.#surroundings, place);
    this.connections.add(connection);
    this.#open.add(connection);
    void connection.ended.then(() => this.#open.delete(connection));
    connection.init();
  }

  override connect(socket: Socket): void {
    this.serve(socket);
  }

  /** Tells every session that the server stops. Resolves when all have ended, and nothing of theirs is under way any more. */
  async stop(): Promise<void> {
    const open = [...this.#open];
    for (const connection of open) connection.stop();
    await Promise.all(open.map((connection) => connection.ended));
  }

  /** The library would make contexts of its own here, with a key that is published in its sources where none is given. */
  override updateSecureContext(): void {}

  /** The library waits for a turn of the event loop here; the greeting shall not. */
  override onConnect(_session: SMTPServerSession, callback: (error?: Error | null) => void): void {
    callback();
  }

  /** As onConnect, on a listener with TLS from the first octet. */
  override onSecure(
    _socket: Socket,
    _session: SMTPServerSession,
    callback: (error?: Error | null) => void,
  ): void {
    callback();
  }
}

/** What facts and audit ask for; commands and limits that ours replace are not named. */
function engineOptions({ role, tls, serverName, sizeLimitOctets }: SmtpSurroundings): SMTPServerOptions {
  const hasStartTls = tls === 'starttls' || tls === 'required';
  return {
    name: serverName,
    banner: 'Hauspost',
    heloResponse: '%s',
    secure: tls === 'implicit',
    size: sizeLimitOctets,
    // Relay-in has no logins, and submission has ours. XCLIENT and XFORWARD change who the client is; the other three are jokes of old.
    disabledCommands: [
      ...['XCLIENT', 'XFORWARD', 'WIZ', 'SHELL', 'KILL'],
      ...(role === 'submission' ? [] : ['AUTH']),
      ...(hasStartTls ? [] : ['STARTTLS']),
    ],
    authOptional: true,
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    hideDSN: true,
    hideREQUIRETLS: true,
    logger: false,
  };
}
