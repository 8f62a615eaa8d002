/**
 * Failed logins: when the next attempt may be made, and who is banned for how long. A state machine that waits for nothing.
 *
 * What counts is a login name together with an address, so that nobody locks out anybody else: a whole site may stand behind
 * one address, and everybody knows everybody's name. From the fourth failure on each attempt waits, twice as long each time;
 * after more the pair is banned. An address as a whole is banned only when nobody has logged in well from it for a day and it
 * failed with many names. Names count as they were sent, whether an account has them or not, so that neither a delay nor a ban
 * tells; an attempt that is banned or too early costs no hash. All of it is in memory: a restart begins anew.
 * Trust: names and addresses are the client's; what is remembered of them is bounded by the limits below.
 */

import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import { FailureMemory } from './failureMemory.ts';

/** Failures that cost no delay: a person mistypes, an application has an old password for a moment. */
export const FREE_FAILURES = 3;
/** The first delay; each further failure doubles it. */
export const FIRST_DELAY_MS = SECOND_MS;
/** Pairs of name and address that are remembered, some 500 octets each with the longest of names. */
export const PAIR_LIMIT = 20_000;
/** Addresses that are remembered for the names that failed from them, some KiB each. */
export const SUSPECT_LIMIT = 5_000;
/** Addresses that are remembered for good logins; the one that is longest ago is forgotten beyond. */
export const GOOD_ADDRESS_LIMIT = 20_000;
/** A full memory is looked through for what is over this often at most: a millisecond or two. */
export const SWEEP_PERIOD_MS = MINUTE_MS;
/** How long a good login speaks for its address. */
export const GOOD_LOGIN_MS = DAY_MS;
/** How long after a start no address is banned as a whole: who logged in well before it is not known any more. */
export const ADDRESS_GRACE_MS = HOUR_MS;

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

/** hMailServer bans for an hour after 3 failures within 30 minutes; here delays come first. */
export const DEFAULT_LOGIN_THROTTLE: LoginThrottleOptions = {
  delayLimitMs: 15 * SECOND_MS,
  banAfterFailures: 10,
  banAddressAfterNames: 20,
  windowMs: 30 * MINUTE_MS,
  banMs: HOUR_MS,
};

/** Who tries to log in. */
export interface LoginAttempt {
  /** In its one form. */
  readonly loginName: string;
  /** The address, or the network that stands for it. */
  readonly address: string;
  readonly protocol: string;
  /** Names the password without giving it away: the same one tried twice at a moment is one attempt. */
  readonly passwordKey: string;
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

/** Whether an attempt may be made. */
export type LoginAdmission = { readonly kind: 'refused' } | AdmittedAttempt;

/** An attempt under way: it is settled or not, and left in any case. */
export interface AdmittedAttempt {
  readonly kind: 'admitted';
  /** To wait before `mayGoOn` is asked and the password is looked at. */
  readonly waitMs: number;
  /** Whether no ban has come meanwhile. */
  mayGoOn(): boolean;
  /** Counts how it ended; answers the bans that have begun with it. */
  settle(isGood: boolean): readonly LoginBan[];
  /** It is over, settled or not: an attempt that was given up, or could not be looked at, counts for nothing. */
  leave(): void;
}

interface Failed {
  readonly loginName: string;
  readonly address: string;
  readonly protocol: string;
  readonly failures: number;
  /** When the failures are forgotten, unless there is a ban. */
  readonly windowEndMs: number;
  readonly banEndMs: number | undefined;
}

interface Suspect extends Failed {
  /** Hashes of the names that failed; their number is `failures`. */
  readonly names: ReadonlySet<number>;
}

/** Decides by what it has been told. */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #startedMs: number;
  #options: LoginThrottleOptions;
  readonly #pairs = new FailureMemory<Failed>(PAIR_LIMIT);
  readonly #suspects = new FailureMemory<Suspect>(SUSPECT_LIMIT);
  /** The last good login by address, the longest ago first. */
  readonly #good = new Map<string, number>();
  #sweptMs = Number.NEGATIVE_INFINITY;
  /** Passwords that are being tried, by pair, with how often each; bounded by the connections. */
  readonly #underWay = new Map<string, Map<string, number>>();
  /** When the next attempt of a pair may be looked at, where one waits. */
  readonly #nextMs = new Map<string, number>();

  constructor(clock: Clock, options: LoginThrottleOptions) {
    this.#clock = clock;
    this.#startedMs = clock.monotonic();
    this.#options = options;
  }

