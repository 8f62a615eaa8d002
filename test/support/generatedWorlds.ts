/**
 * Directories by chance, the same for the same seed: domains with other names, catch-alls and separators, accounts, aliases,
 * lists, forwards, rules and routes whose addresses meet often, so that loops, chains and shadows come up by themselves.
 */

import type { Submitter } from '../../src/transfer/contract.ts';
import type { ListPosters, RuleAction } from '../../src/store/contract/routing.ts';
import type { Below } from './randomNumbers.ts';
import { accountsOf, route, type RoutingWorld, rule } from './routingWorld.ts';

const OURS = ['one.example', 'two.example'];
const OUR_OTHER_NAMES = ['uno.example', 'due.example'];
const FOREIGN = ['far.example', 'sub.far.example', 'near.example', 'near.test'];
const LOCAL_PARTS = ['a', 'b', 'c', 'd', 'sales', 'list', 'all', 'postmaster'];
const ROUTE_RECIPIENTS = [
  '*',
  '*.example',
  '*.far.example',
  ...FOREIGN,
  ...OURS,
  'a@one.example',
  'b@far.example',
];
/** `*` and `*.tld` cannot be open to anyone (store/contract/routing.ts). */
const NEVER_OPEN = new Set(['*', '*.example']);

/** What is drawn from. */
export interface Chance {
  readonly below: Below;
  pick<Item>(items: readonly Item[]): Item;
  /** True once in `times`. */
  once(times: number): boolean;
}

/** Chance by these numbers. */
export function chanceOf(below: Below): Chance {
  return {
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    once: (times) => below(times) === 0,
  };
}

/** An address of ours. */
export function ownAddress({ pick, once }: Chance): string {
  const local = pick(LOCAL_PARTS);
  return `${once(5) ? `${local}+x` : local}@${pick(once(4) ? OUR_OTHER_NAMES : OURS)}`;
}

/** An address elsewhere. */
export function foreignAddress({ pick }: Chance): string {
  return `${pick(LOCAL_PARTS)}@${pick(FOREIGN)}`;
}

/** An address here or elsewhere. */
export function anyAddress(chance: Chance): string {
  return chance.once(3) ? foreignAddress(chance) : ownAddress(chance);
}

/** Which kinds of objects a world has. */
export interface WorldKinds {
  readonly passOn: boolean;
}

/** A world. */
export function generateWorld(chance: Chance, { passOn }: WorldKinds = { passOn: true }): RoutingWorld {
  const { below, pick, once } = chance;
  const several = <Item>(limit: number, make: (index: number) => Item): Item[] =>
    Array.from({ length: below(limit + 1) }, (_, index) => make(index));
  const taken = new Set<string>();
  const free = (): string | undefined => {
    const address = `${pick(LOCAL_PARTS)}@${pick(OURS)}`;
    if (taken.has(address)) return undefined;
    taken.add(address);
    return address;
  };
  const named = <Item>(limit: number, make: (address: string) => Item): Item[] =>
    several(limit, free)
      .filter((address) => address !== undefined)
      .map(make);
  const targets = () => [...new Set([anyAddress(chance), ...several(2, () => anyAddress(chance))])];
  const accounts = named(5, (address) => ({ address, isEnabled: !once(8) }));
  const accountNames = accounts.map(({ address }) => address);
  return {
    domains: OURS.map((name, index) => ({
      name,
      aliases: [OUR_OTHER_NAMES[index] ?? ''],
      isEnabled: !once(12),
      plusSeparator: once(3) ? undefined : '+',
      catchAll: once(4) ? `${pick(LOCAL_PARTS)}@${pick(OURS)}` : undefined,
    })),
    accounts,
    aliases: named(3, (address) => ({ address, targets: targets(), isEnabled: !once(8) })),
    lists: named(3, (address) => ({
      address,
      // In the order of the store, which decides which of several refusals comes first.
      members: targets().sort(),
      posters: posters(chance),
      isEnabled: !once(8),
    })),
    forwards: passOn
      ? accountNames
          .filter(() => once(2))
          .map((account) => ({ account, targets: targets(), keepsCopy: once(2), isEnabled: !once(6) }))
      : [],
    rules: passOn ? several(3, (index) => anyRule(chance, index, accountNames)) : [],
    routes: several(4, (index) => anyRoute(chance, index)),
    isRelaying: !once(4),
    ...(once(2) ? { postmaster: ownAddress(chance), defaultDomain: 'one.example' } : {}),
  };
}

/** Who hands a message over; mostly nobody who has logged in. */
export function anySubmitter(chance: Chance, world: RoutingWorld): Submitter {
  const accounts = accountsOf(world);
  if (accounts.length === 0 || chance.once(2)) return { kind: 'anyone' };
  return { kind: 'account', account: chance.pick(accounts) };
}

function posters(chance: Chance): ListPosters {
  const kind = chance.pick(['anyone', 'anyone', 'members', 'submitters', 'addresses'] as const);
  return kind === 'addresses' ? { kind, addresses: [anyAddress(chance)] } : { kind };
}

function anyRoute(chance: Chance, index: number) {
  const { pick, once } = chance;
  const recipients = [pick(ROUTE_RECIPIENTS), ...(once(3) ? [pick(ROUTE_RECIPIENTS)] : [])];
  const mayBeOpen = recipients.every((pattern) => !NEVER_OPEN.has(pattern));
  const name = `r${index + 1}`;
  const target = pick([
    { kind: 'relay', relay: name },
    { kind: 'relay', relay: name },
    { kind: 'drop', directory: name },
    { kind: 'local', address: ownAddress(chance).replace('+x', '') },
    { kind: 'refuse', text: `by ${name}` },
  ] as const);
  return route(
    {
      name,
      recipients,
      target,
      senders: once(3) ? [pick(['<>', '*', ...FOREIGN, ...OURS, 'a@one.example'])] : [],
      isOpenTo: mayBeOpen && once(2) ? 'anyone' : 'submitters',
      isEnabled: !once(8),
    },
    index + 1,
  );
}

function anyRule(chance: Chance, index: number, accounts: readonly string[]) {
  const { pick, once } = chance;
  const actions: RuleAction[] = [
    pick([
      { kind: 'delete' },
      { kind: 'forward', address: anyAddress(chance) },
      { kind: 'fileInto', mailbox: ['Filed'] },
      { kind: 'flag', flags: { system: 1, keywords: [] } },
    ] as const),
    ...(once(3) ? [{ kind: 'forward', address: anyAddress(chance) } as const] : []),
  ];
  const account = once(4) || accounts.length === 0 ? undefined : pick(accounts);
  return rule(
    {
      name: `rule${index}`,
      account,
      actions,
      endsRules: once(4),
      conditions: once(2) ? [{ kind: 'size', comparison: 'over', octets: pick([10, 100_000]) }] : [],
    },
    index + 1,
  );
}
