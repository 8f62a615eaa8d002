/**
 * The administrator's verbs for accounts. Passwords come in as text, are hashed here, and go nowhere else.
 */

import { MailError } from '../base/error.ts';
import type { Account, AccountChanges, AccountSettingTexts, Directory } from '../store/contract/directory.ts';
import type { Mailboxes } from '../store/contract/mailboxes.ts';
import type { Secrets } from '../store/contract/secrets.ts';
import type { SendingUse } from '../store/contract/sendingUse.ts';
import { accountSettingsGiven } from './accountSettings.ts';
import { loginNamesFor } from './administerLogins.ts';
import { atMost, domainGiven, ownAddressGiven } from './namesGiven.ts';
import type { PasswordHasher } from './password.ts';
import type { SentToday } from './sendingDay.ts';
import { type SettingSurroundings, settingsToKeep } from './settingForm.ts';

/** Extra login names of one account. */
export const LOGIN_NAMES_LIMIT = 100;

/** An account, for showing. */
export interface AccountReport {
  readonly address: string;
  readonly isEnabled: boolean;
  /** Octets that all its mailboxes may hold; null for no limit. */
  readonly quotaOctets: number | null;
  readonly loginNames: readonly string[];
  /** What is set for it alone, by name (accountSettings.ts). */
  readonly settings: AccountSettingTexts;
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
}

/** An account with what its mailboxes hold. */
export interface AccountDetails extends AccountReport {
  /** As its quota counts. */
  readonly usedOctets: number;
  readonly messages: number;
  /** What POP3 has deleted and is retained; its quota does not count it. */
  readonly retainedOctets: number;
  readonly retainedMessages: number;
  /** Whether it may log in by CRAM-MD5. */
  readonly hasCramMd5: boolean;
  /** What it has submitted today, as submission.recipientsPerDayLimit counts. */
  readonly sentToday: SendingUse;
}

/** What can be set of an account; what is absent stays. `loginNames` replaces all; null takes away the limit, or a setting. */
export interface AccountSettings {
  readonly isEnabled?: boolean | undefined;
  readonly quotaOctets?: number | null | undefined;
  readonly loginNames?: readonly string[] | undefined;
  readonly settings?: SettingsGiven | undefined;
}

/** Settings by name, as an administrator writes them. */
export type SettingsGiven = Readonly<Record<string, string | null>>;

/** A new account; it is enabled. */
export interface NewAccountGiven {
  readonly address: string;
  readonly password: string;
  readonly quotaOctets?: number | null | undefined;
  readonly loginNames?: readonly string[] | undefined;
  readonly settings?: SettingsGiven | undefined;
}

/** Verbs for accounts. Those that set a password may reject with `tooBusy`. */
export interface AccountAdministration {
  /** Errors: `invalid`, `notFound` (the domain), `conflict` (the address or a login name is taken). */
  add(account: NewAccountGiven): Promise<AccountReport>;
  /** By address, of one domain or of all. Errors: `notFound` (the domain). */
  list(domain?: string): Promise<readonly AccountReport[]>;
  /** Errors: `notFound`. */
  show(address: string): Promise<AccountDetails>;
  /** Errors: as of `add`. */
  set(address: string, settings: AccountSettings): Promise<AccountReport>;
  /** Errors: `invalid`, `notFound`. */
  setPassword(address: string, password: string): Promise<AccountReport>;
  /** Removes the account with all its messages. Errors: `notFound`. */
  remove(address: string): Promise<void>;
}

interface Surroundings extends SettingSurroundings {
  readonly directory: Directory;
  readonly mailboxes: Pick<Mailboxes, 'usage' | 'retained'>;
  readonly passwords: PasswordHasher;
  readonly secrets: Pick<Secrets, 'find'>;
  readonly sentToday: SentToday;
  defaultDomain(): string | undefined;
}

