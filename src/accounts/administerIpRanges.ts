/**
 * The administrator's verbs for IP ranges, hMailServer's word for which networks may do what.
 *
 * Addresses are single ones, blocks (10.0.0.0/8) and spans (10.0.0.1-10.0.0.9), of both families. `Internet` (everything) and
 * `My computer` (loopback) are there from the start and stay, so that every address is in some range; what they allow can be
 * set as of any other.
 */

import { MailError } from '../base/error.ts';
import type {
  Directory,
  IpRange,
  IpRangeChanges,
  IpRangeProtocol,
  IpRangeSubmission,
  NewIpRange,
} from '../store/contract/directory.ts';
import type { SendingUse } from '../store/contract/sendingUse.ts';
import type { NetworkAddresses } from './ipRanges.ts';
import { atMost } from './namesGiven.ts';
import { rangeSettingsGiven } from './rangeSettings.ts';
import type { SentToday } from './sendingDay.ts';
import { settingsToKeep } from './settingForm.ts';

/** Ranges of a server: they are looked through for each connection, a microsecond each. */
export const IP_RANGES_LIMIT = 200;
/** Addresses, blocks and spans of one range. */
export const IP_RANGE_ADDRESSES_LIMIT = 50;
/** Highest priority of a range; hMailServer's bans had 100. */
export const IP_RANGE_PRIORITY_MAX = 1000;
/** Priority of a range that is added without one: between `Internet` (10) and `My computer` (30). */
export const IP_RANGE_DEFAULT_PRIORITY = 20;
/** Characters of a range's name: it stands in a column of a table. */
export const IP_RANGE_NAME_LIMIT_CHARS = 64;

const PROTOCOLS: readonly IpRangeProtocol[] = ['smtp', 'pop3', 'imap'];

/** What can be set of a range; what is absent stays. `addresses` and `protocols` replace all. */
export interface IpRangeSettings {
  readonly addresses?: readonly string[] | undefined;
  readonly priority?: number | undefined;
  readonly protocols?: readonly string[] | undefined;
  readonly needsTls?: boolean | undefined;
  /** Whether failed logins are neither counted nor delayed. */
  readonly isTrusted?: boolean | undefined;
  /** `trusted` where clients of the range submit without a login. */
  readonly submission?: IpRangeSubmission | undefined;
  /** What is set for it alone, by name (rangeSettings.ts); null takes a setting away. */
  readonly settings?: Readonly<Record<string, string | null>> | undefined;
}

