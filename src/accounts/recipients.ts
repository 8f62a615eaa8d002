/**
 * From a forward path to the accounts that it means: domain aliases, aliases to one or many, catch-all, postmaster.
 *
 * RFC 5321 sections 3.9 (aliases), 4.1.1.3 and 4.5.1 (postmaster). The store answers one step at a time; here they are
 * followed, breadth first, each address once, so that loops end and duplicates merge. Percent signs, bangs and quoted @ in a
 * local part are plain characters and never a route.
 * Trust: none in the path; whatever is not one of our addresses is unknown or foreign. Called at RCPT and by transfer.
 */

import { MailError } from '../base/error.ts';
import type { AccountId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Account, Directory, Resolution } from '../store/contract/directory.ts';
import { parseAddress, parseDomain } from './address.ts';
import { mapInTurns } from './turns.ts';

/** How many aliases may stand for one another in a row. */
export const ALIAS_DEPTH_LIMIT = 10;
/** Addresses that one forward path may lead to, all steps together: bounds the time of one RCPT. */
export const EXPANSION_LIMIT = 10_000;

/** Domains whose postmaster is looked for: bounds the time of one RCPT. */
export const POSTMASTER_DOMAIN_LIMIT = 20;

/** Whom a forward path means. */
export type Recipients =
  /** At least one, each once. */
  | { readonly kind: 'accounts'; readonly accounts: readonly Account[] }
  /** Ours, but nobody (550 5.1.1). */
  | { readonly kind: 'unknown' }
  /** Ours, and switched off (550 5.2.1). */
  | { readonly kind: 'disabled' }
  /** Not ours (550 5.7.1). */
  | { readonly kind: 'foreign' };

/** What resolving needs. The two addresses are asked each time, since a reload may change them. */
export interface RecipientSurroundings {
  readonly directory: Pick<Directory, 'resolve' | 'findDomain' | 'domains'>;
  readonly log: Log;
  defaultDomain(): string | undefined;
  /** Takes mail for postmaster where nobody else does. */
  postmaster(): string | undefined;
}

/** Resolves a forward path without its angle brackets. Errors: the store's, `internal` when aliases nest too deep. */
export async function resolveRecipient(
  surroundings: RecipientSurroundings,
  path: string,
): Promise<Recipients> {
  if (path.toLowerCase() === 'postmaster') return resolvePostmaster(surroundings);
  const parsed = parseAddress(path);
  if (parsed.kind === 'invalid') return (await hasLocalDomain(surroundings, path)) ? UNKNOWN : FOREIGN;
  const found = await expand(surroundings, parsed.address);
  const isTaken = found.kind !== 'unknown' || parsed.localPart !== 'postmaster';
  return isTaken ? found : resolveConfigured(surroundings, surroundings.postmaster());
}

const UNKNOWN: Recipients = { kind: 'unknown' };
const DISABLED: Recipients = { kind: 'disabled' };
const FOREIGN: Recipients = { kind: 'foreign' };

/**
 * `<postmaster>` without a domain: who is configured, else the postmaster of the default domain, else of the first domain that
 * has one. Nobody takes it where there is none: mail for people in an application's mailbox would be worse than a refusal.
 */
async function resolvePostmaster(surroundings: RecipientSurroundings): Promise<Recipients> {
  const configured = await resolveConfigured(surroundings, surroundings.postmaster());
  if (configured.kind === 'accounts') return configured;
  const first = surroundings.defaultDomain();
  const domains = (await surroundings.directory.domains()).slice(0, POSTMASTER_DOMAIN_LIMIT);
  for (const name of [...(first === undefined ? [] : [first]), ...domains.map((domain) => domain.name)]) {
    const found = await resolveConfigured(surroundings, `postmaster@${name}`);
    if (found.kind === 'accounts') return found;
  }
  return configured;
}

/** An address that the administrator named: if it is none of ours, nobody takes the mail. */
async function resolveConfigured(
  surroundings: RecipientSurroundings,
  address: string | undefined,
): Promise<Recipients> {
  if (address === undefined) return UNKNOWN;
  const found = await expand(surroundings, address);
  return found.kind === 'foreign' ? UNKNOWN : found;
}

async function hasLocalDomain({ directory }: RecipientSurroundings, path: string): Promise<boolean> {
  const parsed = parseDomain(path.slice(path.lastIndexOf('@') + 1));
  return parsed.kind === 'domain' && (await directory.findDomain(parsed.domain)) !== undefined;
}

/** What was found so far on the way from one address. */
interface Expansion {
  readonly origin: string;
  readonly accounts: Map<AccountId, Account>;
  /** Addresses that were or will be looked at; an alias that leads back to one of them ends there. */
  readonly seen: Set<string>;
  isSomeDisabled: boolean;
}

async function expand(surroundings: RecipientSurroundings, origin: string): Promise<Recipients> {
  const first = await surroundings.directory.resolve(origin);
  if (first.kind === 'foreignDomain') return FOREIGN;
  const expansion: Expansion = {
    origin,
    accounts: new Map(),
    seen: new Set([origin]),
    isSomeDisabled: false,
  };
  let level = follow(expansion, origin, first, surroundings.log);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > ALIAS_DEPTH_LIMIT)
      throw unresolvable(origin, `nests deeper than ${ALIAS_DEPTH_LIMIT} aliases`);
    level = await followAll(surroundings, expansion, level);
  }
  const accounts = [...expansion.accounts.values()];
  if (accounts.length > 0) return { kind: 'accounts', accounts };
  return expansion.isSomeDisabled ? DISABLED : UNKNOWN;
}

async function followAll(
  { directory, log }: RecipientSurroundings,
  expansion: Expansion,
  addresses: readonly string[],
): Promise<string[]> {
  const next = await mapInTurns(addresses, async (address) =>
    follow(expansion, address, await directory.resolve(address), log),
  );
  return next.flat();
}

/** Takes one step's answer in; answers the addresses to look at next. */
function follow(expansion: Expansion, address: string, found: Resolution, log: Log): string[] {
  switch (found.kind) {
    case 'account':
      expansion.accounts.set(found.account.id, found.account);
      return [];
    case 'alias':
      return unseen(expansion, found.alias.targets);
    case 'catchAll':
      return unseen(expansion, [found.target]);
    case 'list':
      // Who may post is not known here: transfer's plan expands lists.
      return [];
    case 'disabled':
      expansion.isSomeDisabled = true;
      return [];
    case 'unknownAddress':
    case 'foreignDomain':
      // The others of the same alias still get their copy.
      if (address !== expansion.origin)
        log.warn('accounts.alias.dangling', {
          address: expansion.origin,
          target: address,
          reason: found.kind,
        });
      return [];
  }
}

function unseen({ origin, seen }: Expansion, addresses: readonly string[]): string[] {
  const fresh = addresses.filter((address) => !seen.has(address));
  for (const address of fresh) seen.add(address);
  if (seen.size > EXPANSION_LIMIT)
    throw unresolvable(origin, `leads to more than ${EXPANSION_LIMIT} addresses`);
  return fresh;
}

/** A fault of ours, so it is temporary: the message waits at its sender until the administrator has repaired the aliases. */
function unresolvable(origin: string, problem: string): MailError {
  return new MailError('internal', `the alias ${origin} ${problem}`);
}
