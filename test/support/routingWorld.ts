/**
 * A directory in memory for tests of routing, where ten thousand of them are planned for: values that a test or a generator makes,
 * and the views of them that planning asks. routingWorld.test.ts holds it against the real store.
 */

import type { AccountId, DomainId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { unixMs } from '../../src/base/clock.ts';
import type { Account, Alias, Domain, Resolution } from '../../src/store/contract/directory.ts';
import type {
  DistributionList,
  Forward,
  ListPosters,
  Route,
  Rule,
} from '../../src/store/contract/routing.ts';
import { resolveRecipient } from '../../src/accounts/recipients.ts';
import type { PlanSurroundings } from '../../src/transfer/plan/surroundings.ts';

/** A domain. */
export interface WorldDomain {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly isEnabled?: boolean;
  readonly catchAll?: string | undefined;
  readonly plusSeparator?: string | undefined;
}

/** An account. */
export interface WorldAccount {
  readonly address: string;
  readonly isEnabled?: boolean;
  readonly quotaOctets?: number | undefined;
  readonly usedOctets?: number;
}

/** A list. */
export interface WorldList {
  readonly address: string;
  readonly members: readonly string[];
  readonly posters?: ListPosters;
  readonly isEnabled?: boolean;
}

/** Everything that an administrator may have set. */
export interface RoutingWorld {
  readonly domains: readonly WorldDomain[];
  readonly accounts: readonly WorldAccount[];
  readonly aliases?: readonly (Omit<Alias, 'isEnabled'> & { readonly isEnabled?: boolean })[];
  readonly lists?: readonly WorldList[];
  readonly forwards?: readonly Forward[];
  readonly rules?: readonly Rule[];
  readonly routes?: readonly Route[];
  readonly postmaster?: string;
  readonly defaultDomain?: string;
  readonly isRelaying?: boolean;
}

/** A route with what most tests do not care about. */
export function route(
  part: Partial<Route> & Pick<Route, 'name' | 'recipients' | 'target'>,
  position = 1,
): Route {
  return { position, isEnabled: true, senders: [], isOpenTo: 'submitters', ...part };
}

/** A rule with what most tests do not care about. */
export function rule(part: Partial<Rule> & Pick<Rule, 'name' | 'actions'>, position = 1): Rule {
  return { position, isEnabled: true, matches: 'all', conditions: [], endsRules: false, ...part };
}

/** The accounts of a world as the directory has them. */
export function accountsOf({ accounts }: RoutingWorld): readonly Account[] {
  return accounts.map(({ address, isEnabled = true, quotaOctets }, index) => ({
    id: (index + 1) as AccountId,
    address,
    isEnabled,
    quotaOctets,
    loginNames: [],
    settings: {},
    createdAt: unixMs(0),
  }));
}

/** What planning is handed in this world. */
export function planningIn(world: RoutingWorld): PlanSurroundings {
  const accounts = accountsOf(world);
  const byAddress = new Map(accounts.map((account) => [account.address, account]));
  const used = new Map(world.accounts.map(({ address, usedOctets }) => [address, usedOctets ?? 0]));
  const lists = (world.lists ?? []).map(listOf);
  const listBy = new Map(lists.map((list) => [list.address, list]));
  const aliasBy = new Map(
    (world.aliases ?? []).map((alias) => [alias.address, { isEnabled: true, ...alias }]),
  );
  const domainBy = new Map<string, Domain>();
  for (const [index, domain] of world.domains.entries()) {
    const { name, aliases = [], isEnabled = true, catchAll, plusSeparator } = domain;
    const whole = { id: (index + 1) as DomainId, name, aliases, isEnabled, catchAll, plusSeparator };
    for (const each of [name, ...aliases]) domainBy.set(each, whole);
  }
  const named = (address: string): Resolution | undefined => {
    const account = byAddress.get(address);
    if (account !== undefined) return account.isEnabled ? { kind: 'account', account } : { kind: 'disabled' };
    const alias = aliasBy.get(address);
    if (alias !== undefined) return alias.isEnabled ? { kind: 'alias', alias } : { kind: 'disabled' };
    const list = listBy.get(address);
    if (list !== undefined) return list.isEnabled ? { kind: 'list', list } : { kind: 'disabled' };
    return undefined;
  };
  const directory: PlanSurroundings['directory'] = {
    domains: async () => world.domains.flatMap(({ name }) => domainBy.get(name) ?? []),
    findDomain: async (name) => domainBy.get(name),
    resolve: async (address) => resolve(domainBy, named, address),
  };
  const globalRules = (world.rules ?? []).filter((each) => each.account === undefined);
  return {
    directory,
    routing: {
      findList: async (address) => listBy.get(address),
      isListMember: async (address, member) => listBy.get(address)?.members.includes(member) === true,
      forwardOf: async (id) => world.forwards?.find(({ account }) => account === accounts[id - 1]?.address),
      rules: async (id) =>
        (world.rules ?? []).filter(
          ({ account }) => id !== undefined && account === accounts[id - 1]?.address,
        ),
    },
    accounts: {
      defaultDomain: () => world.defaultDomain,
      postmaster: () => world.postmaster,
      isOverQuota: async ({ address, quotaOctets }, octets) =>
        quotaOctets !== undefined && (used.get(address) ?? 0) + Math.max(1, octets) > quotaOctets,
      resolveRecipient: (path) =>
        resolveRecipient(
          {
            directory,
            log: silentLog,
            defaultDomain: () => world.defaultDomain,
            postmaster: () => world.postmaster,
          },
          path,
        ),
    },
    log: silentLog,
    tables: async () => ({ routes: world.routes ?? [], globalRules, lists }),
    isRelaying: () => world.isRelaying ?? true,
  };
}

function listOf({
  address,
  members,
  posters = { kind: 'anyone' },
  isEnabled = true,
}: WorldList): DistributionList {
  return { address, members, posters, isEnabled, memberCount: members.length };
}

function resolve(
  domainBy: ReadonlyMap<string, Domain>,
  named: (address: string) => Resolution | undefined,
  address: string,
): Resolution {
  const at = address.lastIndexOf('@');
  const localPart = address.slice(0, at);
  const domain = domainBy.get(address.slice(at + 1));
  if (domain === undefined) return { kind: 'foreignDomain' };
  if (!domain.isEnabled) return { kind: 'disabled' };
  const whole = named(`${localPart}@${domain.name}`);
  if (whole !== undefined) return whole;
  const separator = domain.plusSeparator;
  for (let end = localPart.length - 1; separator !== undefined && end > 0; end -= 1) {
    if (localPart.startsWith('"') || localPart[end] !== separator) continue;
    const found = named(`${localPart.slice(0, end)}@${domain.name}`);
    if (found?.kind === 'disabled') return found;
    if (found !== undefined) return { ...found, detail: localPart.slice(end + 1) } as Resolution;
  }
  if (domain.catchAll !== undefined) return { kind: 'catchAll', target: domain.catchAll };
  return { kind: 'unknownAddress' };
}
