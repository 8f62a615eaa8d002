/**
 * Jobs that change domains. A name means one domain: it stands once, as a domain's name or as one of its other names.
 */

import { MailError } from '../../../base/error.ts';
import type { DomainId } from '../../../base/ids.ts';
import type { Domain, DomainChanges } from '../../contract/directory.ts';
import type { Connection } from '../connection.ts';
import { selectDomain } from '../directoryQueries.ts';
import { countLists } from '../listQueries.ts';
import type { JobContext } from './context.ts';

/** A domain's name with what to set. */
interface DomainInput {
  readonly name: string;
  readonly changes: DomainChanges;
}

/** Jobs by name. */
export const DOMAIN_JOBS = {
  addDomain(db: Connection, { name, changes }: DomainInput, context: JobContext): Domain {
    refuseTakenName(db, name);
    const id = insertDomain(db, name);
    apply(db, id, changes);
    context.publish({ kind: 'directory' });
    return requireDomain(db, name);
  },

  setDomain(db: Connection, { name, changes }: DomainInput, context: JobContext): Domain {
    const domain = requireDomain(db, name);
    apply(db, domain.id, changes);
    context.publish({ kind: 'directory' });
    return requireDomain(db, domain.name);
  },

  removeDomain(db: Connection, name: string, context: JobContext): void {
    const domain = requireDomain(db, name);
    if (domain.name !== name) {
      throw new MailError('cannot', `“${name}” is only another name of the domain “${domain.name}”.`);
    }
    const rest = [
      ...counted(countAccounts(db, domain.id), 'account'),
      ...counted(countAliases(db, domain.id), 'alias', 'aliases'),
      ...counted(countLists(db, domain.id), 'distribution list'),
    ].join(' and ');
    if (rest !== '')
      throw new MailError('cannot', `The domain “${name}” still has ${rest}; remove them first.`);
    deleteDomain(db, domain.id);
    context.publish({ kind: 'directory' });
  },
} as const;

/** The domain of this name or other name. Errors: `notFound`. */
export function requireDomain(db: Connection, name: string): Domain {
  const domain = selectDomain(db, name);
  if (domain === undefined) throw new MailError('notFound', `There is no domain “${name}” here.`);
  return domain;
}

function apply(db: Connection, id: DomainId, changes: DomainChanges): void {
  const { isEnabled, aliases, catchAll, plusSeparator } = changes;
  if (isEnabled !== undefined) updateEnabled(db, id, isEnabled);
  if (catchAll !== undefined) updateCatchAll(db, id, catchAll);
  if (plusSeparator !== undefined) updatePlusSeparator(db, id, plusSeparator);
  if (aliases === undefined) return;
  deleteDomainAliases(db, id);
  for (const alias of aliases) {
    refuseTakenName(db, alias);
    insertDomainAlias(db, id, alias);
  }
}

function refuseTakenName(db: Connection, name: string): void {
  const owner = selectDomain(db, name)?.name;
  if (owner === undefined) return;
  const what = owner === name ? 'a domain' : `another name of the domain “${owner}”`;
  throw new MailError('conflict', `“${name}” is ${what} already.`);
}

function counted(count: number, one: string, several = `${one}s`): string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : several}`];
}

function insertDomain(db: Connection, name: string): DomainId {
  return db.value(
    'INSERT INTO domain (name, is_enabled, catch_all) VALUES (?, 1, NULL) RETURNING id',
    name,
  ) as DomainId;
}

function updateEnabled(db: Connection, id: DomainId, isEnabled: boolean): void {
  db.run('UPDATE domain SET is_enabled = ? WHERE id = ?', isEnabled ? 1 : 0, id);
}

function updateCatchAll(db: Connection, id: DomainId, catchAll: string | null): void {
  db.run('UPDATE domain SET catch_all = ? WHERE id = ?', catchAll, id);
}

function updatePlusSeparator(db: Connection, id: DomainId, separator: string | null): void {
  db.run('UPDATE domain SET plus_separator = ? WHERE id = ?', separator, id);
}

function deleteDomainAliases(db: Connection, id: DomainId): void {
  db.run('DELETE FROM domain_alias WHERE domain_id = ?', id);
}

function insertDomainAlias(db: Connection, id: DomainId, name: string): void {
  db.run('INSERT INTO domain_alias (name, domain_id) VALUES (?, ?)', name, id);
}

function countAccounts(db: Connection, id: DomainId): number {
  return db.value('SELECT count(*) FROM account WHERE domain_id = ?', id) ?? 0;
}

function countAliases(db: Connection, id: DomainId): number {
  return db.value('SELECT count(*) FROM alias WHERE domain_id = ?', id) ?? 0;
}

function deleteDomain(db: Connection, id: DomainId): void {
  db.run('DELETE FROM domain WHERE id = ?', id);
}
