/**
 * Records of failed logins by key, each for its window of time or until its ban ends, at most so many (failureMemory.ts).
 *
 * Kept twice: by name and address together, and by address alone (suspectAddresses.ts). Called by these two.
 */

import type { Clock } from '../base/clock.ts';
import { MINUTE_MS } from '../base/units.ts';
import { FailureMemory } from './failureMemory.ts';

/** A full memory is looked through for what is over this often at most: a millisecond or two. */
export const SWEEP_PERIOD_MS = MINUTE_MS;

/** What an administrator may set. */
export interface LoginThrottleOptions {
  /** Longest delay before an attempt is looked at; 0 for no delays. */
  readonly delayLimitMs: number;
  /** Failures of one name from one address within `windowMs` that ban the pair; 0 for no bans. */
  readonly banAfterFailures: number;
  /** Names that failed from one address within `windowMs`, after which it is banned as a whole; 0 for never. */
  readonly banAddressAfterNames: number;
  readonly windowMs: number;
  readonly banMs: number;
}

/** Who tries to log in. */
export interface LoginAttempt {
  /** In its one form. */
  readonly loginName: string;
  /** The address, or the network that stands for it. */
  readonly address: string;
  readonly protocol: string;
  /** Names the password without giving it away: the same one tried twice at a moment is one attempt. */
  readonly passwordKey: string;
  /** Whether this very password was right for this very account from this address within the last day. */
  readonly isProven?: boolean;
}

/** A ban that holds, for the administrator and the log. */
export interface LoginBan {
  readonly kind: 'nameAndAddress' | 'address';
  /** The name that failed last. */
  readonly loginName: string;
  readonly address: string;
  /** Of the last failure. */
  readonly protocol: string;
  /** Failures, or names that failed. */
  readonly failures: number;
  /** How long it still lasts. */
  readonly remainingMs: number;
}

/** What is known of one key. */
export interface Failed {
  readonly attempt: LoginAttempt;
  readonly failures: number;
  /** Hashes of the names that failed, where names are counted. */
  readonly names: ReadonlySet<number> | undefined;
  /** When the failures are forgotten, unless there is a ban. */
  readonly windowEndMs: number;
  readonly banEndMs: number | undefined;
}

/** What a further failure makes of a record; `banLimit` failures ban, 0 never. */
export interface FurtherFailure extends Pick<Failed, 'attempt' | 'failures' | 'names'> {
  readonly banLimit: number;
}

/** The records of one kind. */
export class FailedLogins {
  readonly #clock: Clock;
  readonly #kind: LoginBan['kind'];
  readonly #limit: number;
  readonly #memory: FailureMemory<Failed>;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, kind: LoginBan['kind'], limit: number) {
    this.#clock = clock;
    this.#kind = kind;
    this.#limit = limit;
    this.#memory = new FailureMemory(limit);
  }

  /** What is known of `key`; a record whose time is over is forgotten. */
  get(key: string): Failed | undefined {
    const failed = this.#memory.get(key);
    const endMs = failed?.banEndMs ?? failed?.windowEndMs ?? 0;
    if (failed === undefined || this.#clock.monotonic() < endMs) return failed;
    this.#memory.delete(key);
    return undefined;
  }

  isBanned(key: string): boolean {
    return this.get(key)?.banEndMs !== undefined;
  }

  /** Notes a further failure of `key`; answers the ban that begins with it. A ban that holds stays as it is. */
  note(key: string, further: FurtherFailure, options: LoginThrottleOptions): LoginBan | undefined {
    const now = this.#clock.monotonic();
    const before = this.get(key);
    const { banLimit, ...known } = further;
    const begins = before?.banEndMs === undefined && banLimit > 0 && known.failures >= banLimit;
    const failed: Failed = {
      ...known,
      windowEndMs: before?.windowEndMs ?? now + options.windowMs,
      banEndMs: begins ? now + options.banMs : before?.banEndMs,
    };
    this.#sweep();
    this.#memory.put(key, failed);
    return begins ? this.#banOf(failed) : undefined;
  }

  forget(key: string): void {
    this.#memory.delete(key);
  }

  /** The bans that hold. */
  get bans(): readonly LoginBan[] {
    return this.#banned().map(([, failed]) => this.#banOf(failed));
  }

  /** Lifts the bans of which `isMeant` says so, and forgets the failures that led to them. */
  lift(isMeant: (ban: LoginBan) => boolean): readonly LoginBan[] {
    return this.#banned().flatMap(([key, failed]) => {
      const ban = this.#banOf(failed);
      if (!isMeant(ban)) return [];
      this.forget(key);
      return [ban];
    });
  }

  #banned(): [string, Failed][] {
    return [...this.#memory.entries()].filter(([key]) => this.isBanned(key));
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    if (this.#memory.size < this.#limit || now - this.#sweptMs < SWEEP_PERIOD_MS) return;
    this.#sweptMs = now;
    for (const [key] of [...this.#memory.entries()]) this.get(key);
  }

  #banOf({ attempt, failures, banEndMs = 0 }: Failed): LoginBan {
    const { loginName, address, protocol } = attempt;
    const remainingMs = banEndMs - this.#clock.monotonic();
    return { kind: this.#kind, loginName, address, protocol, failures, remainingMs };
  }
}
