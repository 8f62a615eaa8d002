/**
 * What whoever hands messages over knows of transfer: envelopes, verdicts, acceptances, the door itself; and what transfer is
 * handed. transfer.ts opens the door.
 */

import type { Clock } from '../base/clock.ts';
import type { MailError } from '../base/error.ts';
import type { TraceId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { ReportLanguages } from '../wire/dsn/report.ts';
import type { MessageHeader } from '../wire/mime/messageHeader.ts';
import type { PlannedClaim } from '../store/contract/claims.ts';
import type { SettledItems } from '../store/contract/deliveries.ts';
import type { Account, IpRange } from '../store/contract/directory.ts';
import type { Store } from '../store/contract/store.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { SenderRewriting } from './plan/senderRewriting.ts';
import type { RefusalBudget } from './refusals.ts';

/** Who hands a message over, as far as it is proved. */
export type Submitter =
  /** Nobody has logged in: relay-in. Nothing is relayed for these unless a route says so. */
  | { readonly kind: 'anyone' }
  /** Logged in on a submission listener. */
  | { readonly kind: 'account'; readonly account: Account }
  /** An address of a range that need not log in. */
  | { readonly kind: 'range'; readonly range: IpRange };

/** Who handed a message over, and how. */
export interface Origin {
  /** `report`: this server wrote it itself: what became of a message, that nobody is there, or to try a relay. */
  readonly kind: 'smtp' | 'report';
  /** The listener's name. */
  readonly listener: string;
  readonly remoteAddress: string;
  /** The argument of HELO or EHLO. */
  readonly heloName: string;
  /** Whether it was EHLO. */
  readonly isExtended: boolean;
  /** Protocol and cipher, as `TLSv1.3 TLS_AES_256_GCM_SHA384`; undefined without TLS. */
  readonly tls: string | undefined;
  /** Whether it was handed over to be submitted, or relayed to us. */
  readonly role: 'relayIn' | 'submission';
  readonly submitter: Submitter;
  /** Of a report: the message that it tells of. */
  readonly about?: TraceId;
  /** Of a report: whether routes may take it to other servers as mail of the house. False unless said. */
  readonly mayLeave?: boolean;
  /** Of a report: whether a copy stays with whoever forwards it, whatever his forward says. False unless said. */
  readonly keepsCopies?: boolean;
  /** Of a report: the account that it goes out for, by the routes that are open to it. */
  readonly onBehalfOf?: Account | undefined;
}

/** An envelope: paths without angle brackets (RFC 5321 section 4.1.1). */
export interface Envelope {
  /** The message's trace, where something of this transaction has been refused already; else it gets one of its own. */
  readonly traceId?: TraceId | undefined;
  /** Empty for the null path. */
  readonly reversePath: string;
  /** Forward paths that `checkRecipient` accepted; at least one. */
  readonly recipients: readonly string[];
  /** Whether MAIL had SMTPUTF8 (RFC 6531 section 3.4). */
  readonly isSmtpUtf8?: boolean;
  /** What the submitter asked to be told (RFC 3461); undefined where that is not offered. */
  readonly dsn?: EnvelopeDsn;
  /** The relay that gets it, whatever routes, aliases and rules say: an administrator tries that relay. No session sets it. */
  readonly relay?: string | undefined;
  /** Items of the queue that this message, a report, settles by its own commit. */
  readonly settled?: SettledItems | undefined;
  /** Claims that its delivery takes beside those of a message that comes again. */
  readonly claims?: readonly PlannedClaim[] | undefined;
}

/** DSN parameters of an envelope (RFC 3461 section 4). */
export interface EnvelopeDsn {
  readonly ret?: 'FULL' | 'HDRS';
  /** Decoded xtext. */
  readonly envid?: string;
  /** By forward path; those without parameters are absent. */
  readonly recipients: ReadonlyMap<string, RecipientDsn>;
}

/** What is to be told about one recipient. */
export interface RecipientDsn {
  /** `NEVER` alone, or one or more of the others. */
  readonly notify?: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[];
  /** `rfc822;a@example.com`, decoded xtext. */
  readonly orcpt?: string;
}

/** What is known at RCPT beside the path. */
export interface RecipientQuestion {
  /** Octets that the message will have; 0: unknown. */
  readonly octets: number;
  /** As MAIL had it. */
  readonly reversePath: string;
  readonly submitter: Submitter;
  /** Recipients of the same message that were accepted before; none unless said. */
  readonly acceptedRecipients?: number;
}

/**
 * Looks at one message on its way in, on behalf of whoever hands it over. Called in this order: `header` once, `octets` for all
 * of the message, `end` once unless something was refused before. What they throw is the message's refusal.
 */
export interface Inspection {
  /** The header that is to be stored, changed or not; or a refusal. Fields beyond transfer's limit are not in it (`isWhole`). */
  header(header: MessageHeader): MessageHeader | MailError | Promise<MessageHeader | MailError>;
  /** The octets as they were handed over, the header's among them. The block is only lent. */
  octets?(block: Buffer): void | Promise<void>;
  /** The last word, before the commit: a refusal, or undefined. */
  end?(): Promise<MailError | undefined>;
  /**
   * Whether it is proved, as far as the listener asks, that the message comes from our own Exchange Online. Only then ids that
   * Exchange has put in count for anything. False until `end`, and wherever nothing is asked.
   */
  readonly isVouchedFor?: boolean;
}

/** What MAIL is answered with. */
export type SenderVerdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: MailError };

