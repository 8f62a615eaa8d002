/**
 * What a session is handed, where it is, and what its commands may do with it. Commands know this and not the session, so
 * that no circle of imports arises.
 */

import type { Clock } from '../base/clock.ts';
import type { MailErrorCode } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import type { Pacer } from '../base/pacer.ts';
import type { Connection } from '../net/connection.ts';
import type { Line } from '../net/lineReader.ts';
import type { TlsMode } from '../net/listener.ts';
import type { OpenTap } from '../net/sessionTap.ts';
import type { TlsContexts } from '../net/tlsContext.ts';
import type { Contents } from '../store/contract/contents.ts';
import type { Account } from '../store/contract/directory.ts';
import type { Mailboxes } from '../store/contract/mailboxes.ts';
import type { Trace } from '../store/contract/trace.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Compatibility, CompatibilityLayer } from '../accounts/compatibility.ts';
import type { FirstFetches } from './firstFetches.ts';
import type { LoginDelays } from './loginDelays.ts';
import type { Maildrop } from './maildrop.ts';
import type { LockHolder, MaildropLocks } from './maildropLocks.ts';
import type { Pop3Settings } from './options.ts';
import type { Phrases } from './phrases/phrases.ts';
import type { Tally } from './tally.ts';

/** What a session is handed. */
export interface Pop3Surroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly accounts: Pick<Accounts, 'authenticate'>;
  readonly mailboxes: Mailboxes;
  readonly contents: Contents;
  readonly trace: Trace;
  readonly tlsContexts: TlsContexts;
  readonly tls: TlsMode;
  /** Whether an address has to have TLS before it logs in, whatever `tls` says. */
  readonly needsTls?: (remoteAddress: string) => boolean;
  /** What the listener has set for its clients. */
  readonly compatibility?: CompatibilityLayer;
  readonly serverName: string;
  readonly settings: Pop3Settings;
  readonly locks: MaildropLocks;
  readonly loginDelays: LoginDelays;
  readonly tap?: OpenTap;
}

/** Where a session is (RFC 1939 section 3). */
export type Pop3State =
  | { readonly kind: 'authorization'; readonly userName: string | undefined }
  | { readonly kind: 'transaction'; readonly account: Account; readonly maildrop: Maildrop }
  | { readonly kind: 'closed' };

/** A session as its commands see it. */
export interface Pop3Context extends LockHolder {
  readonly connection: Connection;
  readonly surroundings: Pop3Surroundings;
  readonly log: Log;
  /** Lets other sessions have the event loop. */
  readonly pacer: Pacer;
  state: Pop3State;
  /** What the client is used to: by the listener, from login on by the account as well. */
  compatibility: Compatibility['pop3'];
  /** What is said to people, in the client's language. */
  phrases: Phrases;
  /** Whether the client has said UTF8 (RFC 6856 section 2.1). */
  isUtf8: boolean;
  /** What was fetched whole and is not noted yet. */
  readonly firstFetches: FirstFetches;
  /** What was sent, for the log. */
  readonly tally: Tally;
  /** Whether a password may be sent as it is. */
  readonly mayLogIn: boolean;
  /** Answers +OK. */
  ok(text: string): void;
  /** Answers -ERR with the words and the response code of `code`, or with other words. Errors are counted. */
  refuse(code: MailErrorCode, text?: string): void;
  /** Answers -ERR for something that the client did wrong. */
  wrong(text: string): void;
  /** Counts a failed login, answers it, and ends the session when there were too many. */
  refuseLogin(code: 'authenticationFailed' | 'loginThrottled'): void;
  /** Aborts when the connection is gone or the server stops. */
  readonly ending: AbortSignal;
  /** Waits for the answer to a challenge within the state's time. Errors: `deadlineExceeded`, `shuttingDown`. */
  nextLine(limitOctets?: number): Promise<Line>;
  /** Ends the session without deleting anything; what was answered is still sent. */
  end(): void;
}
