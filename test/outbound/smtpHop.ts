/**
 * A relay by SMTP against a hop of the test's own, and what came of a message in short.
 */

import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { RelayLimits, SmtpRelayOptions } from '../../src/outbound/contract.ts';
import { createSmtpRelay } from '../../src/outbound/smtp/smtpRelay.ts';
import type { Relay, RelayResult } from '../../src/transfer/relay.ts';
import type { Teardown } from '../support/sockets.ts';

/** Never aborted. */
export const NEVER = new AbortController().signal;

/** The name that relays give. */
export const SERVER_NAME = 'hauspost.example.com';

/** No limits. */
export const NO_LIMITS: RelayLimits = {
  connections: 2,
  messagesPerMinute: 0,
  recipientsPerDay: 0,
  recipientsPerMessage: 100,
  sizeLimitOctets: 0,
};

/** A relay to 127.0.0.1:`port` in clear, unless said otherwise, that closes with the test. */
export function openRelay(
  t: Teardown,
  { port }: { readonly port: number },
  options: Partial<SmtpRelayOptions> = {},
  clock: Clock = systemClock,
): Relay {
  const relay = createSmtpRelay(
    {
      kind: 'smtp',
      name: 'smarthost',
      hosts: [{ host: '127.0.0.1', port }],
      tls: { mode: 'none', minimumVersion: 'TLSv1.2' },
      limits: NO_LIMITS,
      ...options,
    },
    { clock, log: silentLog, serverName: SERVER_NAME },
  );
  t.teardown(() => relay.close());
  return relay;
}

/** `relayed`, `deferred 4.4.2` and so on, by recipient, then the trouble. */
export function inShort({ outcomes, trouble }: RelayResult): string {
  const words = outcomes.map((outcome) =>
    'status' in outcome ? `${outcome.kind} ${outcome.status}` : outcome.kind,
  );
  return [...words, ...(trouble === undefined ? [] : [`(${trouble.kind})`])].join(', ');
}