/** What RCPT is answered with. */
export type RecipientVerdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: MailError };

/** How an acceptance ended. */
export type Acceptance =
  | { readonly kind: 'accepted'; readonly traceId: TraceId }
  | { readonly kind: 'refused'; readonly traceId: TraceId; readonly error: MailError };

/** What a session refused beside or before a message. */
export interface SessionRefusal {
  readonly stage: 'login' | 'sender' | 'recipient';
  readonly origin: Origin;
  /** What the client was answered: `550 5.1.1 …`. */
  readonly reply: string;
  /** Paths as far as they are known, in whatever form they were written. */
  readonly reversePath: string;
  readonly recipient?: string | undefined;
  readonly loginName?: string | undefined;
}

/** What an administrator may set about messages that come a second time. */
export interface OnceOnlyOptions {
  /** Whether the same octets with the same envelope are stored once. */
  readonly suppressResends: boolean;
  /** How long the first one is remembered. */
  readonly resendWindowDays: number;
  /** Whether a message is stored once that has the same ids of Exchange Online. */
  readonly suppressExchangeDuplicates: boolean;
  readonly exchangeDuplicateWindowDays: number;
  /** Domains whose recipients get every copy. */
  readonly duplicatesAllowedDomains: readonly string[];
}

/** How much may be sent; 0 is no limit. */
export interface SubmissionLimits {
  /** Recipients of one message. */
  readonly recipientLimit: number;
  /** Recipients of all messages of one day. */
  readonly recipientsPerDayLimit: number;
  /** Messages within a minute. */
  readonly messagesPerMinuteLimit: number;
  /** Octets of one message; the server's own limit holds beside it. */
  readonly sizeLimitOctets?: number | undefined;
}

/** What an administrator may set about reports to senders. */
export interface ReportSettings {
  readonly languages: ReportLanguages;
  /** What the postmaster gets: nothing, failures of which nobody else could be told, or all failures. */
  readonly copyToPostmaster: 'off' | 'untold' | 'failures';
}

/** What the room is handed. */
export interface TransferOptions {
  readonly store: Pick<Store, 'contents' | 'deliveries' | 'directory' | 'feed' | 'health' | 'trace'>;
  readonly accounts: Pick<Accounts, 'defaultDomain' | 'isOverQuota' | 'postmaster' | 'resolveRecipient'>;
  /** Whether routes to relays and drop directories are in force; asked each time, since a reload may change it. They are not unless given. */
  readonly isRelaying?: () => boolean;
  /** Gives what is forwarded a sender of ours; senders stay as they are unless given. */
  readonly senderRewriting?: SenderRewriting | undefined;
  /** Names us in Received fields. */
  readonly serverName: string;
  /** Octets of the largest message, our trace fields not counted. */
  readonly sizeLimitOctets: number;
  /** Octets of the disk that stay free beside a message; the store's own reserve, 0 unless given. */
  readonly reserveOctets?: number;
  /** Nothing is kept away unless given. */
  readonly onceOnly?: OnceOnlyOptions | undefined;
  /** How much submitters may send that have no limits of their own; without it there are none. */
  readonly submission?: SubmissionLimits | undefined;
  /** What reports to senders are like; DEFAULT_REPORTS unless given. */
  readonly reports?: ReportSettings | undefined;
  /** How many refusals the trace tells one by one. */
  readonly refusalBudget?: RefusalBudget | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** The door. */
export interface Transfer {
  /**
   * Whether a submitter may send with a reverse path (as MAIL had it, empty for the null path), a message of so many octets (0:
   * unknown), now. A sender that is to be rewritten is accepted; whoever asks hands on what MAIL had. Errors: the store's.
   */
  checkSender(reversePath: string, submitter: Submitter, declaredOctets?: number): Promise<SenderVerdict>;
  /** Tells the trace of a refusal, as far as the budget goes (refusals.ts). Returns at once. */
  note(traceId: TraceId, refusal: SessionRefusal): void;
  /** Whether a forward path (without angle brackets) is ours and has room for the message. Errors: the store's. */
  checkRecipient(path: string, question: RecipientQuestion): Promise<RecipientVerdict>;
  /**
   * Takes a message. Stops reading `message` once it is refused. Never rejects: an error that `message` throws is a refusal
   * too, and whatever was not the other side's fault is a temporary one. `inspection` looks at the message on its way.
   */
  accept(
    envelope: Envelope,
    message: AsyncIterable<Buffer>,
    origin: Origin,
    inspection?: Inspection,
  ): Promise<Acceptance>;
}
