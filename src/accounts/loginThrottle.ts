/**
 * Failed logins: when the next attempt may be made, and who is banned for how long. A state machine that waits for nothing.
 *
 * What counts is a login name together with an address, so that nobody locks out anybody else: a whole site may stand behind
 * one address, and everybody knows everybody's name. From the fourth failure on each attempt waits, twice as long each time;
 * after more the pair is banned. An address as a whole is banned only when nobody has logged in well from it for a day and it
 * failed with many names. Names count as they were sent, whether an account has them or not, so that neither a delay nor a ban
 * tells; an attempt that is banned or too early costs no hash. Only a password that was right from the same address within a day
 * neither waits nor is banned: whatever others fail with, who has it gets in. All of it is in memory: a restart begins anew.
 * Trust: names and addresses are the client's; what is remembered of them is bounded by the limits below.
 */

import type { Clock } from '../base/clock.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import { FailedLogins, type LoginAttempt, type LoginBan, type LoginThrottleOptions } from './failedLogins.ts';
import { SuspectAddresses } from './suspectAddresses.ts';

/** Failures that cost no delay: a person mistypes, an application has an old password for a moment. */
export const FREE_FAILURES = 3;
/** The first delay; each further failure doubles it. */
export const FIRST_DELAY_MS = SECOND_MS;
/**
 * Pairs of name and address that are remembered, about 1 KiB each with the longest of names. With 20,000 of them the hash tables
 * took 15 to 30 ms of this thread each time when they were laid out anew, some thousand failures apart.
 */
export const PAIR_LIMIT = 5_000;

/** hMailServer bans for an hour after 3 failures within 30 minutes; here delays come first. */
export const DEFAULT_LOGIN_THROTTLE: LoginThrottleOptions = {
  delayLimitMs: 15 * SECOND_MS,
  banAfterFailures: 10,
  banAddressAfterNames: 20,
  windowMs: 30 * MINUTE_MS,
  banMs: HOUR_MS,
};

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

/** Attempts with one password at one moment. */
interface UnderWay {
  times: number;
  /** Whether it has failed: once, however many sessions made it. */
  isCounted: boolean;
  /** When they are looked at. */
  readonly atMs: number;
}

/** Decides by what it has been told. */
export class LoginThrottle {
  readonly #clock: Clock;
  #options: LoginThrottleOptions;
  readonly #pairs: FailedLogins;
  readonly #suspects: SuspectAddresses;
  /** By pair and password; bounded by the connections. */
  readonly #underWay = new Map<string, Map<string, UnderWay>>();

  constructor(clock: Clock, options: LoginThrottleOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#pairs = new FailedLogins(clock, 'nameAndAddress', PAIR_LIMIT);
    this.#suspects = new SuspectAddresses(clock);
  }

  /** Takes new options; what has been counted and banned stays. */
  setOptions(options: LoginThrottleOptions): void {
    this.#options = options;
  }