/** A range to add; without more it takes every protocol, with or without TLS, and submission wants a login. */
export interface IpRangeGiven extends IpRangeSettings {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** A range with what its clients have done. */
export interface IpRangeDetails extends IpRange {
  /** What clients without a login have submitted today. */
  readonly sentToday: SendingUse;
}

/** Verbs for IP ranges. */
export interface IpRangeAdministration {
  /** Errors: `invalid`, `conflict` (the name is taken), `limit`. */
  add(range: IpRangeGiven): Promise<IpRange>;
  /** All of them, the one that counts first. */
  list(): Promise<readonly IpRange[]>;
  /** By name, in any case. Errors: `notFound`. */
  show(name: string): Promise<IpRangeDetails>;
  /** Errors: `invalid`, `notFound`, `cannot` (addresses of a built-in range). */
  set(name: string, settings: IpRangeSettings): Promise<IpRange>;
  /** Errors: `notFound`, `cannot` (a built-in range). */
  remove(name: string): Promise<void>;
  /** The range that counts for an address, as the server sees it. Errors: `invalid`. */
  find(address: string): Promise<IpRange>;
}

interface Surroundings {
  readonly directory: Directory;
  readonly addresses: NetworkAddresses;
  readonly sentToday: SentToday;
}

/** The verbs on this directory. */
export function createIpRangeAdministration({
  directory,
  addresses,
  sentToday,
}: Surroundings): IpRangeAdministration {
  return {
    async add(given) {
      const range = newRange(addresses, given);
      if ((await directory.ipRanges()).length >= IP_RANGES_LIMIT)
        throw new MailError('limit', `${IP_RANGES_LIMIT} IP ranges are there already, and no more can be.`);
      return directory.addIpRange(range);
    },
    list: () => directory.ipRanges(),
    async show(name) {
      const range = await directory.findIpRange(name);
      if (range === undefined) throw new MailError('notFound', `There is no IP range “${name}”.`);
      return { ...range, sentToday: await sentToday({ kind: 'range', name: range.name }) };
    },
    set: async (name, settings) => directory.setIpRange(name, changesGiven(addresses, settings)),
    remove: (name) => directory.removeIpRange(name),
    async find(address) {
      if (!addresses.isAddress(address)) throw new MailError('invalid', `“${address}” is no IP address.`);
      const ranges = await directory.ipRanges();
      const range = ranges.find((candidate) => addresses.ranges(candidate.addresses).includes(address));
      if (range === undefined) throw new MailError('notFound', `“${address}” is in no IP range.`);
      return range;
    },
  };
}

function newRange(addresses: NetworkAddresses, given: IpRangeGiven): NewIpRange {
  return {
    name: nameGiven(given.name),
    addresses: addressesGiven(addresses, given.addresses),
    priority: priorityGiven(given.priority ?? IP_RANGE_DEFAULT_PRIORITY),
    protocols: protocolsGiven(given.protocols ?? PROTOCOLS),
    needsTls: given.needsTls ?? false,
    isTrusted: given.isTrusted ?? false,
    submission: given.submission ?? 'login',
    settings: settingsToKeep(rangeSettingsGiven(given.settings ?? {})),
  };
}

function changesGiven(addresses: NetworkAddresses, given: IpRangeSettings): IpRangeChanges {
  return {
    ...(given.addresses === undefined ? {} : { addresses: addressesGiven(addresses, given.addresses) }),
    ...(given.priority === undefined ? {} : { priority: priorityGiven(given.priority) }),
    ...(given.protocols === undefined ? {} : { protocols: protocolsGiven(given.protocols) }),
    ...(given.needsTls === undefined ? {} : { needsTls: given.needsTls }),
    ...(given.isTrusted === undefined ? {} : { isTrusted: given.isTrusted }),
    ...(given.submission === undefined ? {} : { submission: given.submission }),
    ...(given.settings === undefined ? {} : { settings: rangeSettingsGiven(given.settings) }),
  };
}

function nameGiven(text: string): string {
  const name = text.normalize('NFC').trim();
  if (name === '' || name.length > IP_RANGE_NAME_LIMIT_CHARS || /[\p{C}\p{Zl}\p{Zp}]/u.test(name)) {
    const allowed = `1 to ${IP_RANGE_NAME_LIMIT_CHARS} visible characters`;
    throw new MailError('invalid', `“${text}” cannot name an IP range; allowed: ${allowed}.`);
  }
  return name;
}

function addressesGiven(addresses: NetworkAddresses, given: readonly string[]): readonly string[] {
  if (given.length === 0) throw new MailError('invalid', 'An IP range has one address at least.');
  addresses.ranges(atMost(IP_RANGE_ADDRESSES_LIMIT, 'addresses', given));
  return given.map((text) => text.trim());
}

function priorityGiven(priority: number): number {
  if (Number.isInteger(priority) && priority >= 0 && priority <= IP_RANGE_PRIORITY_MAX) return priority;
  throw new MailError(
    'invalid',
    `A priority cannot be ${priority}; allowed: a whole number from 0 to ${IP_RANGE_PRIORITY_MAX}.`,
  );
}

function protocolsGiven(given: readonly string[]): readonly IpRangeProtocol[] {
  const unknown = given.find((text) => !PROTOCOLS.some((protocol) => protocol === text));
  if (unknown === undefined) return PROTOCOLS.filter((protocol) => given.includes(protocol));
  throw new MailError('invalid', `“${unknown}” is no protocol of an IP range; those are: smtp, pop3, imap.`);
}
