/**
 * The administrator's verbs for distribution lists.
 *
 * Members are addresses here or elsewhere; those of ours that nobody receives at present are taken, since a list may be set up
 * before its accounts, and told of when the list is shown. Lists within lists, and loops of them, are the plan's to resolve.
 */

import { MailError } from '../base/error.ts';
import type { Directory } from '../store/contract/directory.ts';
import type {
  DistributionListChanges,
  DistributionListHead,
  ListPosters,
} from '../store/contract/routing.ts';
import { atMost, domainGiven, ownAddressGiven } from './namesGiven.ts';
import { anywhereGiven, danglingOf } from './routingNames.ts';
import { mapInTurns } from './turns.ts';

/** Members of one list. */
export const LIST_MEMBERS_LIMIT = 10_000;
/** Addresses that may post to one list. */
export const LIST_POSTERS_LIMIT = 1000;

/** A list with its members, for showing. */
export interface DistributionListReport extends DistributionListHead {
  readonly members: readonly string[];
  /** Members in domains of ours that nobody receives at present. */
  readonly danglingMembers: readonly string[];
}

/** What can be set of a list; what is absent stays. `members` replaces all. */
export interface DistributionListSettings {
  readonly isEnabled?: boolean | undefined;
  readonly posters?: ListPosters | undefined;
  readonly members?: readonly string[] | undefined;
  readonly addedMembers?: readonly string[] | undefined;
  readonly removedMembers?: readonly string[] | undefined;
}

/** A list to add; it is enabled, and its members may post, unless it says otherwise. */
export interface DistributionListGiven {
  readonly address: string;
  readonly members: readonly string[];
  readonly posters?: ListPosters | undefined;
  readonly isEnabled?: boolean | undefined;
}

/** Verbs for distribution lists. */
export interface ListAdministration {
  /** Errors: `invalid`, `notFound` (the domain), `conflict` (the address is taken), `cannot` (itself as a member), `limit`. */
  add(list: DistributionListGiven): Promise<DistributionListReport>;
  /** Without members, by address, of one domain or of all. Errors: `notFound` (the domain). */
  list(domain?: string): Promise<readonly DistributionListHead[]>;
  /** Errors: `notFound`. */
  show(address: string): Promise<DistributionListReport>;
  /** Errors: as of `add`, and `notFound` (the list, a member to be removed). */
  set(address: string, settings: DistributionListSettings): Promise<DistributionListReport>;
  /** Errors: `notFound`. */
  remove(address: string): Promise<void>;
}

/** The verbs on this directory. */
export function createListAdministration({
  directory,
}: {
  readonly directory: Directory;
}): ListAdministration {
  return {
    async add(given) {
      const address = await ownAddressGiven(directory, given.address);
      const members = await membersGiven(directory, address, given.members);
      const posters = await postersGiven(directory, given.posters ?? { kind: 'members' });
      await directory.addList({ address, members, posters, isEnabled: given.isEnabled ?? true });
      return reportOf(directory, address);
    },
    async list(given) {
      if (given === undefined) return directory.lists();
      const domain = await directory.findDomain(domainGiven(given));
      if (domain === undefined) throw new MailError('notFound', `There is no domain “${given}” here.`);
      return directory.lists(domain.name);
    },
    show: async (given) => reportOf(directory, await ownAddressGiven(directory, given)),
    async set(given, settings) {
      const { address } = await requireList(directory, await ownAddressGiven(directory, given));
      await directory.setList(address, await changesOf(directory, address, settings));
      return reportOf(directory, address);
    },
    async remove(given) {
      await directory.removeList(await ownAddressGiven(directory, given));
    },
  };
}

async function requireList(directory: Directory, address: string) {
  const list = await directory.findList(address);
  if (list === undefined) throw new MailError('notFound', `There is no distribution list “${address}”.`);
  return list;
}

async function reportOf(directory: Directory, address: string): Promise<DistributionListReport> {
  const list = await requireList(directory, address);
  return { ...list, danglingMembers: await danglingOf(directory, list.members) };
}

async function changesOf(
  directory: Directory,
  address: string,
  { isEnabled, posters, members, addedMembers = [], removedMembers = [] }: DistributionListSettings,
): Promise<DistributionListChanges> {
  const replaced = members && (await membersGiven(directory, address, members));
  const added = await membersGiven(directory, address, addedMembers);
  const removed = await mapInTurns(removedMembers, (text) => anywhereGiven(directory, text));
  const before = new Set(replaced ?? (await requireList(directory, address)).members);
  const stranger = removed.find((member) => !before.has(member) && !added.includes(member));
  if (stranger !== undefined) throw new MailError('notFound', `“${stranger}” is no member of “${address}”.`);
  const after = new Set([...before, ...added]);
  for (const member of removed) after.delete(member);
  refuseTooMany(after.size);
  return {
    ...(isEnabled === undefined ? {} : { isEnabled }),
    ...(posters === undefined ? {} : { posters: await postersGiven(directory, posters) }),
    ...(replaced === undefined ? {} : { members: replaced }),
    addedMembers: added,
    removedMembers: removed,
  };
}

async function membersGiven(
  directory: Directory,
  address: string,
  given: readonly string[],
): Promise<string[]> {
  refuseTooMany(given.length);
  const members = new Set(await mapInTurns(given, (text) => anywhereGiven(directory, text)));
  if (members.has(address))
    throw new MailError('cannot', `“${address}” cannot be a member of itself: mail would go round for ever.`);
  return [...members];
}

function refuseTooMany(members: number): void {
  if (members <= LIST_MEMBERS_LIMIT) return;
  throw new MailError('limit', `${members} members are too many: ${LIST_MEMBERS_LIMIT} at most.`);
}

async function postersGiven(directory: Directory, posters: ListPosters): Promise<ListPosters> {
  if (posters.kind !== 'addresses') return posters;
  if (posters.addresses.length === 0)
    throw new MailError(
      'invalid',
      'Nobody could post: name one address at least, or anyone, members or submitters.',
    );
  const given = atMost(LIST_POSTERS_LIMIT, 'addresses that may post', posters.addresses);
  const addresses = new Set(await mapInTurns(given, (text) => anywhereGiven(directory, text)));
  return { kind: 'addresses', addresses: [...addresses] };
}
