/**
 * Accounts, aliases and distribution lists share one space of addresses: what one has, no other gets. Writer thread only.
 */

import { MailError } from '../../../base/error.ts';
import type { Connection } from '../connection.ts';
import { type DomainHead, selectAccountId, selectAlias } from '../directoryQueries.ts';
import { selectListHead } from '../listQueries.ts';

/** What can have an address. */
type Holder = 'account' | 'alias' | 'distribution list';

/** Refuses an address for a new `wanted` when anything of these three has it. Errors: `conflict`. */
export function refuseTakenAddress(
  db: Connection,
  domain: DomainHead,
  localPart: string,
  wanted: Holder,
): void {
  const holder = holderOf(db, domain, localPart);
  if (holder === undefined) return;
  const address = `${localPart}@${domain.name}`;
  if (holder === wanted) throw new MailError('conflict', `The ${wanted} “${address}” exists already.`);
  const article = holder === 'distribution list' ? 'a' : 'an';
  throw new MailError('conflict', `“${address}” is ${article} ${holder} already.`);
}

function holderOf(db: Connection, domain: DomainHead, localPart: string): Holder | undefined {
  if (selectAccountId(db, domain.id, localPart) !== undefined) return 'account';
  if (selectAlias(db, domain, localPart) !== undefined) return 'alias';
  return selectListHead(db, domain, localPart) === undefined ? undefined : 'distribution list';
}
