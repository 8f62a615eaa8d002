/**
 * The administrator's verbs for domains.
 */

import { MailError } from '../base/error.ts';
import type { Directory, Domain, DomainChanges } from '../store/contract/directory.ts';
import type { Route } from '../store/contract/routing.ts';
import { addressGiven, atMost, domainGiven, targetGiven } from './namesGiven.ts';

/** Other names of one domain. */
export const DOMAIN_ALIASES_LIMIT = 1000;

/** A domain, for showing. */
export interface DomainReport {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly aliases: readonly string[];
  readonly catchAll: string | null;
  /** What separates an address from its detail (a+news@…); null: nothing does. */
  readonly plusSeparator: string | null;
}

/** What can be set of a domain; what is absent stays. `aliases` replaces all other names, null takes away. */
export interface DomainSettings {
  readonly isEnabled?: boolean | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly catchAll?: string | null | undefined;
  readonly plusSeparator?: string | null | undefined;
}

/** A new domain. */
export interface NewDomain extends DomainSettings {
  readonly name: string;
}

/** Verbs for domains. */
export interface DomainAdministration {
  /** Errors: `invalid`, `conflict` (a name is taken), `cannot` (the catch-all is elsewhere). */
  add(domain: NewDomain): Promise<DomainReport>;
  list(): Promise<readonly DomainReport[]>;
  /** Errors: `notFound`. */
  show(name: string): Promise<DomainReport>;
  /** Errors: as of `add`, and `notFound`. */
  set(name: string, settings: DomainSettings): Promise<DomainReport>;
  /** Errors: `notFound`, `cannot` while the domain has accounts, aliases or lists, or a route leads there. */
  remove(name: string): Promise<void>;
}

/** The verbs on this directory. */
export function createDomainAdministration({
  directory,
}: {
  readonly directory: Directory;
}): DomainAdministration {
  return {
    async add({ name, ...settings }) {
      const domain = domainGiven(name);
      return reportOf(await directory.addDomain(domain, await changesOf(directory, domain, settings)));
    },
    list: async () => (await directory.domains()).map(reportOf),
    async show(name) {
      return reportOf(await requireDomain(directory, name));
    },
    async set(name, settings) {
      const domain = (await requireDomain(directory, name)).name;
      return reportOf(await directory.setDomain(domain, await changesOf(directory, domain, settings)));
    },
    async remove(given) {
      const name = domainGiven(given);
      await refuseRouteTarget(directory, name);
      await directory.removeDomain(name);
    },
  };
}

async function requireDomain(directory: Directory, text: string): Promise<Domain> {
  const name = domainGiven(text);
  const domain = await directory.findDomain(name);
  if (domain === undefined) throw new MailError('notFound', `There is no domain “${name}” here.`);
  return domain;
}

/** What would be left is a route to an address of ours that is none. */
async function refuseRouteTarget(directory: Directory, name: string): Promise<void> {
  const leadsThere = ({ target }: Route) => target.kind === 'local' && target.address.endsWith(`@${name}`);
  const route = (await directory.routes()).find(leadsThere);
  if (route === undefined) return;
  throw new MailError(
    'cannot',
    `The route “${route.name}” leads to the domain “${name}”; change or remove it first.`,
  );
}

async function changesOf(
  directory: Directory,
  name: string,
  { isEnabled, aliases, catchAll, plusSeparator }: DomainSettings,
): Promise<DomainChanges> {
  const others = aliases && atMost(DOMAIN_ALIASES_LIMIT, 'other names', aliases).map(domainGiven);
  return {
    ...(isEnabled === undefined ? {} : { isEnabled }),
    ...(others === undefined ? {} : { aliases: [...new Set(others)] }),
    ...(plusSeparator === undefined ? {} : { plusSeparator: separatorGiven(plusSeparator) }),
    ...(catchAll === undefined
      ? {}
      : { catchAll: await catchAllOf(directory, [name, ...(others ?? [])], catchAll) }),
  };
}

/** The domain itself counts as ours before it is added. */
async function catchAllOf(
  directory: Directory,
  own: readonly string[],
  text: string | null,
): Promise<string | null> {
  if (text === null) return null;
  const { localPart, domain } = addressGiven(text);
  return own.includes(domain) ? `${localPart}@${own[0]}` : targetGiven(directory, text);
}

/** A character that stands in an address without quotes (atext of RFC 5322 section 3.2.3, or the dot) and is no letter or digit. */
function separatorGiven(text: string | null): string | null {
  if (text === null || /^[-!#$%&'*+/=?^_`{|}~.]$/.test(text)) return text;
  throw new MailError(
    'invalid',
    `“${text}” cannot separate a detail from an address; allowed: one of + - _ = . and their like.`,
  );
}

function reportOf({ name, isEnabled, aliases, catchAll, plusSeparator }: Domain): DomainReport {
  return { name, isEnabled, aliases, catchAll: catchAll ?? null, plusSeparator: plusSeparator ?? null };
}
