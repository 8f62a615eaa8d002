/**
 * The section `transfer` of the schema (schema.ts), in a file of its own for its length.
 */

import { z } from 'zod';
import { hostName } from './hostName.ts';

/** Its keys. */
export const transfer = z.strictObject({
  suppressResends: z
    .boolean()
    .default(true)
    .describe(
      'Whether a message that comes again with the same envelope and octets is answered 250 and stored once; submitted ones only with a Message-ID and a Date of their own.',
    ),
  resendWindowDays: z
    .int()
    .min(1)
    .max(30)
    .default(7)
    .describe('How long a message is remembered, so that it is stored once.'),
  suppressExchangeDuplicates: z
    .boolean()
    .default(true)
    .describe(
      'Whether a message from Exchange Online is stored once for a recipient who has one with the same Message-ID and Network-Message-Id; only where its origin is proved.',
    ),
  exchangeDuplicateWindowDays: z
    .int()
    .min(1)
    .max(30)
    .default(3)
    .describe('How long the ids of a message from Exchange Online are remembered.'),
  duplicatesAllowedDomains: z
    .array(hostName)
    .max(1000)
    .default([])
    .describe('Domains whose recipients get every message as often as it comes.'),
  tracedRefusalsPerHour: z
    .int()
    .min(0)
    .max(100_000)
    .default(1000)
    .describe(
      'Refusals that the trace tells one by one in an hour, and as many again for the first 5 of each network; of more only the number. 0 tells none.',
    ),
  tracedRefusalsPerNetworkPerHour: z
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe('The same of one remote address (of one /64 in IPv6).'),
  relayRoutes: z
    .enum(['off', 'on'])
    .default('on')
    .describe(
      'Whether routes to relays and drop directories are in force; off refuses whatever only such a route would take. What a route leads to a relay that is not configured, or to a drop directory (which this version does not fill yet), waits in the queue and does not expire.',
    ),
});
