/**
 * Switching a watch on, as the CLI asks for it: the check of what comes over the control socket.
 */

import { z } from 'zod';

import { MailError } from '../../base/error.ts';
import type { Administration } from '../../accounts/administration.ts';
import { WATCH_DEFAULT_MS, WATCH_LIMIT_MS } from './limits.ts';
import type { ProtocolLog } from './protocolLog.ts';
import type { Watch, WatchSubject } from './watches.ts';

const text = z.string().max(1024);

/** What `server.protocolLog.on` takes: one of `account`, `address` and `all`. */
export const WATCH_INPUT = z.strictObject({
  account: text.optional(),
  address: text.optional(),
  all: z.literal(true).optional(),
  protocols: z
    .array(z.enum(['smtp', 'pop3', 'imap']))
    .min(1)
    .max(3)
    .optional(),
  durationMs: z.int().min(1000).max(WATCH_LIMIT_MS).default(WATCH_DEFAULT_MS),
  by: text,
});

/** Switches a watch on. Errors: `invalid`, `notFound` for an account that is none, `limit`. */
export async function switchOn(
  protocolLog: ProtocolLog,
  { accounts }: Pick<Administration, 'accounts'>,
  input: z.infer<typeof WATCH_INPUT>,
): Promise<Watch> {
  const subject = await subjectOf(accounts, input);
  const { protocols, durationMs, by } = input;
  return protocolLog.switchOn({ subject, protocols, durationMs, by });
}

async function subjectOf(
  accounts: Pick<Administration['accounts'], 'show'>,
  { account, address, all }: z.infer<typeof WATCH_INPUT>,
): Promise<WatchSubject> {
  if ([account, address, all].filter((each) => each !== undefined).length !== 1)
    throw new MailError('invalid', 'one of account, address and all has to be given');
  if (address !== undefined) return { kind: 'address', range: address };
  if (account === undefined) return { kind: 'all' };
  // As the directory spells it: sessions are compared with that.
  return { kind: 'account', address: (await accounts.show(account)).address };
}
