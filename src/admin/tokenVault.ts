/**
 * The vault of refresh tokens on the store's sealed secrets: one for each relay, under its name.
 *
 * Trust: what was sealed here is what is opened here (the sealing sees to that); its form is checked all the same, since another
 * version may have written it.
 */

import { z } from 'zod';
import { type UnixMs, unixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Secrets } from '../store/contract/secrets.ts';
import type { KeptRefreshToken, TokenVault } from '../exchange/tokens/tokenVault.ts';

const time = z
  .number()
  .int()
  .transform((value): UnixMs => unixMs(value));
const KEPT = z.object({
  token: z.string().min(1),
  tenant: z.string(),
  clientId: z.string(),
  user: z.string().optional(),
  loggedInAt: time,
  renewedAt: time,
});

/** The vault on these secrets. */
export function createTokenVault(secrets: Pick<Secrets, 'find' | 'set'>): TokenVault {
  const nameOf = (relay: string) => ({ purpose: 'relayToken' as const, owner: relay });
  return {
    async loadRefreshToken(name): Promise<KeptRefreshToken | undefined> {
      const text = await secrets.find(nameOf(name));
      if (text === undefined) return undefined;
      const parsed = KEPT.safeParse(readJson(text));
      if (parsed.success) return parsed.data;
      throw new MailError(
        'cannot',
        `the refresh token of the relay “${name}” was kept in a form that is not known`,
      );
    },
    saveRefreshToken: (name, kept) => secrets.set(nameOf(name), JSON.stringify(kept)),
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
