/**
 * The door of this room for sessions and transfer: who logs in, whom a recipient means, whose quota is used up.
 *
 * Nothing of the directory is kept here: every question asks the store, so that a change counts at once. What is kept is
 * which passwords were found right in the last minutes (verifiedCache.ts).
 */

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { DAY_MS } from '../base/units.ts';
import type { Account, Directory } from '../store/contract/directory.ts';
import type { Mailboxes } from '../store/contract/mailboxes.ts';
import type { Secrets } from '../store/contract/secrets.ts';
import { parseAddress, parseDomain } from './address.ts';
import type { LoginThrottleOptions } from './failedLogins.ts';
import { type ChallengeLogins, createChallengeLogins } from './challengeLogins.ts';
import type { IpRanges, NetworkAddresses } from './ipRanges.ts';
import { createLogin, type LoginOutcome, type LoginRequest } from './login.ts';
import { createLoginBans, type LoginBans } from './loginBans.ts';
import { DEFAULT_LOGIN_THROTTLE, LoginThrottle } from './loginThrottle.ts';
import type { PasswordHasher } from './password.ts';
import { type Recipients, resolveRecipient } from './recipients.ts';
import { throttleLogin } from './throttledLogin.ts';
import { createVerifiedCache } from './verifiedCache.ts';

/** What an administrator may set. */
export interface AccountsOptions {
  /** Added to a login name without a domain, and to `<postmaster>`. */
  readonly defaultDomain?: string | undefined;
  /** Local address that takes mail for postmaster where nobody else does. */
  readonly postmaster?: string | undefined;
  /** How failed logins are met; as hMailServer's auto-ban, but gentler, unless set. */
  readonly loginThrottle?: LoginThrottleOptions | undefined;
}

/** What this room is handed. `passwords` is shared with the administration, so that one limit holds for both. */
export interface AccountsSurroundings {
  readonly directory: Directory;
  readonly mailboxes: Pick<Mailboxes, 'usage'>;
  readonly secrets: Pick<Secrets, 'find' | 'isAny'>;
  readonly passwords: PasswordHasher;
  readonly clock: Clock;
  readonly log: Log;
  readonly addresses: Pick<NetworkAddresses, 'group' | 'isAddress'>;
  /** Who is trusted. */
  readonly ipRanges: Pick<IpRanges, 'rangeOf'>;
  readonly options: AccountsOptions;
}

/** What an account's mailboxes hold in all, and may hold. */
export interface AccountQuota {
  readonly usedOctets: number;
  /** Undefined for no limit. */
  readonly limitOctets: number | undefined;
}

/** Identities, as sessions and transfer see them. All methods may reject with the store's errors. */
export interface Accounts {
  /** Errors: `tooBusy` when too many passwords are being checked; the request's signal's reason. */
  authenticate(request: LoginRequest): Promise<LoginOutcome>;
  /** Logins that do not send a password. */
  readonly challengeLogins: ChallengeLogins;
  /** Whether an account that has logged in is still there and enabled, its domain too. */
  isActive(account: Account): Promise<boolean>;
  /** Who may not log in for a while. */
  readonly bans: LoginBans;
  /** Whom a forward path (without angle brackets) means. */
  resolveRecipient(path: string): Promise<Recipients>;
  /** Whether `octets` more (0 for any at all) go beyond what the account may hold. */
  isOverQuota(account: Account, octets: number): Promise<boolean>;
  /** What the account holds and may hold by now, whatever it might when it logged in. Errors: `notFound` when it is gone. */
  quotaOf(account: Account): Promise<AccountQuota>;
  /** What is added to a login name without a domain. */
  defaultDomain(): string | undefined;
  /** Where mail for postmaster goes that nobody else takes. */
  postmaster(): string | undefined;
  /** Takes new options, after a reload. Errors: `invalid`, and the old ones stay. */
  setOptions(options: AccountsOptions): void;
}

/** Opens the room. Errors: `invalid` when an option is no domain or address. */
export function createAccounts(surroundings: AccountsSurroundings): Accounts {
  const { directory, mailboxes, secrets, passwords, clock, log } = surroundings;
  let options = normalised(surroundings.options);
  const current = {
    directory,
    secrets,
    passwords,
    clock,
    log,
    verified: createVerifiedCache(clock),
    proven: createVerifiedCache(clock, DAY_MS),
    throttle: new LoginThrottle(clock, options.loginThrottle ?? DEFAULT_LOGIN_THROTTLE),
    addresses: surroundings.addresses,
    ipRanges: surroundings.ipRanges,
    defaultDomain: () => options.defaultDomain,
    postmaster: () => options.postmaster,
  };
  return {
    authenticate: throttleLogin(current, createLogin(current)),
    challengeLogins: createChallengeLogins(current),
    async isActive({ id, address }) {
      const account = await directory.findAccount(address);
      const domain = await directory.findDomain(address.slice(address.lastIndexOf('@') + 1));
      return account?.id === id && account.isEnabled && domain?.isEnabled === true;
    },
    bans: createLoginBans(current),
    resolveRecipient: (path) => resolveRecipient(current, path),
    async isOverQuota({ id, quotaOctets }, octets) {
      if (quotaOctets === undefined) return false;
      const usage = await mailboxes.usage(id);
      return usage.octets + Math.max(1, octets) > quotaOctets;
    },
    async quotaOf({ id, address }) {
      const account = await directory.findAccount(address);
      if (account?.id !== id) throw new MailError('notFound', 'the account is gone');
      const { octets } = await mailboxes.usage(id);
      return { usedOctets: octets, limitOctets: account.quotaOctets };
    },
    defaultDomain: current.defaultDomain,
    postmaster: current.postmaster,
    setOptions(changed) {
      options = normalised(changed);
      current.throttle.setOptions(options.loginThrottle ?? DEFAULT_LOGIN_THROTTLE);
    },
  };
}

function normalised({ defaultDomain, postmaster, loginThrottle }: AccountsOptions): AccountsOptions {
  const domain = defaultDomain === undefined ? undefined : parseDomain(defaultDomain);
  if (domain?.kind === 'invalid') {
    throw new MailError('invalid', `The default domain “${defaultDomain}” cannot be used: ${domain.reason}.`);
  }
  const address = postmaster === undefined ? undefined : parseAddress(postmaster);
  if (address?.kind === 'invalid') {
    throw new MailError('invalid', `The postmaster “${postmaster}” cannot be used: ${address.reason}.`);
  }
  return { defaultDomain: domain?.domain, postmaster: address?.address, loginThrottle };
}
