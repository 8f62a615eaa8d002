/**
 * The POP3 server: its listeners and the sessions on them. Door of the room.
 */

import type { Socket } from 'node:net';
import { MailError } from '../base/error.ts';
import { formatErr } from '../wire/pop3/reply.ts';
import { Connection } from '../net/connection.ts';
import type { ConnectionCaps } from '../net/connectionCaps.ts';
import { type Listener, openListener, type TlsMode } from '../net/listener.ts';
import type { TlsContexts } from '../net/tlsContext.ts';
import type { Pop3Surroundings } from './context.ts';
import { Pop3Session } from './session.ts';

/** One listener of the room. */
export interface Pop3ListenerOptions {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tls: TlsMode;
  readonly tlsContexts: TlsContexts;
  readonly caps: ConnectionCaps;
}

/** What the room is handed. */
export interface Pop3dOptions extends Omit<Pop3Surroundings, 'tls' | 'tlsContexts'> {
  readonly listeners: readonly Pop3ListenerOptions[];
}

/** The running room. */
export interface Pop3d {
  readonly listeners: readonly Listener[];
  /** Stops accepting, tells every session, and cuts what is left after the deadline. */
  close(deadlineMs: number): Promise<void>;
}

/** Opens all listeners, or none. Errors: `cannot` (address in use). */
export async function openPop3d(options: Pop3dOptions): Promise<Pop3d> {
  const sessions = new Set<Pop3Session>();
  const listeners: Listener[] = [];
  const close = async (deadlineMs: number) => {
    for (const session of sessions) session.stop();
    await Promise.all(listeners.map((listener) => listener.close(deadlineMs)));
  };
  try {
    for (const listener of options.listeners) listeners.push(await listen(listener, options, sessions));
  } catch (error) {
    await close(0);
    throw error;
  }
  return { listeners, close };
}

function listen(
  listener: Pop3ListenerOptions,
  options: Pop3dOptions,
  sessions: Set<Pop3Session>,
): Promise<Listener> {
  const { clock, log } = options;
  const surroundings: Pop3Surroundings = { ...options, tls: listener.tls, tlsContexts: listener.tlsContexts };
  return openListener({ ...listener, clock, log, onRefused: sayBusy }, async (socket) => {
    const session = new Pop3Session(new Connection(socket, { clock }), surroundings);
    sessions.add(session);
    await session.run();
    sessions.delete(session);
  });
}

function sayBusy(socket: Socket): void {
  const { reply } = new MailError('tooBusy');
  socket.write(formatErr(reply.publicText, reply.pop3.code));
}
