/**
 * The administrator's verbs for aliases.
 *
 * Targets are addresses in domains of ours (forwarding to other servers comes with the queue). A target that does not exist
 * at present is taken, since an alias may be set up before its accounts, but every report names it. Aliases that would lead
 * back to themselves, or nest too deep, are refused when they are set.
 */

import { MailError } from '../base/error.ts';
import type { Alias, AliasChanges, Directory, Resolution } from '../store/contract/directory.ts';
import { atMost, domainGiven, ownAddressGiven, targetGiven } from './namesGiven.ts';
import { ALIAS_DEPTH_LIMIT, EXPANSION_LIMIT } from './recipients.ts';
import { mapInTurns } from './turns.ts';

/** Targets of one alias. */
export const ALIAS_TARGETS_LIMIT = 1000;

/** An alias, for showing. */
export interface AliasReport {
  readonly address: string;
  readonly targets: readonly string[];
  readonly isEnabled: boolean;
  /** Targets that nobody receives at present: there is no such account or alias, or it is disabled. */
  readonly danglingTargets: readonly string[];
}

/** What can be set of an alias; what is absent stays. `targets` replaces all. */
export interface AliasSettings {
  readonly isEnabled?: boolean | undefined;
  readonly targets?: readonly string[] | undefined;
}

/** A new alias; it is enabled unless it says otherwise. */
export interface NewAlias {
  readonly address: string;
  readonly targets: readonly string[];
  readonly isEnabled?: boolean | undefined;
}

/** Verbs for aliases. */
export interface AliasAdministration {
  /** Errors: `invalid`, `notFound` (the domain), `conflict` (the address is taken), `cannot` (foreign target, loop, depth). */
  add(alias: NewAlias): Promise<AliasReport>;
  /** By address, of one domain or of all. Errors: `notFound` (the domain). */
  list(domain?: string): Promise<readonly AliasReport[]>;
  /** Errors: `notFound`. */
  show(address: string): Promise<AliasReport>;
  /** Errors: as of `add`. */
  set(address: string, settings: AliasSettings): Promise<AliasReport>;
  /** Errors: `notFound`. */
  remove(address: string): Promise<void>;
}

interface Surroundings {
  readonly directory: Directory;
}

/** The verbs on this directory. */
export function createAliasAdministration(surroundings: Surroundings): AliasAdministration {
  const { directory } = surroundings;
  return {
    async add({ address: given, targets: givenTargets, isEnabled = true }) {
      const address = await ownAddressGiven(directory, given);
      const targets = await targetsGiven(surroundings, address, givenTargets);
      return reportOf(surroundings, await directory.addAlias({ address, targets, isEnabled }));
    },
    list: async (domain) =>
      mapInTurns(await listAliases(directory, domain), (alias) => reportOf(surroundings, alias)),
    show: async (given) => reportOf(surroundings, await requireAlias(directory, given)),
    async set(given, { isEnabled, targets }) {
      const { address } = await requireAlias(directory, given);
      const changes: AliasChanges = {
        ...(isEnabled === undefined ? {} : { isEnabled }),
        ...(targets === undefined ? {} : { targets: await targetsGiven(surroundings, address, targets) }),
      };
      return reportOf(surroundings, await directory.setAlias(address, changes));
    },
    async remove(given) {
      const { address } = await requireAlias(directory, given);
      await directory.removeAlias(address);
    },
  };
}

async function requireAlias(directory: Directory, given: string): Promise<Alias> {
  const address = await ownAddressGiven(directory, given);
  const alias = await directory.findAlias(address);
  if (alias === undefined) throw new MailError('notFound', `There is no alias “${address}”.`);
  return alias;
}

async function listAliases(directory: Directory, given: string | undefined): Promise<readonly Alias[]> {
  if (given === undefined) return directory.aliases();
  const domain = await directory.findDomain(domainGiven(given));
  if (domain === undefined) throw new MailError('notFound', `There is no domain “${given}” here.`);
  return directory.aliases(domain.name);
}

async function targetsGiven(
  surroundings: Surroundings,
  address: string,
  given: readonly string[],
): Promise<string[]> {
  const { directory } = surroundings;
  if (given.length === 0) throw new MailError('invalid', 'An alias needs one target at least.');
  atMost(ALIAS_TARGETS_LIMIT, 'targets', given);
  const targets = new Set(await mapInTurns(given, (text) => targetGiven(directory, text)));
  await refuseLoop(surroundings, address, [...targets]);
  return [...targets];
}

/** Follows the aliases that the new one would lead to, breadth first, each once. */
async function refuseLoop(
  surroundings: Surroundings,
  address: string,
  targets: readonly string[],
): Promise<void> {
  /** Each address with the one that leads to it. */
  const cameFrom = new Map(targets.map((target) => [target, address]));
  let level = targets;
  for (let depth = 1; level.length > 0; depth += 1) {
    if (cameFrom.has(address)) throw new MailError('cannot', loopSentence(address, cameFrom));
    if (depth > ALIAS_DEPTH_LIMIT) {
      throw new MailError('cannot', `“${address}” would nest deeper than ${ALIAS_DEPTH_LIMIT} aliases.`);
    }
    level = await nextLevel(surroundings, cameFrom, level);
    if (cameFrom.size > EXPANSION_LIMIT) {
      throw new MailError('cannot', `“${address}” would lead to more than ${EXPANSION_LIMIT} addresses.`);
    }
  }
}

/** The targets, not seen yet, of those addresses that are aliases. */
async function nextLevel(
  { directory }: Surroundings,
  cameFrom: Map<string, string>,
  addresses: readonly string[],
): Promise<string[]> {
  const next = await mapInTurns(addresses, async (address) => {
    const targets = (await directory.findAlias(address))?.targets ?? [];
    const fresh = targets.filter((target) => !cameFrom.has(target));
    for (const target of fresh) cameFrom.set(target, address);
    return fresh;
  });
  return next.flat();
}

function loopSentence(address: string, cameFrom: ReadonlyMap<string, string>): string {
  const way = [address];
  for (let at = cameFrom.get(address); at !== undefined && at !== address; at = cameFrom.get(at))
    way.unshift(at);
  return `Mail would go round for ever: ${[address, ...way].join(' → ')}.`;
}

async function reportOf(
  { directory }: Surroundings,
  { address, targets, isEnabled }: Alias,
): Promise<AliasReport> {
  const found = await mapInTurns(targets, (target) => directory.resolve(target));
  const danglingTargets = targets.filter((_target, index) => isDangling(found[index]));
  return { address, targets, isEnabled, danglingTargets };
}

function isDangling(found: Resolution | undefined): boolean {
  return found?.kind === 'unknownAddress' || found?.kind === 'foreignDomain' || found?.kind === 'disabled';
}
