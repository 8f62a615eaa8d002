/**
 * The section `reports` of the schema (schema.ts), in a file of its own for its length.
 */

import { z } from 'zod';

/** Its keys. */
export const reports = z.strictObject({
  language: z
    .enum(['both', 'en', 'de'])
    .default('both')
    .describe('Language of reports to senders: English, German, or both in one report.'),
  copyToPostmaster: z
    .enum(['off', 'untold', 'failures'])
    .default('off')
    .describe(
      'What the postmaster gets: nothing; reports of failures of which nobody else may or can be told (reports that fail themselves among them); or a copy of every report of a failure. Reports hold headers of other people’s mail.',
    ),
});