/** The verbs on this directory. */
export function createAccountAdministration(surroundings: Surroundings): AccountAdministration {
  const { directory, mailboxes, passwords, secrets, sentToday } = surroundings;
  return {
    async add({ password, ...given }) {
      const address = await ownAddressGiven(directory, given.address);
      const quotaOctets = quotaGiven(given.quotaOctets) ?? undefined;
      const loginNames = await loginNamesGiven(address, given.loginNames ?? [], surroundings);
      const settings = settingsToKeep(accountSettingsGiven(given.settings ?? {}, surroundings));
      const passwordHash = await passwords.hash(password);
      return reportOf(
        await directory.addAccount({ address, passwordHash, quotaOctets, loginNames, settings }),
      );
    },
    list: async (domain) => (await listAccounts(directory, domain)).map(reportOf),
    async show(address) {
      const account = await requireAccount(directory, address);
      const { octets, messages } = await mailboxes.usage(account.id);
      const retained = await mailboxes.retained(account.id);
      return {
        ...reportOf(account),
        usedOctets: octets,
        messages,
        retainedOctets: retained.octets,
        retainedMessages: retained.messages,
        hasCramMd5: await hasSecret(secrets, account),
        sentToday: await sentToday({ kind: 'account', accountId: account.id }),
      };
    },
    async set(given, changes) {
      const { address } = await requireAccount(directory, given);
      return reportOf(await directory.setAccount(address, await changesOf(address, changes, surroundings)));
    },
    async setPassword(given, password) {
      const { address } = await requireAccount(directory, given);
      return reportOf(await directory.setAccount(address, { passwordHash: await passwords.hash(password) }));
    },
    async remove(given) {
      const { address } = await requireAccount(directory, given);
      await directory.removeAccount(address);
    },
  };
}

/** One that cannot be opened, without its key, is of no use either, and must not keep the account from being shown. */
async function hasSecret(secrets: Pick<Secrets, 'find'>, { id }: Account): Promise<boolean> {
  const secret = await secrets.find({ purpose: 'cramMd5', owner: id }).catch(() => undefined);
  return secret !== undefined;
}

async function requireAccount(directory: Directory, given: string): Promise<Account> {
  const address = await ownAddressGiven(directory, given);
  const account = await directory.findAccount(address);
  if (account === undefined) throw new MailError('notFound', `There is no account “${address}”.`);
  return account;
}

async function listAccounts(directory: Directory, given: string | undefined): Promise<readonly Account[]> {
  if (given === undefined) return directory.accounts();
  const domain = await directory.findDomain(domainGiven(given));
  if (domain === undefined) throw new MailError('notFound', `There is no domain “${given}” here.`);
  return directory.accounts(domain.name);
}

async function changesOf(
  address: string,
  { isEnabled, quotaOctets, loginNames, settings }: AccountSettings,
  surroundings: Surroundings,
): Promise<AccountChanges> {
  return {
    ...(isEnabled === undefined ? {} : { isEnabled }),
    ...(quotaOctets === undefined ? {} : { quotaOctets: quotaGiven(quotaOctets) ?? null }),
    ...(loginNames === undefined
      ? {}
      : { loginNames: await loginNamesGiven(address, loginNames, surroundings) }),
    ...(settings === undefined ? {} : { settings: accountSettingsGiven(settings, surroundings) }),
  };
}

/** hMailServer's 0 means no limit; taken literally it would refuse all mail. So it is asked for in words. */
function quotaGiven(quota: number | null | undefined): number | null | undefined {
  if (quota === null || quota === undefined || (Number.isSafeInteger(quota) && quota > 0)) return quota;
  throw new MailError(
    'invalid',
    `A quota of ${quota} octets is not possible: give a whole number above 0, or no quota for no limit.`,
  );
}

async function loginNamesGiven(
  address: string,
  given: readonly string[],
  surroundings: Surroundings,
): Promise<string[]> {
  return loginNamesFor(surroundings, address, atMost(LOGIN_NAMES_LIMIT, 'login names', given));
}

function reportOf(account: Account): AccountReport {
  const { address, isEnabled, quotaOctets, loginNames, settings, createdAt } = account;
  return {
    address,
    isEnabled,
    quotaOctets: quotaOctets ?? null,
    loginNames,
    settings,
    createdAt: new Date(createdAt).toISOString(),
  };
}
