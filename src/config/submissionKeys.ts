/**
 * The section `submission` of the schema (schema.ts), in a file of its own for its length.
 */

import { z } from 'zod';
import { GIB, KIB } from '../base/units.ts';

/** Its keys: limits of submitters that have none of their own. */
export const submission = z.strictObject({
  recipientLimit: z
    .int()
    .min(1)
    .max(10_000)
    .default(500)
    .describe(
      'Recipients of one message that is submitted; one more is told 452 4.5.3. The default is what Exchange Online takes. Accounts and IP ranges can have their own.',
    ),
  recipientsPerDayLimit: z
    .int()
    .min(0)
    .max(100_000_000)
    .default(10_000)
    .describe(
      'Recipients of all messages that an account, or the clients of an IP range without a login, submit in a day of the server’s zone; then 452 4.7.1. The default is what Exchange Online takes of a mailbox; 0 for no limit. Accounts and IP ranges can have their own.',
    ),
  messagesPerMinuteLimit: z
    .int()
    .min(0)
    .max(10_000)
    .default(600)
    .describe(
      'Messages that an account, or the clients of an IP range without a login, submit within a minute; then 452 4.7.1. 0 for no limit. Accounts and IP ranges can have their own.',
    ),
  sizeLimitOctets: z
    .int()
    .min(KIB)
    .max(GIB)
    .optional()
    .describe(
      'Largest message that is submitted; smtp.sizeLimitOctets when absent, which holds in any case. Accounts and IP ranges can have their own.',
    ),
});