  /** Takes new options; what has been counted and banned stays. */
  setOptions(options: LoginThrottleOptions): void {
    this.#options = options;
  }

  /** Whether this attempt may be made, and how long it waits before. */
  admit(attempt: LoginAttempt): LoginAdmission {
    const key = keyOf(attempt);
    if (this.#isBanned(key, attempt.address)) return { kind: 'refused' };
    const waitMs = this.#waitOf(key, attempt.passwordKey);
    if (waitMs === undefined) return { kind: 'refused' };
    this.#enter(key, attempt.passwordKey);
    let isOver = false;
    return {
      kind: 'admitted',
      waitMs,
      mayGoOn: () => !this.#isBanned(key, attempt.address),
      settle: (isGood) => (isGood ? this.#noteGood(key, attempt) : this.#noteFailed(key, attempt)),
      leave: () => {
        if (!isOver) this.#leave(key, attempt.passwordKey);
        isOver = true;
      },
    };
  }

  /** The bans that hold, the newest last. */
  get bans(): readonly LoginBan[] {
    const now = this.#clock.monotonic();
    const banned = [...this.#pairs.entries(), ...this.#suspects.entries()].map(([, failed]) => failed);
    return banned.filter((failed) => isHeld(failed, now)).map((failed) => banOf(failed, now));
  }

  /** Lifts the bans of which `isMeant` says so, and forgets the failures that led to them. */
  lift(isMeant: (ban: LoginBan) => boolean): readonly LoginBan[] {
    const now = this.#clock.monotonic();
    const lifted: LoginBan[] = [];
    for (const memory of [this.#pairs, this.#suspects]) {
      for (const [key, failed] of [...memory.entries()]) {
        const ban = banOf(failed, now);
        if (!isHeld(failed, now) || !isMeant(ban)) continue;
        memory.delete(key);
        lifted.push(ban);
      }
    }
    return lifted;
  }

  #isBanned(key: string, address: string): boolean {
    const now = this.#clock.monotonic();
    const pair = this.#pairs.get(key);
    if (pair !== undefined && isHeld(pair, now)) return true;
    const suspect = this.#suspects.get(address);
    return suspect !== undefined && isHeld(suspect, now);
  }

  /** The wait of the next attempt; undefined where it would be too long, or would be made although its pair is as good as banned. */
  #waitOf(key: string, passwordKey: string): number | undefined {
    const { delayLimitMs, banAfterFailures } = this.#options;
    const now = this.#clock.monotonic();
    const failures =
      (this.#current(this.#pairs, key)?.failures ?? 0) + this.#othersUnderWay(key, passwordKey);
    if (banAfterFailures > 0 && failures >= banAfterFailures) return undefined;
    const delayMs = delayAfter(failures, delayLimitMs);
    if (delayMs === 0) return 0;
    const atMs = Math.max(now, this.#nextMs.get(key) ?? now) + delayMs;
    if (atMs - now > delayLimitMs) return undefined;
    this.#nextMs.set(key, atMs);
    return atMs - now;
  }

  /** Attempts with other passwords count as failed until they are settled: a hundred at a moment shall not be free. */
  #othersUnderWay(key: string, passwordKey: string): number {
    const passwords = this.#underWay.get(key);
    if (passwords === undefined) return 0;
    return passwords.size - (passwords.has(passwordKey) ? 1 : 0);
  }

  #enter(key: string, passwordKey: string): void {
    const passwords = this.#underWay.get(key) ?? new Map<string, number>();
    passwords.set(passwordKey, (passwords.get(passwordKey) ?? 0) + 1);
    this.#underWay.set(key, passwords);
  }

  #leave(key: string, passwordKey: string): void {
    const passwords = this.#underWay.get(key);
    const times = (passwords?.get(passwordKey) ?? 0) - 1;
    if (times > 0) passwords?.set(passwordKey, times);
    else passwords?.delete(passwordKey);
    if (passwords?.size !== 0) return;
    this.#underWay.delete(key);
    this.#nextMs.delete(key);
  }

  #noteGood(key: string, { address }: LoginAttempt): readonly LoginBan[] {
    this.#pairs.delete(key);
    this.#suspects.delete(address);
    this.#good.delete(address);
    this.#good.set(address, this.#clock.monotonic());
    const [longestAgo] = this.#good.keys();
    if (this.#good.size > GOOD_ADDRESS_LIMIT && longestAgo !== undefined) this.#good.delete(longestAgo);
    return [];
  }

  #noteFailed(key: string, attempt: LoginAttempt): readonly LoginBan[] {
    const now = this.#clock.monotonic();
    const { banAfterFailures } = this.#options;
    const before = this.#current(this.#pairs, key);
    const pair = this.#failedOnceMore(before, attempt, (before?.failures ?? 0) + 1, banAfterFailures);
    this.#sweep();
    this.#pairs.put(key, pair);
    const suspect = this.#suspectOf(attempt);
    const begun = [
      ...(before?.banEndMs === undefined ? [pair] : []),
      ...(suspect === undefined ? [] : [suspect]),
    ];
    return begun.filter((failed) => isHeld(failed, now)).map((failed) => banOf(failed, now));
  }

