/**
 * Who sends a message, as routes and lists ask for it: the reverse path, and the account that has logged in.
 *
 * A name that was only written is no proof: of a client that has logged in, its account counts, and the reverse path only where
 * it leads to that account. Everybody else is who the reverse path says, as far as the listener's door lets that in.
 */

import type { Submitter } from '../contract.ts';
import { type MatchedAddress, matchedAddress } from './addressPattern.ts';
import type { DomainNames } from './domainNames.ts';
import { parsePath } from './parsePath.ts';
import type { PlanSurroundings } from './surroundings.ts';

/** A sender. */
export interface Sender {
  /** Without angle brackets; empty for the null path. */
  readonly reversePath: string;
  readonly submitter: Submitter;
  /** What routes hold their sender patterns against; undefined stands for the null path. */
  matched(): Promise<readonly (MatchedAddress | undefined)[]>;
  /** The addresses by which the sender may post to lists, in their one form. */
  identities(): Promise<readonly string[]>;
}

/** The sender of these. */
export function createSender(
  surroundings: PlanSurroundings,
  domainNames: DomainNames,
  { reversePath, submitter }: { readonly reversePath: string; readonly submitter: Submitter },
): Sender {
  let matched: Promise<readonly (MatchedAddress | undefined)[]> | undefined;
  let identities: Promise<readonly string[]> | undefined;
  const match = async () => {
    const names = submitter.kind === 'account' ? [reversePath, submitter.account.address] : [reversePath];
    return Promise.all(names.map((name) => matchedSender(domainNames, name)));
  };
  return {
    reversePath,
    submitter,
    matched() {
      matched ??= match();
      return matched;
    },
    identities() {
      identities ??= identitiesOf(surroundings, reversePath, submitter);
      return identities;
    },
  };
}

async function matchedSender(domainNames: DomainNames, path: string): Promise<MatchedAddress | undefined> {
  if (path === '') return undefined;
  const parsed = parsePath(path);
  // What is no address is met by no pattern but `*`.
  if (parsed.kind !== 'address') return { localPart: path, domains: [] };
  return matchedAddress(parsed.localPart, await domainNames(parsed.domain));
}

async function identitiesOf(
  surroundings: PlanSurroundings,
  reversePath: string,
  submitter: Submitter,
): Promise<readonly string[]> {
  const written = await canonicalForms(surroundings, reversePath);
  if (submitter.kind !== 'account') return written;
  const { account } = submitter;
  const found = await surroundings.accounts.resolveRecipient(reversePath);
  const isOwn = found.kind === 'accounts' && found.accounts.some(({ id }) => id === account.id);
  return isOwn ? [...new Set([account.address, ...written])] : [account.address];
}

/** The address as it was written, and as the directory has it: domain aliases and plus addressing undone. */
async function canonicalForms(
  { directory }: PlanSurroundings,
  reversePath: string,
): Promise<readonly string[]> {
  const parsed = parsePath(reversePath);
  if (parsed.kind !== 'address' || parsed.isLoose) return [];
  const found = await directory.resolve(parsed.address);
  if (found.kind === 'account') return [...new Set([parsed.address, found.account.address])];
  if (found.kind === 'alias') return [...new Set([parsed.address, found.alias.address])];
  return [parsed.address];
}