  /** Whether this attempt may be made, and how long it waits before. */
  admit(attempt: LoginAttempt): LoginAdmission {
    const { address, passwordKey, isProven } = attempt;
    const key = keyOf(attempt);
    const isBanned = () =>
      isProven !== true && (this.#pairs.isBanned(key) || this.#suspects.failed.isBanned(address));
    const atMs = isBanned() ? undefined : this.#timeOf(key, attempt);
    if (atMs === undefined) return { kind: 'refused' };
    const underWay = this.#enter(key, passwordKey, atMs);
    let isOver = false;
    return {
      kind: 'admitted',
      waitMs: Math.max(0, atMs - this.#clock.monotonic()),
      mayGoOn: () => !isBanned(),
      settle: (isGood) => (isGood ? this.#noteGood(key, address) : this.#noteFailed(key, attempt, underWay)),
      leave: () => {
        if (!isOver) this.#leave(key, passwordKey, underWay);
        isOver = true;
      },
    };
  }

  /** The bans that hold. */
  get bans(): readonly LoginBan[] {
    return [...this.#pairs.bans, ...this.#suspects.failed.bans];
  }

  /** Lifts the bans of which `isMeant` says so, and forgets the failures that led to them. */
  lift(isMeant: (ban: LoginBan) => boolean): readonly LoginBan[] {
    return [...this.#pairs.lift(isMeant), ...this.#suspects.failed.lift(isMeant)];
  }

  /** When the attempt is looked at; undefined where that is too late, or its pair is as good as banned. */
  #timeOf(key: string, { passwordKey, isProven }: LoginAttempt): number | undefined {
    const { delayLimitMs, banAfterFailures } = this.#options;
    const now = this.#clock.monotonic();
    if (isProven === true) return now;
    const underWay = this.#underWay.get(key);
    // The same password once more is the same attempt: an application that opens many sessions at once waits once.
    const same = underWay?.get(passwordKey);
    if (same !== undefined) return same.atMs;
    // Attempts with other passwords count as failed until they are settled: a hundred at a moment shall not be free.
    const failures = (this.#pairs.get(key)?.failures ?? 0) + (underWay?.size ?? 0);
    if (banAfterFailures > 0 && failures >= banAfterFailures) return undefined;
    const delayMs = delayAfter(failures, delayLimitMs);
    if (delayMs === 0) return now;
    // Waits are compared, not moments: those have fractions, and a sum less one of its parts may be a little more than the other.
    const others = [...(underWay?.values() ?? [])].map(({ atMs }) => atMs - now);
    const waitMs = Math.max(0, ...others) + delayMs;
    return waitMs > delayLimitMs ? undefined : now + waitMs;
  }

  #enter(key: string, passwordKey: string, atMs: number): UnderWay {
    const passwords = this.#underWay.get(key) ?? new Map<string, UnderWay>();
    const same = passwords.get(passwordKey) ?? { times: 0, isCounted: false, atMs };
    same.times += 1;
    passwords.set(passwordKey, same);
    this.#underWay.set(key, passwords);
    return same;
  }

  #leave(key: string, passwordKey: string, underWay: UnderWay): void {
    underWay.times -= 1;
    if (underWay.times === 0) this.#close(key, passwordKey, underWay);
  }

  /** Nobody joins it any more. */
  #close(key: string, passwordKey: string, underWay: UnderWay): void {
    const passwords = this.#underWay.get(key);
    if (passwords?.get(passwordKey) !== underWay) return;
    passwords.delete(passwordKey);
    if (passwords.size === 0) this.#underWay.delete(key);
  }

  #noteGood(key: string, address: string): readonly LoginBan[] {
    // A ban stays for whoever is not proven: else each poll of an application would give its neighbour ten more guesses.
    if (!this.#pairs.isBanned(key)) this.#pairs.forget(key);
    this.#suspects.noteGood(address);
    return [];
  }

  /** Sessions that made one attempt together count once: an application that opens ten with an old password is not banned for it. */
  #noteFailed(key: string, attempt: LoginAttempt, underWay: UnderWay): readonly LoginBan[] {
    if (underWay.isCounted) return [];
    underWay.isCounted = true;
    // Who comes from here on makes an attempt of his own, else sessions that overlap would try without end.
    this.#close(key, attempt.passwordKey, underWay);
    const failures = (this.#pairs.get(key)?.failures ?? 0) + 1;
    const further = { attempt, failures, names: undefined, banLimit: this.#options.banAfterFailures };
    const begun = [
      this.#pairs.note(key, further, this.#options),
      this.#suspects.noteFailed(attempt, this.#options),
    ];
    return begun.filter((ban) => ban !== undefined);
  }
}

/** The wait before an attempt that comes after so many failures. */
function delayAfter(failures: number, limitMs: number): number {
  if (failures < FREE_FAILURES) return 0;
  // 2^30 seconds are beyond every limit, and the power stays a safe number.
  return Math.min(limitMs, FIRST_DELAY_MS * 2 ** Math.min(failures - FREE_FAILURES, 30));
}

/** No address has a blank. */
function keyOf({ address, loginName }: LoginAttempt): string {
  return `${address} ${loginName}`;
}
