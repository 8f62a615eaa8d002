/**
 * TokenVault: where refresh tokens rest between two uses. main fills it with the store's sealed secrets (admin/tokenVault.ts).
 *
 * A refresh token may be good for one use only (RFC 6749 section 6, RFC 9700 section 4.14.2): the one that comes in its place is
 * kept before anything is done with what came along.
 */

import type { UnixMs } from '../../base/clock.ts';

/** A refresh token and what is known of it. */
export interface KeptRefreshToken {
  readonly token: string;
  /** The application that it was given to; it is of no use to another one. */
  readonly tenant: string;
  readonly clientId: string;
  /** Who logged in, where the answer said so; for the administrator. */
  readonly user?: string | undefined;
  /** When somebody logged in. */
  readonly loggedInAt: UnixMs;
  /** When it was given: at the login, or in place of the one before. */
  readonly renewedAt: UnixMs;
}

/** Refresh tokens by the name of their relay. Errors: those of the store; `cannot` where the key of the secrets is missing. */
export interface TokenVault {
  loadRefreshToken(name: string): Promise<KeptRefreshToken | undefined>;
  /** Resolves when it is on disk. */
  saveRefreshToken(name: string, kept: KeptRefreshToken): Promise<void>;
}
