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
  | { readonly kind: 'range'; readonly range: IpRange }
  /** Whoever may write files into a directory. */
  | { readonly kind: 'directory'; readonly directory: DirectoryPolicy };

/** What files of a pickup directory may do. Patterns are in the form of accounts/submissionSettings.ts, without `own`. */
export interface DirectoryPolicy {
  /** The directory's name, unique among directories. */
  readonly name: string;
  /** Senders that files may have, in the envelope and in From. */
  readonly senders: readonly string[];
  /** Takes the place of senders that are not allowed. */
  readonly rewriteSender?: string | undefined;
  /** Recipients that files may have; whom aliases and forwards lead to is not asked. */
  readonly recipients: readonly string[];
  /** The relay that takes recipients that are not ours, instead of those of routes. */
  readonly relay?: string | undefined;
  /** What is not set is not limited; the server's own limits of submission are not asked. */
  readonly limits: Partial<Omit<SubmissionLimits, 'recipientsPerDayLimit'>>;
}

/** Who handed a message over, and how. */
export type Origin = SessionOrigin | PickupOrigin;

/** A file of a directory. */
export interface PickupOrigin {
  readonly kind: 'pickup';
  /** The directory's name. */
  readonly listener: string;
  /** The file's name as it is shown, with what is not printable escaped. */
  readonly file: string;
  /** Of the file; unknown unless given. */
  readonly octets?: number | undefined;
  readonly role: 'submission';
  readonly submitter: Extract<Submitter, { kind: 'directory' }>;
}

/** A session; or this server itself, for which most of it is empty. */
export interface SessionOrigin {
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
  /** Forward paths that `checkRecipient` accepted, of a file unchecked ones; at least one. */
  readonly recipients: readonly string[];
  /**
   * Names the act of handing the message over, 16 hexadecimal digits that are used for nothing else: what is handed over once more by
   * the same name, after an answer that was not heard, is accepted and not stored again.
   */
  readonly handoverId?: string | undefined;
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
  readonly origin: SessionOrigin;
  /** What the client was answered: `550 5.1.1 …`. */
  readonly reply: string;
  /** Paths as far as they are known, in whatever form they were written. */
  readonly reversePath: string;
  readonly recipient?: string | undefined;
  readonly loginName?: string | undefined;
}

/** A file that was put aside, since it can't be taken as it is. Names are as they are shown. */
export interface RefusedFile {
  /** Of the refusal, where the door has refused it already; else its own. */
  readonly traceId: TraceId;
  /** The pickup directory's name. */
  readonly directory: string;
  readonly file: string;
  /** Its name in badmail. */
  readonly badFile: string;
  /** What is wrong with it, in words. */
  readonly reason: string;
  /** The envelope as far as it is known. */
  readonly reversePath?: string | undefined;
  readonly recipients?: readonly string[] | undefined;
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
  /** Tells log and trace of a file in badmail; the trace as far as the budget goes. Returns at once. */
  noteBadFile(refused: RefusedFile): void;
  /**
   * The message that was accepted by this handover id; undefined where none was. Asked after a crash, before something is handed over
   * once more; the answer waits for commits that are under way, and keeps the id for another HANDOVER_DAYS. Errors: the store's.
   */
  wasAccepted(handoverId: string): Promise<TraceId | undefined>;
  /** Whether a forward path (without angle brackets) is ours and has room for the message. Errors: the store's. */
  checkRecipient(path: string, question: RecipientQuestion): Promise<RecipientVerdict>;
  /**
   * Takes a message. Stops reading `message` once it is refused. Never rejects: an error that `message` throws is a refusal
   * too, and whatever was not the other side's fault is a temporary one. `inspection` looks at the message on its way.
   *
   * Of a file nobody has been asked before: its sender, recipients and number of recipients are checked here. Recipients that are
   * refused for good are reported to the sender while the others get it; where none is left, so is the file, and the error's text says
   * what each was answered with.
   */
  accept(
    envelope: Envelope,
    message: AsyncIterable<Buffer>,
    origin: Origin,
    inspection?: Inspection,
  ): Promise<Acceptance>;
}
