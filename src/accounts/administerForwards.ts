/**
 * The administrator's verbs for forwards: where an account's mail goes on to, with or without a copy that stays.
 */

import { MailError } from '../base/error.ts';
import type { Account, Directory } from '../store/contract/directory.ts';
import type { Forward, ForwardChanges } from '../store/contract/routing.ts';
import { atMost, domainGiven, ownAddressGiven } from './namesGiven.ts';
import { anywhereGiven, danglingOf } from './routingNames.ts';
import { mapInTurns } from './turns.ts';

/** Targets of one forward. */
export const FORWARD_TARGETS_LIMIT = 100;

/** A forward, for showing. */
export interface ForwardReport extends Forward {
  /** Targets in domains of ours that nobody receives at present. */
  readonly danglingTargets: readonly string[];
}

/** What can be set of a forward; what is absent stays. `targets` replaces all. */
export interface ForwardSettings {
  readonly targets?: readonly string[] | undefined;
  readonly keepsCopy?: boolean | undefined;
  readonly isEnabled?: boolean | undefined;
}

/** A forward to add; it is enabled, and the account keeps a copy, unless it says otherwise. */
export interface ForwardGiven extends ForwardSettings {
  readonly account: string;
  readonly targets: readonly string[];
}

/** Verbs for forwards. */
export interface ForwardAdministration {
  /** Errors: `invalid`, `notFound` (the account), `conflict` (it has one), `cannot` (to itself). */
  add(forward: ForwardGiven): Promise<ForwardReport>;
  /** By account, of one domain or of all. Errors: `notFound` (the domain). */
  list(domain?: string): Promise<readonly ForwardReport[]>;
  /** Errors: `notFound`. */
  show(account: string): Promise<ForwardReport>;
  /** Errors: as of `add`. */
  set(account: string, settings: ForwardSettings): Promise<ForwardReport>;
  /** Errors: `notFound`. */
  remove(account: string): Promise<void>;
}

/** The verbs on this directory. */
export function createForwardAdministration({
  directory,
}: {
  readonly directory: Directory;
}): ForwardAdministration {
  return {
    async add({ keepsCopy = true, isEnabled = true, ...given }) {
      const { address: account } = await requireAccount(directory, given.account);
      const targets = await targetsGiven(directory, account, given.targets);
      return reportOf(directory, await directory.addForward({ account, targets, keepsCopy, isEnabled }));
    },
    async list(given) {
      const forwards = await directory.forwards(await domainOf(directory, given));
      return mapInTurns(forwards, (forward) => reportOf(directory, forward));
    },
    show: async (account) => reportOf(directory, await requireForward(directory, account)),
    async set(given, settings) {
      const { account } = await requireForward(directory, given);
      const changes = await changesOf(directory, account, settings);
      return reportOf(directory, await directory.setForward(account, changes));
    },
    async remove(given) {
      const { account } = await requireForward(directory, given);
      await directory.removeForward(account);
    },
  };
}

async function requireAccount(directory: Directory, given: string): Promise<Account> {
  const address = await ownAddressGiven(directory, given);
  const account = await directory.findAccount(address);
  if (account !== undefined) return account;
  const alias = await directory.findAlias(address);
  if (alias === undefined) throw new MailError('notFound', `There is no account “${address}”.`);
  throw new MailError('notFound', `“${address}” is an alias: its targets say where its mail goes.`);
}

async function requireForward(directory: Directory, given: string): Promise<Forward> {
  const account = await requireAccount(directory, given);
  const forward = await directory.forwardOf(account.id);
  if (forward === undefined)
    throw new MailError('notFound', `“${account.address}” does not forward its mail.`);
  return forward;
}

async function domainOf(directory: Directory, given: string | undefined): Promise<string | undefined> {
  if (given === undefined) return undefined;
  const domain = await directory.findDomain(domainGiven(given));
  if (domain === undefined) throw new MailError('notFound', `There is no domain “${given}” here.`);
  return domain.name;
}

async function changesOf(
  directory: Directory,
  account: string,
  { targets, keepsCopy, isEnabled }: ForwardSettings,
): Promise<ForwardChanges> {
  return {
    ...(targets === undefined ? {} : { targets: await targetsGiven(directory, account, targets) }),
    ...(keepsCopy === undefined ? {} : { keepsCopy }),
    ...(isEnabled === undefined ? {} : { isEnabled }),
  };
}

async function targetsGiven(
  directory: Directory,
  account: string,
  given: readonly string[],
): Promise<string[]> {
  if (given.length === 0) throw new MailError('invalid', 'A forward needs one target at least.');
  atMost(FORWARD_TARGETS_LIMIT, 'targets', given);
  const targets = new Set(await mapInTurns(given, (text) => anywhereGiven(directory, text)));
  if (targets.has(account))
    throw new MailError(
      'cannot',
      `“${account}” cannot forward to itself; it keeps a copy by --keep-copy yes.`,
    );
  return [...targets];
}

async function reportOf(directory: Directory, forward: Forward): Promise<ForwardReport> {
  return { ...forward, danglingTargets: await danglingOf(directory, forward.targets) };
}
