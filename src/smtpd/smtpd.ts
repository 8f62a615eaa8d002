/**
 * The SMTP server: its listeners and an engine for each. Door of the room.
 *
 * Relay-in takes what Exchange Online (or any SMTP client) hands over for our own domains; submission what our applications and
 * devices hand over, which log in or stand in a trusted range.
 */

import type { Socket } from 'node:net';

import type { Clock } from '../base/clock.ts';
import { MAIL_ERRORS } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { formatReply } from '../wire/smtp/reply.ts';
import { type KeptPlace, type Listener, openListener } from '../net/listener.ts';
import type { RefusalReason } from '../net/refusals.ts';
import type { SessionListenerOptions } from '../net/sessionListener.ts';
import { type OpenTap, tellTlsFailure } from '../net/sessionTap.ts';
import type { TrustRoots } from '../net/trustRoots.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { IpRanges } from '../accounts/ipRanges.ts';
import type { Door } from '../exchange/door.ts';
import type { SessionDoor, BareLineFeed, SmtpOptions, SmtpRole } from './context.ts';
import { EngineServer } from './engine/server.ts';

/** One listener of the room. */
export interface SmtpListenerOptions extends SessionListenerOptions {
  /** Relay-in unless given. */
  readonly role?: SmtpRole;
  /** Takes what old clients write against the grammar; not unless given. */
  readonly isLenient?: boolean;
  /** The room's own where it is not given. */
  readonly bareLineFeed?: BareLineFeed;
  /** What proves on relay-in that mail is of our Exchange Online; everybody is let in without. */
  readonly door?: Door;
  readonly trustRoots?: TrustRoots;
}

/** All that the room is handed. */
export interface SmtpdOptions extends SmtpOptions {
  readonly listeners: readonly SmtpListenerOptions[];
  /** The host name in the greeting. */
  readonly serverName: string;
  /** Why no mail is taken in just now, in words for senders; undefined where it is. */
  readonly maintenance?: () => string | undefined;
  readonly transfer: SessionDoor;
  readonly accounts: Pick<Accounts, 'authenticate' | 'challengeLogins' | 'isActive'>;
  readonly ipRanges: Pick<IpRanges, 'rangeOf'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears sessions, for a protocol log. */
  readonly tap?: OpenTap;
}

/** The running room. */
export interface Smtpd {
  readonly listeners: readonly Listener[];
  /**
   * Stops accepting, tells every session, and cuts what is left after the deadline. Resolves when nothing is under way any more:
   * a commit that has begun is waited for.
   */
  close(deadlineMs: number): Promise<void>;
}

/** Opens all listeners, or none. Errors: `cannot` (address in use). */
export async function openSmtpd(options: SmtpdOptions): Promise<Smtpd> {
  const engines: EngineServer[] = [];
  const listeners: Listener[] = [];
  const close = async (deadlineMs: number) => {
    const closed = listeners.map((listener) => listener.close(deadlineMs));
    await Promise.all([...engines.map((engine) => engine.stop()), ...closed]);
  };
  try {
    for (const listener of options.listeners) {
      const { clock, log, serverName } = options;
      const engine = new EngineServer({
        ...options,
        ...listener,
        role: listener.role ?? 'relayIn',
        listener: listener.name,
      });
      engines.push(engine);
      const onRefused = (socket: Socket, why: RefusalReason) => sayRefused(socket, why, serverName);
      const onTlsFailed = tellTlsFailure(options.tap, 'smtp', listener.name);
      const connect = (socket: Socket, place: KeptPlace) => engine.serve(socket, place);
      const asksCertificate = listener.door?.asksCertificate ?? false;
      const opening = { ...listener, asksCertificate, clock, log, onRefused, onTlsFailed };
      listeners.push(await openListener(opening, connect));
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { listeners, close };
}

/**
 * Stands in place of the greeting, which has no enhanced status (RFC 2034 section 3). Deviates from RFC 5321 section 3.1, where
 * a server that greets with 554 waits for QUIT, because who is barred shall not hold a connection.
 */
function sayRefused(socket: Socket, why: RefusalReason, serverName: string): void {
  const { smtp, publicText } = MAIL_ERRORS[why === 'barred' ? 'addressBarred' : why];
  socket.write(formatReply(smtp.code, undefined, `${serverName} ${publicText}`));
}
