/**
 * What a session is handed, what it knows, and what its commands may do with it. Commands know this and not the engine, so that
 * no circle of imports arises.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { TlsMode } from '../net/listener.ts';
import type { OpenTap } from '../net/sessionTap.ts';
import type { TlsContexts } from '../net/tlsContext.ts';
import type { Submitter, Transfer } from '../transfer/contract.ts';

/** How a CR or LF that is not part of CRLF is met in a message; neither ends the data. */
export type BareLineFeed = 'keep' | 'refuse';

/**
 * What a listener is for: mail of anybody for our own domains, or mail of our own applications and devices (RFC 6409 section 4.3:
 * nothing without a login).
 */
export type SmtpRole = 'relayIn' | 'submission';

/** What an administrator may set. */
export interface SmtpOptions {
  /** Octets of the largest message (SIZE, RFC 1870). */
  readonly sizeLimitOctets: number;
  /** Recipients of one message; more are answered 452. */
  readonly recipientLimit: number;
  readonly bareLineFeed: BareLineFeed;
  /** How a client is met that speaks before the greeting (RFC 5321 section 3.1); tolerated unless given. */
  readonly earlyTalkers?: 'tolerate' | 'refuse';
}

/** What the sessions of one listener are handed. */
export interface SmtpSurroundings extends SmtpOptions {
  /** The listener's name. */
  readonly listener: string;
  readonly role: SmtpRole;
  readonly tls: TlsMode;
  /** Whether an address has to have TLS before MAIL, whatever `tls` says. */
  readonly needsTls?: (remoteAddress: string) => boolean;
  readonly tlsContexts: TlsContexts;
  /** The host name in greeting and replies. */
  readonly serverName: string;
  readonly transfer: Transfer;
  readonly clock: Clock;
  readonly log: Log;
  readonly tap?: OpenTap;
}

/** The client as it has shown itself so far. */
export interface SmtpPeer {
  readonly remoteAddress: string;
  /** The argument of HELO or EHLO; empty before. */
  readonly heloName: string;
  /** Whether it was EHLO. */
  readonly isExtended: boolean;
  /** Protocol and cipher, as `TLSv1.3 TLS_AES_256_GCM_SHA384`. */
  readonly tls: string | undefined;
}

/** A mail transaction, from MAIL on (RFC 5321 section 3.3). */
export interface Transaction {
  /** Empty for the null path. */
  readonly reversePath: string;
  /** SIZE= of MAIL, 0 without. */
  readonly declaredOctets: number;
  readonly isSmtpUtf8: boolean;
  /** Forward paths that were accepted, in order. */
  readonly recipients: Set<string>;
  /** Whether some RCPT was refused. */
  isSomeRefused: boolean;
}

/** A session as its commands see it. */
export interface SmtpContext {
  readonly surroundings: SmtpSurroundings;
  readonly log: Log;
  readonly peer: SmtpPeer;
  /** Who the client has proved to be. */
  readonly submitter: Submitter;
  transaction: Transaction | undefined;
  /** Counts a recipient that was refused. */
  noteRefusedRecipient(): void;
  /** Counts a login that failed; at the limit the session ends behind the reply. */
  noteFailedLogin(): void;
  /** The client has logged in: a full listener does not evict it any more. */
  noteLoggedIn(): void;
  /** Counts a message that was accepted. */
  noteAccepted(): void;
}
