/**
 * Who may post to a distribution list.
 *
 * Asked of the list that was addressed, by itself or by an alias; lists that stand on it take what it takes. Members count by
 * the addresses that stand on the list or on lists that stand on it; no alias is followed. A delivery report (null reverse
 * path) of somebody who has not logged in is never distributed: lists must not multiply bounces (RFC 5321 section 4.5.5).
 */

import { yieldTurn } from '../../base/pacer.ts';
import type { DistributionListHead } from '../../store/contract/routing.ts';
import { isMeant, matchedAddress } from './addressPattern.ts';
import { createDomainNames } from './domainNames.ts';
import { parsePath } from './parsePath.ts';
import type { Sender } from './sender.ts';
import type { PlanSurroundings } from './surroundings.ts';

/** Lists within lists that are looked through for a sender. */
const NESTED_LISTS_LIMIT = 100;
/** Memberships asked for in one turn of the event loop, some milliseconds: a stranger's RCPT may ask for all of them. */
const LOOKUPS_PER_TURN = 100;

/** Why somebody may not post, as the end of the sentence "The list does not take …". */
export type PostingBar = 'reports' | 'non-members' | 'mail without a login' | 'mail of this sender';

/** What keeps the sender from posting; undefined where nothing does. Errors: the store's. */
export async function postingBar(
  surroundings: PlanSurroundings,
  list: DistributionListHead,
  sender: Sender,
): Promise<PostingBar | undefined> {
  const isSubmitter = sender.submitter.kind !== 'anyone';
  if (sender.reversePath === '' && !isSubmitter) return 'reports';
  switch (list.posters.kind) {
    case 'anyone':
      return undefined;
    case 'submitters':
      return isSubmitter ? undefined : 'mail without a login';
    case 'addresses':
      return (await isNamed(surroundings, list.posters.addresses, sender))
        ? undefined
        : 'mail of this sender';
    case 'members':
      return (await isMember(surroundings, list, sender)) ? undefined : 'non-members';
  }
}

async function isNamed(
  { directory }: PlanSurroundings,
  addresses: readonly string[],
  sender: Sender,
): Promise<boolean> {
  const names = createDomainNames(directory);
  for (const identity of await sender.identities()) {
    const parsed = parsePath(identity);
    if (parsed.kind !== 'address') continue;
    if (isMeant(addresses, matchedAddress(parsed.localPart, await names(parsed.domain)))) return true;
  }
  return false;
}

async function isMember(
  surroundings: PlanSurroundings,
  list: DistributionListHead,
  sender: Sender,
): Promise<boolean> {
  const identities = await sender.identities();
  if (identities.length === 0) return false;
  const { lists } = await surroundings.tables();
  const seen = new Set([list.address]);
  let lookups = 0;
  const isOn = async (address: string, member: string): Promise<boolean> => {
    lookups += 1;
    if (lookups % LOOKUPS_PER_TURN === 0) await yieldTurn();
    return surroundings.routing.isListMember(address, member);
  };
  for (const address of seen) {
    for (const identity of identities) if (await isOn(address, identity)) return true;
    for (const nested of lists) {
      if (seen.size >= NESTED_LISTS_LIMIT) break;
      if (!seen.has(nested.address) && (await isOn(address, nested.address))) seen.add(nested.address);
    }
  }
  return false;
}
