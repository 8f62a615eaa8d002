/**
 * Jobs that change aliases. Where the targets lead is the accounts room's concern.
 */

import { MailError } from '../../../base/error.ts';
import type { DomainId } from '../../../base/ids.ts';
import type { Alias, AliasChanges } from '../../contract/directory.ts';
import type { Connection } from '../connection.ts';
import { type StoredAlias, selectAliasByAddress, splitAddress } from '../directoryQueries.ts';
import type { JobContext } from './context.ts';
import { requireDomain } from './directoryDomains.ts';
import { refuseTakenAddress } from './takenAddresses.ts';

/** Jobs by name. */
export const ALIAS_JOBS = {
  addAlias(db: Connection, { address, targets, isEnabled }: Alias, context: JobContext): Alias {
    const { localPart, domain: name } = splitAddress(address);
    const domain = requireDomain(db, name);
    refuseTakenAddress(db, domain, localPart, 'alias');
    const id = insertAlias(db, domain.id, localPart, isEnabled);
    insertTargets(db, id, targets);
    context.publish({ kind: 'directory' });
    return requireAlias(db, address).alias;
  },

  setAlias(
    db: Connection,
    { address, changes }: { readonly address: string; readonly changes: AliasChanges },
    context: JobContext,
  ): Alias {
    const { id } = requireAlias(db, address);
    if (changes.isEnabled !== undefined) updateEnabled(db, id, changes.isEnabled);
    if (changes.targets !== undefined) {
      deleteTargets(db, id);
      insertTargets(db, id, changes.targets);
    }
    context.publish({ kind: 'directory' });
    return requireAlias(db, address).alias;
  },

  removeAlias(db: Connection, address: string, context: JobContext): void {
    const { id } = requireAlias(db, address);
    deleteAlias(db, id);
    context.publish({ kind: 'directory' });
  },
} as const;

function requireAlias(db: Connection, address: string): StoredAlias {
  const stored = selectAliasByAddress(db, address);
  if (stored === undefined) throw new MailError('notFound', `There is no alias “${address}”.`);
  return stored;
}

function insertTargets(db: Connection, id: number, targets: readonly string[]): void {
  if (targets.length === 0) throw new MailError('invalid', 'An alias has one target at least.');
  [...new Set(targets)].forEach((target, position) => {
    insertTarget(db, id, position, target);
  });
}

function insertAlias(db: Connection, domainId: DomainId, localPart: string, isEnabled: boolean): number {
  return db.value(
    'INSERT INTO alias (domain_id, local_part, is_enabled) VALUES (?, ?, ?) RETURNING id',
    domainId,
    localPart,
    isEnabled ? 1 : 0,
  ) as number;
}

function updateEnabled(db: Connection, id: number, isEnabled: boolean): void {
  db.run('UPDATE alias SET is_enabled = ? WHERE id = ?', isEnabled ? 1 : 0, id);
}

function deleteTargets(db: Connection, id: number): void {
  db.run('DELETE FROM alias_target WHERE alias_id = ?', id);
}

function insertTarget(db: Connection, id: number, position: number, address: string): void {
  db.run('INSERT INTO alias_target (alias_id, position, address) VALUES (?, ?, ?)', id, position, address);
}

function deleteAlias(db: Connection, id: number): void {
  db.run('DELETE FROM alias WHERE id = ?', id);
}
