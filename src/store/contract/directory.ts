/**
 * Directory: domains, accounts, aliases, IP ranges, and what routing.ts and vacation.ts add. The words are hMailServer's.
 *
 * Keys are already normalised by the accounts room: domains in lower-case A-label form (RFC 5890), local parts and login
 * names NFC and lower case. Every change is published on the feed as `directory`.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId, DomainId } from '../../base/ids.ts';
import type { DistributionListHead, RoutingDirectory } from './routing.ts';
import type { VacationDirectory } from './vacation.ts';

/** A domain that we deliver for. */
export interface Domain {
  readonly id: DomainId;
  readonly name: string;
  readonly isEnabled: boolean;
  /** Other names that mean this domain. */
  readonly aliases: readonly string[];
  /** Where mail for unknown addresses of the domain goes: an address of a local domain; undefined refuses them. */
  readonly catchAll: string | undefined;
  /** One character; undefined: addresses have no detail. */
  readonly plusSeparator: string | undefined;
}

/** One login and its mailboxes. */
export interface Account {
  readonly id: AccountId;
  /** localPart@domain. */
  readonly address: string;
  readonly isEnabled: boolean;
  /** Octets that all its mailboxes may hold; undefined for no limit. */
  readonly quotaOctets: number | undefined;
  /** Further names that log in as this account. */
  readonly loginNames: readonly string[];
  /** What is set for this account alone, by name; the accounts room knows the names and reads the values. */
  readonly settings: AccountSettingTexts;
  readonly createdAt: UnixMs;
}

/** Values of settings by their names. */
export type AccountSettingTexts = Readonly<Record<string, string>>;

/** An address that stands for others. */
export interface Alias {
  readonly address: string;
  /** Addresses, at least one. */
  readonly targets: readonly string[];
  readonly isEnabled: boolean;
}

/** What an account's login needs. `passwordHash` is a PHC string. */
export interface Credentials {
  readonly account: Account;
  /** By which of the names asked for it was found. */
  readonly loginName: string;
  /** Nobody logs in where the domain is disabled. */
  readonly isDomainEnabled: boolean;
  readonly passwordHash: string;
}

/**
 * One step of address resolution. `detail` is what stood behind the domain's separator where the address itself is nobody's and
 * what stands before the separator is somebody's (plus addressing, RFC 5233): "news" of `a+news@example.org`.
 */
export type Resolution =
  | { readonly kind: 'account'; readonly account: Account; readonly detail?: string }
  | { readonly kind: 'alias'; readonly alias: Alias; readonly detail?: string }
  | { readonly kind: 'list'; readonly list: DistributionListHead; readonly detail?: string }
  | { readonly kind: 'catchAll'; readonly target: string }
  | { readonly kind: 'unknownAddress' }
  | { readonly kind: 'disabled' }
  | { readonly kind: 'foreignDomain' };

/** What a client may speak to us. */
export type IpRangeProtocol = 'smtp' | 'pop3' | 'imap';

/** Whether a client has to log in on submission listeners before it may submit. */
export type IpRangeSubmission = 'login' | 'trusted';

/** Values of settings by their names. */
export type IpRangeSettingTexts = Readonly<Record<string, string>>;

/** Remote addresses with a name and what their clients may do, as hMailServer's IP ranges. */
export interface IpRange {
  /** Unique in any case of its ASCII letters. */
  readonly name: string;
  /** Of several ranges that include an address, the one with the highest priority counts. */
  readonly priority: number;
  /** Single addresses, blocks and spans, in the form that net reads. */
  readonly addresses: readonly string[];
  readonly protocols: readonly IpRangeProtocol[];
  /** Nothing of value before TLS, whatever the listener would allow. */
  readonly needsTls: boolean;
  /** Failed logins are neither counted nor delayed. */
  readonly isTrusted: boolean;
  /** `trusted` for devices that cannot log in; what they may submit is limited as an account's is. */
  readonly submission: IpRangeSubmission;
  /** What is set for this range alone, by name; the accounts room knows the names and reads the values. */
  readonly settings: IpRangeSettingTexts;
  /** Made with the store; its addresses stay, and it is not removed. */
  readonly isBuiltIn: boolean;
}

