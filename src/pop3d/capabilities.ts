/**
 * Which capabilities a client is told (RFC 2449 sections 5 and 6).
 *
 * The same before and after login, because clients ask once, at either time (JavaMail believes in UIDL only when it is told
 * before login, jakartaee/mail-api #50), but for STLS, which is told only while it is permitted (RFC 2595 section 4). USER and
 * SASL are told only where a password may be sent. IMPLEMENTATION is not told: it would serve none but attackers.
 */

import { formatCapability } from '../wire/pop3/reply.ts';
import { SASL_MECHANISMS } from '../wire/sasl/mechanism.ts';
import { isTold, type ToldCapabilities } from '../accounts/compatibility.ts';

/** What the list depends on. */
export interface CapabilitySituation {
  /** Whether STLS is permitted now. */
  readonly mayStartTls: boolean;
  /** Whether a password may be sent as it is. */
  readonly mayLogIn: boolean;
  /** Seconds between two logins; 0 for none. */
  readonly loginDelaySeconds: number;
  /** Days that a message stays at least; undefined for ever. */
  readonly expireDays: number | undefined;
  /** Which of them a client like this one is told. */
  readonly chosen: ToldCapabilities;
}

/** Capabilities that listeners and accounts can have hidden: all. */
export const CAPABILITIES: readonly string[] = [
  'TOP',
  'UIDL',
  'USER',
  'SASL',
  'PIPELINING',
  'RESP-CODES',
  'AUTH-RESP-CODE',
  'EXPIRE',
  'LOGIN-DELAY',
  'UTF8',
  'LANG',
  'STLS',
];

/** The list, a line for each. */
export function capabilityLines(situation: CapabilitySituation): readonly string[] {
  const { mayStartTls, mayLogIn, loginDelaySeconds, expireDays, chosen } = situation;
  const offered = [
    formatCapability('TOP'), // RFC 2449 section 6.1
    formatCapability('UIDL'), // RFC 2449 section 6.8
    ...(mayLogIn ? [formatCapability('USER'), formatCapability('SASL', ...SASL_MECHANISMS)] : []), // RFC 5034 section 3
    formatCapability('PIPELINING'), // RFC 2449 section 6.6
    formatCapability('RESP-CODES'), // RFC 2449 section 6.4
    formatCapability('AUTH-RESP-CODE'), // RFC 3206 section 5
    formatCapability('EXPIRE', expireDays === undefined ? 'NEVER' : String(expireDays)), // RFC 2449 section 6.7
    ...(loginDelaySeconds === 0 ? [] : [formatCapability('LOGIN-DELAY', String(loginDelaySeconds))]), // RFC 2449 section 6.5
    formatCapability('UTF8', 'USER'), // RFC 6856 section 2
    formatCapability('LANG'), // RFC 6856 section 3
    ...(mayStartTls ? [formatCapability('STLS')] : []), // RFC 2595 section 4
  ];
  return offered.filter((line) => isTold(chosen, line.trimEnd()));
}
