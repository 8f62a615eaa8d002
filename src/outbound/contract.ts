/**
 * What the outbound room is handed: relays (drop directories among them) and how they go, limits; and what it tells of itself.
 */

import type { UnixMs } from '../base/clock.ts';
import type { NextHop, QueueState } from '../store/contract/queue.ts';
import type { AccessTokens } from '../exchange/accessTokens.ts';
import type { RelayCheck } from '../transfer/relay.ts';
import type { AgingSchedule } from './aging.ts';
import type { DropFormat } from './drop/dropFile.ts';
import type { RetrySchedule } from './schedule.ts';

/** How much goes to a hop; 0 is no limit except where it says so. */
export interface RelayLimits {
  /** Transactions at a time, 1 to 100. */
  readonly connections: number;
  readonly messagesPerMinute: number;
  /** Of a day in the server's zone. */
  readonly recipientsPerDay: number;
  /** Of one transaction, 1 to 1000. */
  readonly recipientsPerMessage: number;
  /** Octets; larger messages fail (5.3.4), or take `fallback` where there is one. */
  readonly sizeLimitOctets: number;
}

/** TLS of a connection that we open. */
export interface RelayTls {
  /**
   * `implicit` from the first octet; `required` by STARTTLS; both verify chain and name. `opportunistic` takes STARTTLS when it is
   * offered and verifies nothing (RFC 7435); `none`.
   */
  readonly mode: 'implicit' | 'required' | 'opportunistic' | 'none';
  /** PEM; instead of the system's roots. */
  readonly certificateAuthorities?: string | undefined;
  /** The name that the certificate must have, where it is not the host's. */
  readonly serverName?: string | undefined;
  readonly minimumVersion: 'TLSv1.2' | 'TLSv1.3';
  /** PEM chain and key to show when asked for. */
  readonly clientCertificate?:
    | { readonly certificate: string; readonly key: string; readonly passphrase?: string | undefined }
    | undefined;
}

/** How a relay logs in. */
export type RelayLogin =
  | {
      readonly kind: 'password';
      readonly user: string;
      /** Asked for at each login, since it may be sealed in the store; undefined: there is none. */
      readonly password: () => Promise<string | undefined>;
      /** PLAIN where it is offered, else LOGIN, unless said. */
      readonly mechanism?: 'PLAIN' | 'LOGIN' | undefined;
    }
  | { readonly kind: 'xoauth2'; readonly user: string; readonly tokens: AccessTokens };

/** A relay by SMTP: a smarthost. */
export interface SmtpRelayOptions {
  readonly kind: 'smtp';
  readonly name: string;
  /** In order of preference, at least one: the next is tried when one cannot be reached or is not ready. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly tls: RelayTls;
  readonly login?: RelayLogin | undefined;
  readonly limits: RelayLimits;
}

/** A relay by SMTP, straight to the mail exchangers of the recipients' domains. */
export interface DirectRelayOptions {
  readonly kind: 'direct';
  readonly name: string;
  /** Lower-case domains that it is for; others are held. */
  readonly domains: readonly string[];
  readonly port: number;
  readonly tls: RelayTls;
  readonly limits: RelayLimits;
}

/** A relay by Microsoft Graph's sendMail. */
export interface GraphRelayOptions {
  readonly kind: 'graph';
  readonly name: string;
  /** The application's (client) id: relays of one application share what Graph lets it do at a time. */
  readonly application: string;
  /** Address or id of the mailbox that sends. */
  readonly mailbox: string;
  /** `https://graph.microsoft.com` but for national clouds. */
  readonly endpoint: string;
  readonly tokens: AccessTokens;
  /** PEM; instead of the system's roots. */
  readonly certificateAuthorities?: string | undefined;
  readonly limits: RelayLimits;
  /** What takes messages that Graph cannot carry; without it they are held. */
  readonly fallback?: SmtpRelayOptions | undefined;
}

/** A drop directory: each message becomes a file that an application fetches. Names of drops and of relays may be alike. */
export interface DropRelayOptions {
  readonly kind: 'drop';
  readonly name: string;
  /** Absolute path. */
  readonly directory: string;
  /** Whether it is made where it is missing. */
  readonly createDirectory: boolean;
  /** `iis`: with lines in front that name sender and recipients; `plain`: the message alone. */
  readonly format: DropFormat;
  /** Files that may wait for their reader; 0 is no limit. What is more waits in the queue. */
  readonly fileLimit: number;
  /** Messages that nobody fetches are deleted then; 0: never. */
  readonly deleteAfterHours: number;
  readonly limits: RelayLimits;
}

/** Any relay. */
export type RelayOptions = SmtpRelayOptions | DirectRelayOptions | GraphRelayOptions | DropRelayOptions;

/** How a hop stands, as an administrator sees it. `reason` and `advice` are sentences. */
export type HopStanding =
  | { readonly kind: 'running' }
  /** Waits by itself until `until`; what waits expires by the clock. */
  | {
      readonly kind: 'paused';
      readonly cause: 'unreachable' | 'throttled' | 'quota' | 'day';
      readonly reason: string;
      readonly advice: string | undefined;
      readonly until: UnixMs;
    }
  /** Waits for an administrator; for `trouble` one message tries it at `probeAt`. */
  | {
      readonly kind: 'held';
      readonly by: 'administrator' | 'trouble';
      readonly reason: string;
      readonly advice: string | undefined;
      readonly since: UnixMs;
      readonly probeAt: UnixMs | undefined;
    }
  /** Items wait for it, and it is not in the configuration; they do not expire. */
  | { readonly kind: 'missing' };

/** A hop, as an administrator sees it. */
export interface HopStatus {
  readonly nextHop: NextHop;
  /** Undefined where it is missing. */
  readonly kind: RelayOptions['kind'] | undefined;
  readonly standing: HopStanding;
  readonly items: Readonly<Record<QueueState, number>>;
  /** Transactions under way, and how many there may be now. */
  readonly underWay: number;
  readonly connections: number;
  /** Recipients that it has taken today, and the day's limit (0: none); undefined as long as that is not known. */
  readonly today: { readonly recipients: number; readonly limit: number } | undefined;
  /** When it last took a message, in this run of the server. */
  readonly lastRelayedAt: UnixMs | undefined;
  /** Sentences that an administrator should read now: a hold for its trouble, a quota, a day that is nearly or quite used up. */
  readonly alarms: readonly string[];
}

/** When what waits is tried again, told of and given up. */
export interface QueueSchedule extends RetrySchedule, AgingSchedule {}

/** The room's door. */
export interface Outbound {
  /** Every hop of the configuration, in its order, then those that items wait for without one. */
  relays(): Promise<readonly HopStatus[]>;
  /**
   * Takes other relays: attempts under way end on the old ones; what was paused is tried at once. A relay whose options are the
   * same object stays as it is. Errors: those of making a relay, with nothing changed.
   */
  reconfigure(relays: readonly RelayOptions[]): void;
  /** Takes another schedule, for what comes from now on. */
  reschedule(schedule: QueueSchedule): void;
  /** Tries a hop as for a message, without one; undefined when there is no such hop. Never rejects. */
  checkHop(nextHop: NextHop, signal: AbortSignal): Promise<RelayCheck | undefined>;
  /** Ends a hop's pause or tries a held one at once; an administrator's hold stays. Answers whether there is such a hop. */
  retryHop(nextHop: NextHop): boolean;
  /** Waits for attempts, then ends them, within `deadlineMs`; puts back what was leased. */
  close(deadlineMs: number): Promise<void>;
}
