/**
 * When a login ends that nobody uses: Microsoft forgets a refresh token that was not used for 90 days.
 *
 * Ends of secrets and certificates stand in settings and files, and admin tells of them. Called by admin for status and the log.
 */

import type { UnixMs } from '../../base/clock.ts';
import { asMailError } from '../../base/error.ts';
import { DAY_MS } from '../../base/units.ts';
import { REFRESH_IDLE_WARNING_MS, REFRESH_LIFETIME_MS } from './limits.ts';
import type { TokenVault } from './tokenVault.ts';

/** A sentence for the administrator when the login of the relay `name` is missing, or ends before long; else undefined. Never rejects. */
export async function loginWarning(
  name: string,
  vault: Pick<TokenVault, 'loadRefreshToken'>,
  now: UnixMs,
): Promise<string | undefined> {
  const login = `\`hauspost relay login ${name}\``;
  try {
    const kept = await vault.loadRefreshToken(name);
    if (kept === undefined) return `nobody has logged in: run ${login}`;
    const idleMs = now - kept.renewedAt;
    if (idleMs < REFRESH_IDLE_WARNING_MS) return undefined;
    const day = new Date(kept.renewedAt + REFRESH_LIFETIME_MS).toISOString().slice(0, 10);
    const idle = `its login was not used for ${Math.floor(idleMs / DAY_MS)} days`;
    return idleMs >= REFRESH_LIFETIME_MS
      ? `${idle}, and Microsoft has ended it: run ${login}`
      : `${idle}, and Microsoft ends it on ${day}: send something by this relay, or run ${login}`;
  } catch (error) {
    return `its login cannot be read: ${asMailError(error).message}`;
  }
}
