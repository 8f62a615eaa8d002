/**
 * Sender rewriting as the configuration wants it, with its key, which is made once and lies sealed in the store.
 */

import { randomBytes } from 'node:crypto';

import type { Clock } from '../base/clock.ts';
import type { Secrets } from '../store/contract/secrets.ts';
import { createSenderRewriting, type SenderRewriting } from '../transfer/plan/senderRewriting.ts';
import type { Config } from '../config/schema.ts';

const KEY_OCTETS = 32;

/** Undefined where it is off. Errors: those of Secrets. */
export async function openSenderRewriting(
  { forwarding }: Config,
  secrets: Pick<Secrets, 'find' | 'set'>,
  clock: Clock,
): Promise<SenderRewriting | undefined> {
  if (forwarding.srs === 'off') return undefined;
  const name = { purpose: 'srs', owner: 'forwarding' } as const;
  const kept = await secrets.find(name);
  const key = kept ?? randomBytes(KEY_OCTETS).toString('base64');
  if (kept === undefined) await secrets.set(name, key);
  return createSenderRewriting(key, clock);
}
