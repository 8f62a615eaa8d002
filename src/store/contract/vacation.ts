/**
 * What accounts answer by themselves while their owners are away (RFC 3834): one answer for each account, none unless it is set.
 *
 * Who is answered, and when, is decided by transfer (vacation/); whom an account has answered is remembered as claims (claims.ts).
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId } from '../../base/ids.ts';

/** An account's answer. */
export interface Vacation {
  /** The account's address. */
  readonly account: string;
  readonly isEnabled: boolean;
  /** Undefined: made of the subject that is answered. */
  readonly subject?: string | undefined;
  readonly text: string;
  /** Nobody is answered before; undefined: from now on. */
  readonly startsAt?: UnixMs | undefined;
  /** Nobody is answered from then on; undefined: until it is removed. */
  readonly endsAt?: UnixMs | undefined;
  /** A sender is answered once within so many days, from 1. */
  readonly daysBetween: number;
}

/** Answers of accounts. They go with their accounts. */
export interface VacationDirectory {
  /** By account, of one domain or of all. */
  vacations(domain?: string): Promise<readonly Vacation[]>;
  vacationOf(accountId: AccountId): Promise<Vacation | undefined>;
  /** Sets it whole, whether there was one or not. Errors: `notFound` (the account). */
  setVacation(vacation: Vacation): Promise<Vacation>;
  /** Errors: `notFound`. */
  removeVacation(account: string): Promise<void>;
}