/** A range to add. */
export type NewIpRange = Omit<IpRange, 'isBuiltIn' | 'settings'> & {
  readonly settings?: IpRangeSettingTexts;
};

/** Changes to a range; what is absent stays, null takes a setting away. */
export type IpRangeChanges = Partial<Omit<NewIpRange, 'name' | 'settings'>> & {
  readonly settings?: Readonly<Record<string, string | null>>;
};

/** Changes to a domain; what is absent stays, null takes it away. A new domain has + as its separator. */
export interface DomainChanges {
  readonly isEnabled?: boolean;
  readonly aliases?: readonly string[];
  readonly catchAll?: string | null;
  readonly plusSeparator?: string | null;
}

/** Changes to an account; what is absent stays; null takes away the limit, or a setting. */
export interface AccountChanges {
  readonly isEnabled?: boolean;
  readonly quotaOctets?: number | null;
  readonly loginNames?: readonly string[];
  readonly settings?: Readonly<Record<string, string | null>>;
  readonly passwordHash?: string;
}

/** Changes to an alias; what is absent stays. */
export interface AliasChanges {
  readonly targets?: readonly string[];
  readonly isEnabled?: boolean;
}

/** A new account. Its INBOX and the special-use mailboxes Drafts, Sent, Junk and Trash are made with it, and subscribed. */
export interface NewAccount {
  readonly address: string;
  readonly passwordHash: string;
  readonly quotaOctets?: number | undefined;
  readonly loginNames?: readonly string[];
  readonly settings?: AccountSettingTexts;
}

/** Domains, accounts, aliases, IP ranges and routing objects. Errors beside the store's own: `conflict` (name taken), `notFound`, `cannot` (still in use). */
export interface Directory extends RoutingDirectory, VacationDirectory {
  domains(): Promise<readonly Domain[]>;
  /** The domain of this name or alias. */
  findDomain(name: string): Promise<Domain | undefined>;
  addDomain(name: string, changes: DomainChanges): Promise<Domain>;
  setDomain(name: string, changes: DomainChanges): Promise<Domain>;
  /** Errors: `cannot` while the domain has accounts, aliases or lists. */
  removeDomain(name: string): Promise<void>;

  /** Accounts by address, of one domain or of all. */
  accounts(domain?: string): Promise<readonly Account[]>;
  findAccount(address: string): Promise<Account | undefined>;
  /** The account that logs in by the first of these names that anybody has: an address (domain aliases included) or login name. */
  findCredentials(...loginNames: readonly string[]): Promise<Credentials | undefined>;
  /** Errors: `notFound` when the domain is missing, `conflict` when an account, alias, list or login name has the address. */
  addAccount(account: NewAccount): Promise<Account>;
  setAccount(address: string, changes: AccountChanges): Promise<Account>;
  /** Removes the account with all its mailboxes, its forward, its rules and its vacation. */
  removeAccount(address: string): Promise<void>;

  aliases(domain?: string): Promise<readonly Alias[]>;
  findAlias(address: string): Promise<Alias | undefined>;
  addAlias(alias: Alias): Promise<Alias>;
  setAlias(address: string, changes: AliasChanges): Promise<Alias>;
  removeAlias(address: string): Promise<void>;

  /** All of them, the one that counts first: by priority from the highest, then by name. `Internet` and `My computer` are always there. */
  ipRanges(): Promise<readonly IpRange[]>;
  /** By name, in any case of its ASCII letters. */
  findIpRange(name: string): Promise<IpRange | undefined>;
  addIpRange(range: NewIpRange): Promise<IpRange>;
  /** Errors: `cannot` where a built-in range would get other addresses. */
  setIpRange(name: string, changes: IpRangeChanges): Promise<IpRange>;
  /** Errors: `cannot` for a built-in range. */
  removeIpRange(name: string): Promise<void>;

  /** One step: what `localPart@domain` is (domain aliases and plus addressing are followed). */
  resolve(address: string): Promise<Resolution>;
}
