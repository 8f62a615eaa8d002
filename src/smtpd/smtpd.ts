/**
 * The SMTP server: its listeners and an engine for each. Door of the room.
 *
 * Now relay-in alone: what Exchange Online (or any SMTP client) hands over for our own domains. Submission comes with the queue.
 */

import type { Socket } from 'node:net';

import type { SMTPServerOptions } from 'smtp-server';

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import type { ConnectionCaps } from '../net/connectionCaps.ts';
import { type Listener, openListener, type TlsMode } from '../net/listener.ts';
import type { TlsContexts } from '../net/tlsContext.ts';
import type { Transfer } from '../transfer/transfer.ts';
import { EngineServer } from './engine/server.ts';
import { type BareLineFeed, createHandlers } from './handlers.ts';
import { COMMAND_DEADLINE_MS } from './limits.ts';

/** One listener of the room. */
export interface SmtpListenerOptions {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tls: TlsMode;
  readonly tlsContexts: TlsContexts;
  readonly caps: ConnectionCaps;
}

/** What an administrator may set. */
export interface SmtpOptions {
  /** Octets of the largest message (SIZE, RFC 1870). */
  readonly sizeLimitOctets: number;
  /** Recipients of one message; more are answered 452. */
  readonly recipientLimit: number;
  readonly bareLineFeed: BareLineFeed;
}

/** All that the room is handed. */
export interface SmtpdOptions extends SmtpOptions {
  readonly listeners: readonly SmtpListenerOptions[];
  /** The host name in the greeting. */
  readonly serverName: string;
  readonly transfer: Transfer;
  readonly clock: Clock;
  readonly log: Log;
}

/** The running room. */
export interface Smtpd {
  readonly listeners: readonly Listener[];
  /** Stops accepting, tells every session, and cuts what is left after the deadline. */
  close(deadlineMs: number): Promise<void>;
}

/** Opens all listeners, or none. Errors: `cannot` (address in use). */
export async function openSmtpd(options: SmtpdOptions): Promise<Smtpd> {
  const engines: EngineServer[] = [];
  const listeners: Listener[] = [];
  const close = async (deadlineMs: number) => {
    for (const engine of engines) engine.stop();
    await Promise.all(listeners.map((listener) => listener.close(deadlineMs)));
  };
  try {
    for (const listener of options.listeners) {
      const engine = createEngine(listener, options);
      engines.push(engine);
      const { clock, log } = options;
      const connect = (socket: Socket) => engine.connect(socket);
      listeners.push(await openListener({ ...listener, clock, log, onRefused: sayBusy }, connect));
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { listeners, close };
}

function createEngine(listener: SmtpListenerOptions, options: SmtpdOptions): EngineServer {
  const { transfer, clock, log } = options;
  const handlers = createHandlers({
    listener: listener.name,
    isTlsRequired: listener.tls === 'required',
    bareLineFeed: options.bareLineFeed,
    transfer,
    clock,
    log,
    onAccepted: (sessionId) => engine.findConnection(sessionId)?.noteProgress(),
  });
  const engine = new EngineServer({ ...engineOptions(listener, options), ...handlers }, clock);
  engine.on('error', (error) => log.debug('smtpd.session.broken', { error, listener: listener.name }));
  listener.tlsContexts.onReload(() => engine.updateSecureContext(listener.tlsContexts.tlsOptions()));
  return engine;
}

/** The options that facts/reliability-security.md section 3 asks for. */
function engineOptions(listener: SmtpListenerOptions, options: SmtpdOptions): SMTPServerOptions {
  const hasStartTls = listener.tls === 'starttls' || listener.tls === 'required';
  return {
    ...listener.tlsContexts.tlsOptions(),
    name: options.serverName,
    banner: 'Hauspost',
    heloResponse: '%s',
    secure: listener.tls === 'implicit',
    // Relay-in has no logins: whoever connects may hand over mail for our domains and nothing else.
    authOptional: true,
    disabledCommands: [
      'AUTH',
      'WIZ',
      'SHELL',
      'KILL',
      'XCLIENT',
      'XFORWARD',
      ...(hasStartTls ? [] : ['STARTTLS']),
    ],
    size: options.sizeLimitOctets,
    maxRecipients: options.recipientLimit,
    disableReverseLookup: true,
    // The library's own time-out for silence, 60 s by default: a scanner is silent for longer while it scans.
    socketTimeout: COMMAND_DEADLINE_MS,
    hideENHANCEDSTATUSCODES: false,
    hideDSN: true,
    hideREQUIRETLS: true,
    logger: false,
  };
}

function sayBusy(socket: Socket): void {
  const { smtp, publicText } = new MailError('tooBusy').reply;
  socket.write(`${smtp.code} ${smtp.status} ${publicText}\r\n`);
}
