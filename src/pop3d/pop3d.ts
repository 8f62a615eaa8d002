/**
 * The POP3 server: its listeners and the sessions on them. Door of the room.
 */

import type { Socket } from 'node:net';
import { MAIL_ERRORS } from '../base/error.ts';
import { formatErr } from '../wire/pop3/reply.ts';
import { Connection } from '../net/connection.ts';
import { type Listener, openListener } from '../net/listener.ts';
import type { RefusalReason } from '../net/refusals.ts';
import { openTap, tellTlsFailure } from '../net/sessionTap.ts';
import type { Pop3Surroundings } from './context.ts';
import { LoginDelays } from './loginDelays.ts';
import { MaildropLocks } from './maildropLocks.ts';
import { type Pop3dOptions, type Pop3ListenerOptions, settingsOf } from './options.ts';
import { Pop3Session } from './session.ts';

/** The running room. */
export interface Pop3d {
  readonly listeners: readonly Listener[];
  /** Sessions that are open. */
  readonly sessionCount: number;
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
    const common = commonSurroundings(options);
    for (const listener of options.listeners) listeners.push(await listen(listener, common, sessions));
  } catch (error) {
    await close(0);
    throw error;
  }
  return {
    listeners,
    get sessionCount() {
      return sessions.size;
    },
    close,
  };
}

/** What the sessions of all listeners share: a maildrop is locked for all of them. */
type CommonSurroundings = Omit<Pop3Surroundings, 'tls' | 'tlsContexts' | 'needsTls'>;

function commonSurroundings(options: Pop3dOptions): CommonSurroundings {
  const settings = settingsOf(options);
  const { clock } = options;
  const loginDelays = new LoginDelays(clock, settings.loginDelaySeconds);
  return { ...options, settings, locks: new MaildropLocks(clock), loginDelays };
}

function listen(
  listener: Pop3ListenerOptions,
  common: CommonSurroundings,
  sessions: Set<Pop3Session>,
): Promise<Listener> {
  const { clock, log, tap } = common;
  const onTlsFailed = tellTlsFailure(tap, 'pop3', listener.name);
  const surroundings: Pop3Surroundings = { ...common, ...listener };
  return openListener(
    { ...listener, clock, log, onRefused: sayRefused, onTlsFailed },
    async (socket, place) => {
      const heard = openTap(tap, 'pop3', listener.name, socket);
      const connection = new Connection(socket, { clock, place, tap: heard });
      const session = new Pop3Session(connection, surroundings);
      sessions.add(session);
      await session.run();
      sessions.delete(session);
    },
  );
}

function sayRefused(socket: Socket, why: RefusalReason): void {
  const { publicText, pop3 } = MAIL_ERRORS[why === 'barred' ? 'addressBarred' : why];
  socket.write(formatErr(publicText, pop3.code));
}
