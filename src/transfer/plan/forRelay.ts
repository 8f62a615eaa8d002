/**
 * The plan of a message that an administrator sends by one relay to try it: to that relay and nowhere else, whatever routes, aliases
 * and rules say. Nobody is told of its end but the trace, where the administrator looks.
 */

import type { Envelope } from '../contract.ts';
import type { Plan } from './plan.ts';

/** One item for each recipient. */
export function planForRelay({ reversePath, recipients }: Envelope, relay: string): Plan {
  const queued = recipients.map((recipient) => ({
    recipient,
    nextHop: { kind: 'relay', name: relay } as const,
    reversePath,
    notify: ['NEVER'] as const,
    isSmtpUtf8: !/^[\0-\x7f]*$/.test(recipient + reversePath),
  }));
  return { copies: [], queued, events: [], undelivered: [], delivered: [] };
}
