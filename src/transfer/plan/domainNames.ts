/**
 * All names of a domain of ours, looked up once for a message; a domain that is not ours has only its own.
 */

import type { Directory } from '../../store/contract/directory.ts';

/** The names of a domain, itself among them. Errors: the store's. */
export type DomainNames = (domain: string) => Promise<readonly string[]>;

/** Names for one message. */
export function createDomainNames(directory: Pick<Directory, 'findDomain'>): DomainNames {
  const known = new Map<string, Promise<readonly string[]>>();
  return (domain) => {
    const names = known.get(domain) ?? namesOf(directory, domain);
    known.set(domain, names);
    return names;
  };
}

async function namesOf(directory: Pick<Directory, 'findDomain'>, domain: string): Promise<readonly string[]> {
  const found = await directory.findDomain(domain);
  return found === undefined ? [domain] : [found.name, ...found.aliases];
}