  /** What is known against an address after this failure; undefined where that is nothing new. */
  #suspectOf(attempt: LoginAttempt): Suspect | undefined {
    const { banAddressAfterNames } = this.#options;
    const { address, loginName } = attempt;
    if (banAddressAfterNames === 0 || this.#isGood(address)) return undefined;
    const before = this.#current(this.#suspects, address);
    const name = hashOf(loginName);
    if (before?.banEndMs !== undefined || before?.names.has(name) === true) return undefined;
    const names = new Set(before?.names).add(name);
    const mayBan = this.#clock.monotonic() - this.#startedMs >= ADDRESS_GRACE_MS;
    // In the grace time names are counted no further than just below the number that bans.
    if (!mayBan && names.size >= banAddressAfterNames) return undefined;
    const suspect = { ...this.#failedOnceMore(before, attempt, names.size, banAddressAfterNames), names };
    this.#suspects.put(address, suspect);
    return suspect;
  }

  #failedOnceMore(
    before: Failed | undefined,
    { loginName, address, protocol }: LoginAttempt,
    failures: number,
    limit: number,
  ): Failed {
    const now = this.#clock.monotonic();
    const { windowMs, banMs } = this.#options;
    const windowEndMs = before?.windowEndMs ?? now + windowMs;
    const banEndMs = before?.banEndMs ?? (limit > 0 && failures >= limit ? now + banMs : undefined);
    return { loginName, address, protocol, failures, windowEndMs, banEndMs };
  }

  #isGood(address: string): boolean {
    const at = this.#good.get(address);
    return at !== undefined && this.#clock.monotonic() - at < GOOD_LOGIN_MS;
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    const isFull = this.#pairs.size >= PAIR_LIMIT || this.#suspects.size >= SUSPECT_LIMIT;
    if (!isFull || now - this.#sweptMs < SWEEP_PERIOD_MS) return;
    this.#sweptMs = now;
    for (const [key] of this.#pairs.entries()) this.#current(this.#pairs, key);
    for (const [key] of this.#suspects.entries()) this.#current(this.#suspects, key);
  }

  /** The record of `key`, unless its time is over: then it is forgotten. */
  #current<Value extends Failed>(memory: FailureMemory<Value>, key: string): Value | undefined {
    const failed = memory.get(key);
    if (failed === undefined || this.#clock.monotonic() < (failed.banEndMs ?? failed.windowEndMs))
      return failed;
    memory.delete(key);
    return undefined;
  }
}

/** The wait before an attempt that comes after so many failures. */
function delayAfter(failures: number, limitMs: number): number {
  if (failures < FREE_FAILURES) return 0;
  // 2^30 seconds are beyond every limit, and the power stays a safe number.
  return Math.min(limitMs, FIRST_DELAY_MS * 2 ** Math.min(failures - FREE_FAILURES, 30));
}

function isHeld({ banEndMs }: Failed, now: number): boolean {
  return banEndMs !== undefined && now < banEndMs;
}

function banOf(failed: Failed, now: number): LoginBan {
  const { loginName, address, protocol, failures, banEndMs } = failed;
  const kind = 'names' in failed ? 'address' : 'nameAndAddress';
  return { kind, loginName, address, protocol, failures, remainingMs: (banEndMs ?? now) - now };
}

/** No address has a blank. */
function keyOf({ address, loginName }: LoginAttempt): string {
  return `${address} ${loginName}`;
}

/** 48 bits: names as they are would be a hundred times as much, and two that collide count as one. */
function hashOf(loginName: string): number {
  return createHash('sha256').update(loginName).digest().readUIntBE(0, 6);
}
