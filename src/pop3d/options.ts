/**
 * What POP3 is handed: settings for the configuration to compose, and the neighbours that main gives.
 *
 * Defaults are named here; the configuration's schema has the same.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SessionListenerOptions } from '../net/sessionListener.ts';
import type { OpenTap } from '../net/sessionTap.ts';
import type { Contents } from '../store/contract/contents.ts';
import type { Mailboxes } from '../store/contract/mailboxes.ts';
import type { RetentionPolicy } from '../store/contract/retention.ts';
import type { Trace } from '../store/contract/trace.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { COMPATIBILITY_DEFAULTS, type CompatibilityLayer } from '../accounts/compatibility.ts';
import type { Sharing } from '../accounts/compatibilityKeys.ts';
import { createRetentionPolicy, NO_RETENTION } from '../accounts/retention.ts';
import { IDLE_TIMEOUT_MS } from './limits.ts';
import type { LanguageTag } from './phrases/languages.ts';

/** One listener of the room. */
export interface Pop3ListenerOptions extends SessionListenerOptions {
  /** What its clients need otherwise than others; an account's own goes before it. */
  readonly compatibility?: CompatibilityLayer;
}

/** What an administrator may set. */
export interface Pop3Options {
  /** Silence after login that ends a session; not below the 10 minutes of RFC 1939 section 3. */
  readonly idleTimeoutMs?: number;
  /** Shared, unless set; whether sessions may have one maildrop at the same time (RFC 1939 section 4). */
  readonly sharing?: Sharing;
  /** Whether RETR sets \Seen; not unless set. */
  readonly marksSeen?: boolean;
  /** Seconds between two logins of an account from one address (RFC 2449 section 6.5); 0, the default, for none. */
  readonly loginDelaySeconds?: number;
  /** How long messages stay that were fetched or deleted; by default it is what is set for an account alone. */
  readonly retention?: RetentionPolicy;
  /** The language of `LANG *`; English unless set. */
  readonly preferredLanguage?: LanguageTag;
}

/** All that the room is handed. */
export interface Pop3dOptions extends Pop3Options {
  readonly listeners: readonly Pop3ListenerOptions[];
  /** The host name that the greeting says. */
  readonly serverName: string;
  readonly accounts: Pick<Accounts, 'authenticate'>;
  readonly mailboxes: Mailboxes;
  readonly contents: Contents;
  readonly trace: Trace;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears sessions, for a protocol log. */
  readonly tap?: OpenTap;
}

/** The options with every default filled in, as sessions use them. */
export interface Pop3Settings {
  readonly idleTimeoutMs: number;
  readonly sharing: Sharing;
  readonly marksSeen: boolean;
  readonly loginDelaySeconds: number;
  readonly retention: RetentionPolicy;
  readonly preferredLanguage: LanguageTag;
}

/** `options` with the defaults. */
export function settingsOf(options: Pop3Options): Pop3Settings {
  return {
    idleTimeoutMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    sharing: options.sharing ?? COMPATIBILITY_DEFAULTS['pop3.sharing'],
    marksSeen: options.marksSeen ?? COMPATIBILITY_DEFAULTS['pop3.marksSeen'],
    loginDelaySeconds: options.loginDelaySeconds ?? 0,
    retention: options.retention ?? createRetentionPolicy(NO_RETENTION),
    preferredLanguage: options.preferredLanguage ?? 'en',
  };
}
