/**
 * The section `queue` of the schema (schema.ts), in a file of its own for its length.
 */

import { z } from 'zod';

/** Its keys: when what waits for a next hop is tried again, told of and returned. */
export const queue = z.strictObject({
  expiryHours: z
    .int()
    .min(1)
    .max(720)
    .default(48)
    .describe(
      'How long a message is tried before it is returned to its sender. Exchange Online itself gives up after 24 hours; RFC 5321 asks for 4 to 5 days.',
    ),
  delayReportHours: z
    .int()
    .min(0)
    .max(240)
    .default(4)
    .describe('After how long the sender is told once that his message still waits; 0 never tells.'),
  firstRetrySeconds: z
    .int()
    .min(10)
    .max(3600)
    .default(60)
    .describe(
      'The wait behind the first attempt that was put off; the next ones are 2, 5, 10, 20, 30 and then 60 times as long, a fifth more or less.',
    ),
  longestRetryMinutes: z
    .int()
    .min(1)
    .max(1440)
    .default(60)
    .describe('No wait between two attempts is longer, unless the next hop asks for it.'),
});
