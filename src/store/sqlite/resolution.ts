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
import { DETAIL_TRIES } from './limits.ts';
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
  for (const end of endsOfNames(localPart, separator)) {
    const found = selectNamed(db, domain, localPart.slice(0, end));
    if (found === undefined) continue;
    return found.kind === 'disabled' ? found : { ...found, detail: localPart.slice(end + separator.length) };
  }
  return undefined;
}

/** Where a name may end, the longest name first; of very many the shortest and the longest ones, since a stranger chose them. */
function endsOfNames(localPart: string, separator: string): readonly number[] {
  const ends: number[] = [];
  for (let at = localPart.lastIndexOf(separator); at > 0; at = localPart.lastIndexOf(separator, at - 1))
    ends.push(at);
  return ends.length <= DETAIL_TRIES ? ends : [...ends.slice(0, DETAIL_TRIES - 1), ...ends.slice(-1)];
}
