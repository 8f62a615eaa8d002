/**
 * Jobs that change distribution lists. The count of members is kept with the list; ten thousand of them are put in within some
 * tens of milliseconds, which happens when an administrator asks for it and not for mail.
 */

import { MailError } from '../../../base/error.ts';
import type { DomainId } from '../../../base/ids.ts';
import type {
  DistributionListChanges,
  DistributionListHead,
  ListPosters,
  NewDistributionList,
} from '../../contract/routing.ts';
import type { Connection } from '../connection.ts';
import { splitAddress } from '../directoryQueries.ts';
import { type StoredList, selectListByAddress } from '../listQueries.ts';
import type { JobContext } from './context.ts';
import { requireDomain } from './directoryDomains.ts';
import { refuseTakenAddress } from './takenAddresses.ts';

/** Jobs by name. */
export const LIST_JOBS = {
  addList(db: Connection, list: NewDistributionList, context: JobContext): DistributionListHead {
    const { localPart, domain: name } = splitAddress(list.address);
    const domain = requireDomain(db, name);
    refuseTakenAddress(db, domain, localPart, 'distribution list');
    const id = insertList(db, domain.id, localPart, list);
    insertPosters(db, id, list.posters);
    for (const member of list.members) insertMember(db, id, member);
    updateMemberCount(db, id);
    context.publish({ kind: 'directory' });
    return requireList(db, list.address).list;
  },

  setList(
    db: Connection,
    { address, changes }: { readonly address: string; readonly changes: DistributionListChanges },
    context: JobContext,
  ): DistributionListHead {
    const { id } = requireList(db, address);
    const { isEnabled, posters, members, addedMembers = [], removedMembers = [] } = changes;
    if (isEnabled !== undefined) updateEnabled(db, id, isEnabled);
    if (posters !== undefined) {
      updatePosters(db, id, posters.kind);
      deletePosters(db, id);
      insertPosters(db, id, posters);
    }
    if (members !== undefined) deleteMembers(db, id);
    for (const member of [...(members ?? []), ...addedMembers]) insertMember(db, id, member);
    for (const member of removedMembers) deleteMember(db, id, member);
    updateMemberCount(db, id);
    context.publish({ kind: 'directory' });
    return requireList(db, address).list;
  },

  removeList(db: Connection, address: string, context: JobContext): void {
    deleteList(db, requireList(db, address).id);
    context.publish({ kind: 'directory' });
  },
} as const;

function requireList(db: Connection, address: string): StoredList {
  const stored = selectListByAddress(db, address);
  if (stored === undefined) throw new MailError('notFound', `There is no distribution list “${address}”.`);
  return stored;
}

function insertPosters(db: Connection, id: number, posters: ListPosters): void {
  if (posters.kind !== 'addresses') return;
  if (posters.addresses.length === 0)
    throw new MailError('invalid', 'A list that only some may post to names one of them at least.');
  for (const address of posters.addresses) insertPoster(db, id, address);
}

function insertList(
  db: Connection,
  domainId: DomainId,
  localPart: string,
  { isEnabled, posters }: NewDistributionList,
): number {
  return db.value(
    `INSERT INTO distribution_list (domain_id, local_part, is_enabled, posters)
     VALUES (?, ?, ?, ?)
     RETURNING id`,
    domainId,
    localPart,
    isEnabled ? 1 : 0,
    posters.kind,
  ) as number;
}

function updateEnabled(db: Connection, id: number, isEnabled: boolean): void {
  db.run('UPDATE distribution_list SET is_enabled = ? WHERE id = ?', isEnabled ? 1 : 0, id);
}

function updatePosters(db: Connection, id: number, posters: ListPosters['kind']): void {
  db.run('UPDATE distribution_list SET posters = ? WHERE id = ?', posters, id);
}

function updateMemberCount(db: Connection, id: number): void {
  db.run(
    `UPDATE distribution_list
     SET members = (SELECT count(*) FROM distribution_list_member WHERE list_id = id)
     WHERE id = ?`,
    id,
  );
}

function deletePosters(db: Connection, id: number): void {
  db.run('DELETE FROM distribution_list_poster WHERE list_id = ?', id);
}

function insertPoster(db: Connection, id: number, address: string): void {
  db.run('INSERT OR IGNORE INTO distribution_list_poster (list_id, address) VALUES (?, ?)', id, address);
}

function deleteMembers(db: Connection, id: number): void {
  db.run('DELETE FROM distribution_list_member WHERE list_id = ?', id);
}

function insertMember(db: Connection, id: number, address: string): void {
  db.run('INSERT OR IGNORE INTO distribution_list_member (list_id, address) VALUES (?, ?)', id, address);
}

function deleteMember(db: Connection, id: number, address: string): void {
  db.run('DELETE FROM distribution_list_member WHERE list_id = ? AND address = ?', id, address);
}

function deleteList(db: Connection, id: number): void {
  db.run('DELETE FROM distribution_list WHERE id = ?', id);
}
