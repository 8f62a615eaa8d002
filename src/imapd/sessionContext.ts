/**
 * What a command sees of its session: the state and how to change it, the client's input, the way out, and the server's
 * neighbours.
 *
 * Implemented by session.ts; commands/*.ts know this file and not that one.
 */

import type { Clock } from '../base/clock.ts';
import type { ContentId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Pacer } from '../base/pacer.ts';
import type { SessionTap } from '../net/sessionTap.ts';
import type { Contents } from '../store/contract/contents.ts';
import type { ChangeFeed } from '../store/contract/feed.ts';
import type { Account } from '../store/contract/directory.ts';
import type { Mailboxes } from '../store/contract/mailboxes.ts';
import type { Trace, TraceEventKind } from '../store/contract/trace.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Search } from '../search/search.ts';
import type { AccountSessions } from './accountSessions.ts';
import type { ClientInput } from './clientInput.ts';
import type { Enabled } from './enabled.ts';
import type { CompressionSlots } from './compressionSlots.ts';
import type { ImapSettings } from './options.ts';
import type { RecentClaims } from './recentClaims.ts';
import type { ResponseWriter } from './responseWriter.ts';
import type { SessionState } from './sessionState.ts';
import type { TellOptions } from './view.ts';

/** What all sessions of a server share. */
export interface ServerContext {
  readonly mailboxes: Mailboxes;
  readonly contents: Contents;
  readonly feed: ChangeFeed;
  readonly trace: Trace;
  readonly accounts: Pick<Accounts, 'authenticate' | 'quotaOf'>;
  readonly search: Pick<Search, 'begin'>;
  readonly accountSessions: AccountSessions;
  readonly recentClaims: RecentClaims;
  readonly compressionSlots: CompressionSlots;
  readonly clock: Clock;
  readonly settings: ImapSettings;
}

/** How updates are told: with `isUid`, FETCH responses name the UID, as answers to UID commands do. */
export interface UpdateOptions extends TellOptions {
  readonly isUid: boolean;
  /** IDLE: EXISTS goes out before it is known whether the message is \Recent here, which is a write. */
  readonly isPrompt?: boolean;
}

/** One session, for its commands. */
export interface SessionContext {
  readonly server: ServerContext;
  readonly log: Log;
  readonly input: ClientInput;
  readonly writer: ResponseWriter;
  readonly pacer: Pacer;
  readonly remoteAddress: string;
  /** Who hears the session, where anybody does. */
  readonly tap: SessionTap | undefined;
  readonly state: SessionState;
  /** The tag of the command that runs. */
  readonly tag: string;
  /** Whether the connection is closed, by whomever. */
  readonly isGone: boolean;
  /** Aborts when the connection is gone or the server stops. */
  readonly ending: AbortSignal;
  /** Whether TLS protects the connection. */
  readonly isSecure: boolean;
  /** Whether both directions are compressed, or will be behind the completion. */
  readonly isCompressed: boolean;
  /** Whether STARTTLS is offered here, now. */
  readonly mayStartTls: boolean;
  /** Whether LOGIN and AUTHENTICATE are refused until TLS protects the connection. */
  readonly needsPrivacy: boolean;
  /** The capabilities in this state. */
  readonly capabilities: readonly string[];
  /** The extensions that the client has turned on. */
  readonly enabled: ReadonlySet<Enabled>;
  /**
   * Turns an extension on, for good. Commands that use CONDSTORE call it before they answer: the first to do so while a
   * mailbox is selected tells its HIGHESTMODSEQ (RFC 7162 section 3.1).
   */
  enable(extension: Enabled): void;
  /** Between the levels of mailbox names: the account's, else the listener's, else the server's. */
  readonly delimiter: '/' | '.';
  /** Takes a place among the account's sessions and its settings as they are now; false where it has no place left. */
  open(account: Account): boolean;
  /** Moves the session; a mailbox that was selected is let go. */
  enter(state: SessionState): void;
  /**
   * Brings the selected mailbox up to date, if there is one and it has news, and gathers what the client is to be told.
   * Never rejects for the store's sake: a client that hears late hears it all the same. Errors: SessionEnd.
   */
  tellUpdates(options: UpdateOptions): Promise<void>;
  /** With this command's completion no expunge is told, whatever its table entry says. */
  holdExpunges(): void;
  /** Counts a failed login; at the limit the session ends behind the completion. */
  countLoginFailure(): void;
  /** Turns the connection to TLS behind the completion. */
  startTlsAfterCompletion(): void;
  /** Compresses both directions behind the completion; false where too many sessions are compressed already. */
  compressAfterCompletion(): boolean;
  /** Notes in a message's trace what this session has done with it. */
  note(contentId: ContentId, kind: TraceEventKind, fields: Readonly<Record<string, string | number>>): void;
}
