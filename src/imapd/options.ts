/**
 * What IMAP is handed: settings for the configuration to compose, and the neighbours that main gives.
 *
 * Defaults are named here and used by the configuration's schema.
 */

import type { SecureContext } from 'node:tls';

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { MIB } from '../base/units.ts';
import { NUMBER_MAX } from '../wire/imap/decoder.ts';
import { DEFAULT_FRAMER_LIMITS } from '../wire/imap/frame.ts';
import type { FramerLimits } from '../wire/imap/frame.ts';
import type { SessionListenerOptions } from '../net/sessionListener.ts';
import type { OpenTap } from '../net/sessionTap.ts';
import type { Store } from '../store/contract/store.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { COMPATIBILITY_DEFAULTS, type CompatibilityLayer } from '../accounts/compatibility.ts';
import type { LiteralForm } from '../accounts/compatibilityKeys.ts';
import type { Search } from '../search/search.ts';
import {
  BAD_COMMAND_LIMIT,
  IDLE_TIMEOUT_MS,
  LITERAL_MINUS_LIMIT_OCTETS,
  SESSIONS_PER_ACCOUNT_LIMIT,
} from './limits.ts';

/** Largest message that APPEND takes unless set: what Exchange Online sends at most (150 MB). */
export const DEFAULT_APPEND_LIMIT_OCTETS = 150 * MIB;

/** One listener of the room. */
export interface ImapListenerOptions extends Omit<SessionListenerOptions, 'tlsContexts'> {
  /** The certificate; needed unless `tls` is 'none'. Asked at each handshake. */
  readonly tlsContexts?: { current(): SecureContext };
  /** What its clients need otherwise than others; an account's own goes before it. */
  readonly compatibility?: CompatibilityLayer;
}

/** What an administrator may set. */
export interface ImapOptions {
  /** Hierarchy delimiter in mailbox names; `/` by default, `.` as hMailServer had it. */
  readonly delimiter?: '/' | '.';
  /** Sessions of one account at a time, unless the account has a limit of its own. */
  readonly sessionsPerAccountLimit?: number;
  /** Silence after which a session is closed; not below the 30 minutes of RFC 3501 section 5.4. */
  readonly idleTimeoutMs?: number;
  /** Largest message that APPEND takes; never more than a `number` of the grammar can say. */
  readonly appendLimitOctets?: number;
  /** Octets of all lines of one command, after login; not below the 8,000 of RFC 2683 section 3.2.1.5. */
  readonly lineLimitOctets?: number;
  /** Octets of all literals of one command but APPEND's, after login. */
  readonly literalLimitOctets?: number;
  /** Commands in a row that are not understood, before BYE. */
  readonly badCommandLimit?: number;
  /** Which literals are taken without being asked for; any, unless set. */
  readonly literals?: LiteralForm;
  /** Whether COMPRESS=DEFLATE is offered after login; not unless set. */
  readonly compression?: boolean;
}

/** All that the room is handed. */
export interface ImapdOptions extends ImapOptions {
  readonly listeners: readonly ImapListenerOptions[];
  /** The host name that the greeting says. */
  readonly serverName: string;
  readonly store: Pick<Store, 'contents' | 'feed' | 'mailboxes' | 'trace'>;
  readonly accounts: Pick<Accounts, 'authenticate' | 'quotaOf'>;
  readonly search: Pick<Search, 'begin'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears sessions, for a protocol log. */
  readonly tap?: OpenTap;
}

/** The options with every default filled in, as sessions use them. */
export interface ImapSettings {
  readonly delimiter: '/' | '.';
  readonly sessionsPerAccountLimit: number;
  readonly idleTimeoutMs: number;
  readonly appendLimitOctets: number;
  readonly lineLimitOctets: number;
  readonly literalLimitOctets: number;
  readonly badCommandLimit: number;
  readonly literals: LiteralForm;
  readonly compression: boolean;
}

/** `options` with the defaults. */
export function settingsOf(options: ImapOptions): ImapSettings {
  return {
    delimiter: options.delimiter ?? COMPATIBILITY_DEFAULTS['imap.delimiter'],
    sessionsPerAccountLimit: options.sessionsPerAccountLimit ?? SESSIONS_PER_ACCOUNT_LIMIT,
    idleTimeoutMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    appendLimitOctets: Math.min(options.appendLimitOctets ?? DEFAULT_APPEND_LIMIT_OCTETS, NUMBER_MAX),
    lineLimitOctets: options.lineLimitOctets ?? DEFAULT_FRAMER_LIMITS.lineLimitOctets,
    literalLimitOctets: options.literalLimitOctets ?? DEFAULT_FRAMER_LIMITS.literalLimitOctets,
    badCommandLimit: options.badCommandLimit ?? BAD_COMMAND_LIMIT,
    literals: options.literals ?? COMPATIBILITY_DEFAULTS['imap.literals'],
    compression: options.compression ?? false,
  };
}

/** Which literals are taken without being asked for (RFC 7888 sections 4 and 5). */
export function literalLimits(literals: LiteralForm): Pick<FramerLimits, 'nonSynchronisingLimitOctets'> {
  const nonSynchronisingLimitOctets =
    literals === 'minus' ? LITERAL_MINUS_LIMIT_OCTETS : DEFAULT_FRAMER_LIMITS.nonSynchronisingLimitOctets;
  return { nonSynchronisingLimitOctets };
}

/** Who has not logged in gets no more than the defaults, whatever an administrator allows to accounts. */
export function limitsBeforeLogin({
  lineLimitOctets,
  literalLimitOctets,
}: ImapSettings): Partial<FramerLimits> {
  return {
    lineLimitOctets: Math.min(lineLimitOctets, DEFAULT_FRAMER_LIMITS.lineLimitOctets),
    literalLimitOctets: Math.min(literalLimitOctets, DEFAULT_FRAMER_LIMITS.literalLimitOctets),
  };
}
