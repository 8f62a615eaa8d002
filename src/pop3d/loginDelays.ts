/**
 * The least time between two logins of an account from one address (RFC 2449 section 6.5), for servers that are set so.
 *
 * By address as well, so that one application that polls too often keeps no other out.
 */

import type { Clock } from '../base/clock.ts';
import type { AccountId } from '../base/ids.ts';
import { SECOND_MS } from '../base/units.ts';
import { LOGIN_DELAY_ENTRY_LIMIT } from './limits.ts';

/** Who logged in lately. */
export class LoginDelays {
  readonly #clock: Clock;
  readonly #delayMs: number;
  /** When by account and address, the oldest first. */
  readonly #logins = new Map<string, number>();

  constructor(clock: Clock, delaySeconds: number) {
    this.#clock = clock;
    this.#delayMs = delaySeconds * SECOND_MS;
  }

  /** Whether the last login was long enough ago. */
  isOver(accountId: AccountId, remoteAddress: string): boolean {
    const at = this.#logins.get(keyOf(accountId, remoteAddress));
    return at === undefined || this.#clock.monotonic() - at >= this.#delayMs;
  }

  /** The delay runs from here, an accepted login. */
  note(accountId: AccountId, remoteAddress: string): void {
    if (this.#delayMs === 0) return;
    const key = keyOf(accountId, remoteAddress);
    this.#logins.delete(key);
    this.#logins.set(key, this.#clock.monotonic());
    this.#forgetOld();
  }

  #forgetOld(): void {
    const oldestMs = this.#clock.monotonic() - this.#delayMs;
    for (const [key, at] of this.#logins) {
      if (at > oldestMs && this.#logins.size <= LOGIN_DELAY_ENTRY_LIMIT) return;
      this.#logins.delete(key);
    }
  }
}

function keyOf(accountId: AccountId, remoteAddress: string): string {
  return `${accountId} ${remoteAddress}`;
}
