/**
 * One step of address resolution: what an address is, its detail (RFC 5233) left out where nobody has the whole of it.
 *
 * Asked for every recipient: some short statements, each through a unique index. Of `a-b-c@example.org` with the separator -,
 * the whole address is looked for first, then a-b, then a: names that have the separator in them keep working.
 */

import type { Resolution } from '../contract/directory.ts';
import type { Connection } from './connection.ts';
import {
  type DomainHead,
  selectAccount,
  selectAlias,
  selectDomainHead,
  splitAddress,
} from './directoryQueries.ts';
import { selectListHead } from './listQueries.ts';

/** What this address is. */
export function selectResolution(db: Connection, address: string): Resolution {
  const { localPart, domain: name } = splitAddress(address);
  const domain = selectDomainHead(db, name);
  if (domain === undefined) return { kind: 'foreignDomain' };
  if (!domain.isEnabled) return { kind: 'disabled' };
  const found = selectNamed(db, domain, localPart) ?? selectWithDetail(db, domain, localPart);
  if (found !== undefined) return found;
  if (domain.catchAll !== undefined) return { kind: 'catchAll', target: domain.catchAll };
  return { kind: 'unknownAddress' };
}

type Named = Extract<Resolution, { readonly kind: 'account' | 'alias' | 'list' | 'disabled' }>;

/** What has exactly this name. */
function selectNamed(db: Connection, domain: DomainHead, localPart: string): Named | undefined {
  const account = selectAccount(db, domain, localPart);
  if (account !== undefined) return account.isEnabled ? { kind: 'account', account } : { kind: 'disabled' };
  const alias = selectAlias(db, domain, localPart)?.alias;
  if (alias !== undefined) return alias.isEnabled ? { kind: 'alias', alias } : { kind: 'disabled' };
  const list = selectListHead(db, domain, localPart)?.list;
  if (list !== undefined) return list.isEnabled ? { kind: 'list', list } : { kind: 'disabled' };
  return undefined;
}

/** What has a name that this one begins with, the longest first. A quoted local part has no detail. */
function selectWithDetail(db: Connection, domain: DomainHead, localPart: string): Named | undefined {
  const { plusSeparator: separator } = domain;
  if (separator === undefined || localPart.startsWith('"')) return undefined;
  for (let at = localPart.lastIndexOf(separator); at > 0; at = localPart.lastIndexOf(separator, at - 1)) {
    const found = selectNamed(db, domain, localPart.slice(0, at));
    if (found === undefined) continue;
    return found.kind === 'disabled' ? found : { ...found, detail: localPart.slice(at + separator.length) };
  }
  return undefined;
}
