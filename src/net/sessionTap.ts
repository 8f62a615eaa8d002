/**
 * What hears a session, for a protocol log: the rooms that speak a protocol tell it what passes, the log is whoever opened it.
 *
 * A tap is told nothing secret: the session masks a client's line (wire/transcript) before it hands it on, and only the
 * session knows which lines are commands, which answer a challenge and which octets are a message. Where nobody watches there is
 * no tap, and a session has an `undefined` to look at.
 */

import type { Socket } from 'node:net';

import { normalizeAddress } from './addressRange.ts';
import type { TlsInfo } from './tlsUpgrade.ts';

/** Hears one session. Its methods return at once and never throw. Lines are printable and without line end. */
export interface SessionTap {
  /** The client's next command. */
  asked(line: string): void;
  /** What the client sends that is no command: an answer to a challenge, the rest of a command behind a literal, a summary. */
  added(line: string): void;
  /** What is on its way to the client, in any pieces; buffers are only borrowed. */
  sent(data: string | Uint8Array): void;
  /** TLS is on. */
  secured(tls: TlsInfo): void;
  /** Both directions are compressed. */
  compressed(): void;
  /** The client has logged in as the account of this address. */
  loggedIn(address: string): void;
  /** A login with this name was refused. */
  loginRefused(loginName: string): void;
  /** The connection is closed, and why. Nothing follows. */
  closed(reason: string): void;
}

/** A session that begins. */
export interface TappedSession {
  readonly protocol: 'smtp' | 'pop3' | 'imap';
  /** The listener's name. */
  readonly listener: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The session's id in the log, where it has one. */
  readonly id?: string;
}

/** Asked for each session as it begins; undefined where nobody wants to hear it. */
export type OpenTap = (session: TappedSession) => SessionTap | undefined;

/** The tap of a session that begins on `socket`. */
export function openTap(
  open: OpenTap | undefined,
  protocol: TappedSession['protocol'],
  listener: string,
  socket: Socket,
  id?: string,
): SessionTap | undefined {
  if (open === undefined) return undefined;
  const { remoteAddress = '', remotePort = 0 } = socket;
  const session = { protocol, listener, remoteAddress: normalizeAddress(remoteAddress), remotePort };
  return open(id === undefined ? session : { ...session, id });
}

/** Tells a handshake that failed before there was a session, on a listener with TLS from the first octet. */
export function tellTlsFailure(
  open: OpenTap | undefined,
  protocol: TappedSession['protocol'],
  listener: string,
): (remoteAddress: string, remotePort: number, reason: string) => void {
  return (remoteAddress, remotePort, reason) => {
    open?.({ protocol, listener, remoteAddress, remotePort })?.closed(`TLS failed: ${reason}`);
  };
}
