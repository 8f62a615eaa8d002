/**
 * Remembers for a short time which passwords were found right, so that an application that polls each minute costs no hash
 * each time (a hash is 25 ms, a look here 10 µs).
 *
 * The key is an HMAC under a key of this process over account, stored hash and password: nothing here gives a password
 * away, and a changed password finds nothing, without any clearing. Whether the account is enabled is not remembered; the
 * caller checks it each time. Only good verifications are kept. Called by login.ts, and by throttledLogin.ts for a day's.
 */

import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { MINUTE_MS } from '../base/units.ts';

/** How long a good verification is remembered, by the clock that never goes back. */
export const VERIFIED_LIFETIME_MS = 5 * MINUTE_MS;
/** Verifications remembered at one time, about 150 octets each; the oldest go first. */
export const VERIFIED_LIMIT = 10_000;

/** One password tried on one account. */
export interface Attempt {
  /** Whom it is tried on: an account's id, or a name that no account has. */
  readonly subject: string;
  /** The account's stored hash; a changed password makes another attempt of it. */
  readonly passwordHash: string;
  readonly password: string;
}

/** Good verifications of the last minutes. */
export interface VerifiedCache {
  /** Names an attempt without giving the password away; what `has` and `add` are asked with. */
  keyOf(attempt: Attempt): string;
  has(key: string): boolean;
  add(key: string): void;
}

/** An empty cache with a secret of its own. */
export function createVerifiedCache(clock: Clock, lifetimeMs: number = VERIFIED_LIFETIME_MS): VerifiedCache {
  const secret = randomBytes(32);
  /** Keys with the time when they end, oldest first. */
  const verified = new Map<string, number>();
  return {
    keyOf: ({ subject, passwordHash, password }) =>
      createHmac('sha256', secret)
        .update(JSON.stringify([subject, passwordHash, password]))
        .digest('base64'),
    has(key) {
      const endsAt = verified.get(key);
      if (endsAt === undefined) return false;
      if (clock.monotonic() < endsAt) return true;
      verified.delete(key);
      return false;
    },
    add(key) {
      verified.delete(key);
      verified.set(key, clock.monotonic() + lifetimeMs);
      const [oldest] = verified.keys();
      if (verified.size > VERIFIED_LIMIT && oldest !== undefined) verified.delete(oldest);
    },
  };
}
