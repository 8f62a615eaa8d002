/**
 * The administrator's verbs for vacations: what an account answers by itself while its owner is away.
 */

import { type UnixMs, unixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Account, Directory } from '../store/contract/directory.ts';
import type { Vacation } from '../store/contract/vacation.ts';
import { domainGiven, ownAddressGiven } from './namesGiven.ts';

/** Days after which a sender is answered again, unless it is set. */
export const DAYS_BETWEEN = 7;
/** More would keep what is remembered of senders for too long. */
export const DAYS_BETWEEN_LIMIT = 90;
/** Characters of a subject. */
export const VACATION_SUBJECT_LIMIT_CHARS = 200;
/** Characters of a text. */
export const VACATION_TEXT_LIMIT_CHARS = 10_000;

/** What can be set of a vacation; what is absent stays, null takes it away. */
export interface VacationSettings {
  readonly isEnabled?: boolean | undefined;
  readonly subject?: string | null | undefined;
  readonly text?: string | undefined;
  readonly startsAt?: number | null | undefined;
  readonly endsAt?: number | null | undefined;
  readonly daysBetween?: number | undefined;
}

/** Verbs for vacations. */
export interface VacationAdministration {
  /** Makes it, or changes it; a new one needs a text, and is enabled. Errors: `invalid`, `notFound` (the account). */
  set(account: string, settings: VacationSettings): Promise<Vacation>;
  /** By account, of one domain or of all. Errors: `notFound` (the domain). */
  list(domain?: string): Promise<readonly Vacation[]>;
  /** Errors: `notFound`. */
  show(account: string): Promise<Vacation>;
  /** Errors: `notFound`. */
  remove(account: string): Promise<void>;
}

/** The verbs on this directory. */
export function createVacationAdministration({
  directory,
}: {
  readonly directory: Directory;
}): VacationAdministration {
  return {
    async set(given, settings) {
      const { id, address } = await requireAccount(directory, given);
      const before = await directory.vacationOf(id);
      return directory.setVacation(vacationGiven(address, before, settings));
    },
    async list(given) {
      if (given === undefined) return directory.vacations();
      const domain = await directory.findDomain(domainGiven(given));
      if (domain === undefined) throw new MailError('notFound', `There is no domain “${given}” here.`);
      return directory.vacations(domain.name);
    },
    async show(given) {
      const { id, address } = await requireAccount(directory, given);
      const vacation = await directory.vacationOf(id);
      if (vacation !== undefined) return vacation;
      throw new MailError('notFound', `“${address}” answers nobody by itself: no vacation is set.`);
    },
    async remove(given) {
      const { address } = await requireAccount(directory, given);
      await directory.removeVacation(address);
    },
  };
}

async function requireAccount(directory: Directory, given: string): Promise<Account> {
  const address = await ownAddressGiven(directory, given);
  const account = await directory.findAccount(address);
  if (account === undefined) throw new MailError('notFound', `There is no account “${address}”.`);
  return account;
}

function vacationGiven(account: string, before: Vacation | undefined, settings: VacationSettings): Vacation {
  const subject = changed(before?.subject, settings.subject)?.trim();
  const text = (settings.text ?? before?.text ?? '').trim();
  const startsAt = changed<UnixMs>(before?.startsAt, timeGiven(settings.startsAt));
  const endsAt = changed<UnixMs>(before?.endsAt, timeGiven(settings.endsAt));
  const daysBetween = settings.daysBetween ?? before?.daysBetween ?? DAYS_BETWEEN;
  if (text === '') throw new MailError('invalid', 'A vacation needs a text.');
  if (text.length > VACATION_TEXT_LIMIT_CHARS)
    throw new MailError('invalid', `The text has more than ${VACATION_TEXT_LIMIT_CHARS} characters.`);
  if (subject !== undefined && (subject === '' || subject.length > VACATION_SUBJECT_LIMIT_CHARS))
    throw new MailError('invalid', `A subject has 1 to ${VACATION_SUBJECT_LIMIT_CHARS} characters.`);
  if (startsAt !== undefined && endsAt !== undefined && startsAt >= endsAt)
    throw new MailError('invalid', 'A vacation ends after it begins.');
  if (!Number.isInteger(daysBetween) || daysBetween < 1 || daysBetween > DAYS_BETWEEN_LIMIT)
    throw new MailError('invalid', `Days are a whole number from 1 to ${DAYS_BETWEEN_LIMIT}.`);
  const isEnabled = settings.isEnabled ?? before?.isEnabled ?? true;
  return { account, isEnabled, subject, text, startsAt, endsAt, daysBetween };
}

function changed<Value>(before: Value | undefined, given: Value | null | undefined): Value | undefined {
  return given === undefined ? before : (given ?? undefined);
}

function timeGiven(given: number | null | undefined): UnixMs | null | undefined {
  return given === undefined || given === null ? given : unixMs(given);
}
