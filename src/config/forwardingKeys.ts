/**
 * The section `forwarding` of the schema (schema.ts), in a file of its own for its length.
 */

import { z } from 'zod';

/** Its keys. */
export const forwarding = z.strictObject({
  srs: z
    .enum(['off', 'on'])
    .default('off')
    .describe(
      'Whether forwards to other servers leave with a sender address of ours that stands for the foreign one (SRS), for targets that refuse forwards for their SPF. Bounces to it reach the sender for 21 days. Exchange Online does not need it for accepted domains.',
    ),
});
