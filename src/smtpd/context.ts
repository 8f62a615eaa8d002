/**
 * What a session is handed, what it knows, and what its commands may do with it. Commands know this and not the engine, so that
 * no circle of imports arises.
 */

import type { Clock } from '../base/clock.ts';
import type { TraceId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { MailDsn, RcptDsn } from '../wire/smtp/dsnParameters.ts';
import type { TlsMode } from '../net/listener.ts';
import type { OpenTap } from '../net/sessionTap.ts';
import type { TlsContexts } from '../net/tlsContext.ts';
import type { TrustRoots } from '../net/trustRoots.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { IpRanges } from '../accounts/ipRanges.ts';
import type { Door } from '../exchange/door.ts';
import type { ClientCertificate } from '../exchange/doorVisitor.ts';
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
  /** Whether EHLO says CHUNKING (RFC 3030); hidden it is refused, too. Offered unless given. */
  readonly chunking?: 'offer' | 'hide';
  /** How a client is met that speaks before the greeting (RFC 5321 section 3.1); tolerated unless given. */
  readonly earlyTalkers?: 'tolerate' | 'refuse';
}

/** What sessions ask of transfer. */
export type SessionDoor = Pick<Transfer, 'accept' | 'checkRecipient' | 'checkSender' | 'note'>;

/** What the sessions of one listener are handed. */
export interface SmtpSurroundings extends SmtpOptions {
  /** Why no mail is taken in just now, in words for senders; undefined where it is. */
  readonly maintenance?: () => string | undefined;
  /** The listener's name. */
  readonly listener: string;
  readonly role: SmtpRole;
  /** Takes what old clients write: blanks and missing brackets around paths, AUTH behind HELO, any name or none behind EHLO. */
  readonly isLenient?: boolean;
  readonly tls: TlsMode;
  /** Whether an address has to have TLS before MAIL, whatever `tls` says. */
  readonly needsTls?: (remoteAddress: string) => boolean;
  readonly tlsContexts: TlsContexts;
  /** The host name in greeting and replies. */
  readonly serverName: string;
  readonly transfer: SessionDoor;
  /** Asked on submission listeners alone. */
  readonly accounts: Pick<Accounts, 'authenticate' | 'challengeLogins' | 'isActive'>;
  /** Whose clients need not log in. */
  readonly ipRanges: Pick<IpRanges, 'rangeOf'>;
  /** What proves on relay-in that mail is of our Exchange Online. */
  readonly door?: Door;
  /** What client certificates are held against; needed where the door asks for them. */
  readonly trustRoots?: TrustRoots;
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
  /** Of the message that comes or of what was refused before it, once something was. */
  traceId?: TraceId;
  /** Empty for the null path. */
  readonly reversePath: string;
  /** SIZE= of MAIL, 0 without. */
  readonly declaredOctets: number;
  readonly isSmtpUtf8: boolean;
  /** Forward paths that were accepted, in order. */
  readonly recipients: Set<string>;
  /** RET and ENVID of MAIL, where they are offered. */
  readonly dsn: MailDsn;
  /** NOTIFY and ORCPT of those recipients that have them. */
  readonly recipientDsn: Map<string, RcptDsn>;
  /** Whether some RCPT was refused. */
  isSomeRefused: boolean;
  /** Whether a chunk of the message has come: its envelope is settled, and DATA cannot go on with it (RFC 3030 section 2). */
  hasBegun: boolean;
}

/** An account that submits. */
export type SubmittingAccount = Extract<Submitter, { kind: 'account' }>['account'];

/** A session as its commands see it. */
export interface SmtpContext {
  readonly surroundings: SmtpSurroundings;
  readonly log: Log;
  readonly peer: SmtpPeer;
  /** What the client's certificate shows; absent where none is asked for. */
  readonly certificate: ClientCertificate;
  /** Who the client has proved to be. */
  readonly submitter: Submitter;
  /** Whether a password may be sent as things are. */
  readonly mayLogIn: boolean;
  transaction: Transaction | undefined;
  /** Aborts when the session ends. */
  readonly ending: AbortSignal;
  /** The client has named itself, which begins the session anew. */
  greet(heloName: string, isExtended: boolean): void;
  /** The client has proved to be this account: a full listener does not evict it any more. */
  logIn(account: SubmittingAccount): void;
  /** Counts a login that was refused; at the limit the session ends behind the reply. */
  noteFailedLogin(loginName: string): void;
  /** Counts a recipient that was refused. */
  noteRefusedRecipient(): void;
  /** Counts a message that was accepted. */
  noteAccepted(): void;
}
