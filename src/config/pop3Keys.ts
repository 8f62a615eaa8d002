/**
 * The section `pop3` of the schema (schema.ts), in a file of its own for its length.
 */

import { z } from 'zod';

/** Its keys. */
export const pop3 = z.strictObject({
  idleTimeoutSeconds: z
    .int()
    .min(600)
    .max(86_400)
    .default(600)
    .describe(
      'Silence after which a session is closed without deleting (RFC 1939 section 3: 10 minutes at least).',
    ),
  sharing: z
    .enum(['shared', 'exclusive'])
    .default('shared')
    .describe(
      'shared: sessions may have one maildrop at the same time, each with its own snapshot. exclusive: the second one is told [IN-USE], unless the first has been silent for 2 minutes.',
    ),
  marksSeen: z
    .boolean()
    .default(false)
    .describe('Whether a message that RETR has sent is \\Seen in IMAP, as in Exchange; TOP never does that.'),
  loginDelaySeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(0)
    .describe(
      'Time between two logins of an account from one address; sooner is [LOGIN-DELAY]. 0 for none (RFC 2449 section 6.5).',
    ),
  retentionDays: z
    .int()
    .min(0)
    .max(3650)
    .default(0)
    .describe(
      'Days that a message which POP3 has deleted stays in the mailbox Fetched, from where it can be restored (docs/RETENTION.md); 0 deletes it at once. Accounts can have their own.',
    ),
  deleteAfterFetchDays: z
    .int()
    .min(0)
    .max(3650)
    .default(0)
    .describe(
      'Days after its first whole fetch by POP3 that a message goes from the INBOX by itself, for programs that leave everything on the server; 0 never. Accounts can have their own.',
    ),
  preferredLanguage: z
    .enum(['en', 'de'])
    .default('en')
    .describe('Language of the texts for clients that ask for the administrator’s choice (LANG *).'),
});
