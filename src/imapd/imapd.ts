/**
 * The IMAP server: its listeners and the sessions on them. Door of the room.
 */

import type { Socket } from 'node:net';

import { MAIL_ERRORS } from '../base/error.ts';
import { formatUntagged } from '../wire/imap/responses.ts';
import { Connection } from '../net/connection.ts';
import { openListener } from '../net/listener.ts';
import type { Listener } from '../net/listener.ts';
import type { RefusalReason } from '../net/refusals.ts';
import { openTap, tellTlsFailure } from '../net/sessionTap.ts';
import { AccountSessions } from './accountSessions.ts';
import { CompressionSlots } from './compressionSlots.ts';
import { settingsOf } from './options.ts';
import type { ImapdOptions, ImapListenerOptions } from './options.ts';
import { RecentClaims } from './recentClaims.ts';
import { ImapSession } from './session.ts';
import type { ServerContext } from './sessionContext.ts';

/** The running room. */
export interface Imapd {
  readonly listeners: readonly Listener[];
  /** Sessions that are open. */
  readonly sessionCount: number;
  /** Stops accepting, says BYE to every session once its command is done, and cuts what is left after the deadline. */
  close(deadlineMs: number): Promise<void>;
}

/** Opens all listeners, or none. Errors: `cannot` (address in use). */
export async function openImapd(options: ImapdOptions): Promise<Imapd> {
  const { store, accounts, search, clock } = options;
  const { mailboxes, contents, feed, trace } = store;
  const recentClaims = new RecentClaims(mailboxes);
  const settings = settingsOf(options);
  const accountSessions = new AccountSessions();
  const compressionSlots = new CompressionSlots();
  const server: ServerContext = {
    mailboxes,
    contents,
    feed,
    trace,
    accounts,
    search,
    accountSessions,
    compressionSlots,
    recentClaims,
    clock,
    settings,
  };
  const sessions = new Set<ImapSession>();
  const listeners: Listener[] = [];
  const close = async (deadlineMs: number) => {
    for (const session of sessions) session.stop();
    await Promise.all(listeners.map((listener) => listener.close(deadlineMs)));
  };
  try {
    for (const listener of options.listeners)
      listeners.push(await listen(options, server, listener, sessions));
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

function listen(
  options: ImapdOptions,
  server: ServerContext,
  listener: ImapListenerOptions,
  sessions: Set<ImapSession>,
): Promise<Listener> {
  const { clock, log, serverName, tap } = options;
  const onTlsFailed = tellTlsFailure(tap, 'imap', listener.name);
  return openListener(
    { ...listener, clock, log, onRefused: sayRefused, onTlsFailed },
    async (socket, place) => {
      const heard = openTap(tap, 'imap', listener.name, socket);
      const connection = new Connection(socket, { clock, place, tap: heard });
      const session = new ImapSession({ connection, server, listener, serverName, log });
      sessions.add(session);
      await session.run();
      sessions.delete(session);
    },
  );
}

function sayRefused(socket: Socket, why: RefusalReason): void {
  const { publicText, imap } = MAIL_ERRORS[why === 'barred' ? 'addressBarred' : why];
  socket.write(formatUntagged('BYE', publicText, imap.code));
}
