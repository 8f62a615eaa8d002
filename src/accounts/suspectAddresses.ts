/**
 * Addresses as a whole: one is banned only when logins failed from it with many names and nobody has logged in well from it for
 * a day, since a whole site may stand behind it.
 *
 * A start forgets who logged in well, so that no address is banned in the hour behind it. Called by loginThrottle.ts.
 */

import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { DAY_MS, HOUR_MS } from '../base/units.ts';
import { FailedLogins, type LoginAttempt, type LoginBan, type LoginThrottleOptions } from './failedLogins.ts';

/** Addresses that are remembered for the names that failed from them, some KiB each. */
export const SUSPECT_LIMIT = 5_000;
/** Addresses that are remembered for good logins; the one that is longest ago is forgotten beyond. */
export const GOOD_ADDRESS_LIMIT = 20_000;
/** How long a good login speaks for its address. */
export const GOOD_LOGIN_MS = DAY_MS;
/** How long after a start no address is banned as a whole. */
export const ADDRESS_GRACE_MS = HOUR_MS;

/** What speaks for and against addresses. */
export class SuspectAddresses {
  readonly #clock: Clock;
  readonly #startedMs: number;
  /** By address; its failures are the names that failed. */
  readonly failed: FailedLogins;
  /** The last good login by address, the longest ago first. */
  readonly #good = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonic();
    this.failed = new FailedLogins(clock, 'address', SUSPECT_LIMIT);
  }

  noteGood(address: string): void {
    this.failed.forget(address);
    this.#good.delete(address);
    this.#good.set(address, this.#clock.monotonic());
    const [longestAgo] = this.#good.keys();
    if (this.#good.size > GOOD_ADDRESS_LIMIT && longestAgo !== undefined) this.#good.delete(longestAgo);
  }

  /** Notes a failure; answers the ban that begins with it. */
  noteFailed(attempt: LoginAttempt, options: LoginThrottleOptions): LoginBan | undefined {
    const { address, loginName } = attempt;
    const banLimit = options.banAddressAfterNames;
    if (banLimit === 0 || this.#isGood(address)) return undefined;
    const before = this.failed.get(address);
    const name = hashOf(loginName);
    if (before?.banEndMs !== undefined || before?.names?.has(name) === true) return undefined;
    const names = new Set(before?.names).add(name);
    // In the hour of grace names are counted no further than just below the number that bans.
    const mayBan = this.#clock.monotonic() - this.#startedMs >= ADDRESS_GRACE_MS;
    if (!mayBan && names.size >= banLimit) return undefined;
    return this.failed.note(address, { attempt, names, failures: names.size, banLimit }, options);
  }

  #isGood(address: string): boolean {
    const at = this.#good.get(address);
    return at !== undefined && this.#clock.monotonic() - at < GOOD_LOGIN_MS;
  }
}

/** 48 bits: names as they are would be a hundred times as much, and two that collide count as one. */
function hashOf(loginName: string): number {
  return createHash('sha256').update(loginName).digest().readUIntBE(0, 6);
}
