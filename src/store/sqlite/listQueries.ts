/**
 * What is asked of the tables of distribution lists, by the Directory view and by the writer's jobs alike.
 *
 * A list's head is read for every mail to it; its members, up to ten thousand, in slices.
 */

import type { DomainId } from '../../base/ids.ts';
import type { DistributionListHead, ListPosters } from '../contract/routing.ts';
import type { Connection } from './connection.ts';
import { type DomainHead, selectDomainHead, splitAddress } from './directoryQueries.ts';

/** A list with its row's id, for the jobs and for reading its members. */
export interface StoredList {
  readonly id: number;
  readonly list: DistributionListHead;
}

/** The list of this local part. */
export function selectListHead(
  db: Connection,
  domain: DomainHead,
  localPart: string,
): StoredList | undefined {
  const row = db.get<ListRow>(
    `SELECT id, local_part, is_enabled, posters, members
     FROM distribution_list
     WHERE domain_id = ? AND local_part = ?`,
    domain.id,
    localPart,
  );
  return row && { id: row.id, list: headOf(db, domain, row) };
}

/** The list of this address. */
export function selectListByAddress(db: Connection, address: string): StoredList | undefined {
  const { localPart, domain: name } = splitAddress(address);
  const domain = selectDomainHead(db, name);
  return domain && selectListHead(db, domain, localPart);
}

/** Lists of a domain after `localPart` in order of local part, at most `limit`. */
export function selectListsAfter(
  db: Connection,
  domain: DomainHead,
  localPart: string,
  limit: number,
): DistributionListHead[] {
  return db
    .all<ListRow>(
      `SELECT id, local_part, is_enabled, posters, members
       FROM distribution_list
       WHERE domain_id = ? AND local_part > ?
       ORDER BY local_part
       LIMIT ?`,
      domain.id,
      localPart,
      limit,
    )
    .map((row) => headOf(db, domain, row));
}

/** Members of a list after `address` in order, at most `limit`. */
export function selectMembersAfter(db: Connection, listId: number, address: string, limit: number): string[] {
  return db.column(
    'SELECT address FROM distribution_list_member WHERE list_id = ? AND address > ? ORDER BY address LIMIT ?',
    listId,
    address,
    limit,
  );
}

/** Whether this address stands on the list. */
export function selectIsMember(db: Connection, listId: number, address: string): boolean {
  return (
    db.value('SELECT 1 FROM distribution_list_member WHERE list_id = ? AND address = ?', listId, address) !==
    undefined
  );
}

/** How many lists a domain has. */
export function countLists(db: Connection, domainId: DomainId): number {
  return db.value('SELECT count(*) FROM distribution_list WHERE domain_id = ?', domainId) ?? 0;
}

interface ListRow {
  readonly id: number;
  readonly local_part: string;
  readonly is_enabled: number;
  readonly posters: ListPosters['kind'];
  readonly members: number;
}

function headOf(db: Connection, domain: DomainHead, row: ListRow): DistributionListHead {
  return {
    address: `${row.local_part}@${domain.name}`,
    isEnabled: row.is_enabled === 1,
    memberCount: row.members,
    posters: postersOf(db, row),
  };
}

function postersOf(db: Connection, { id, posters }: ListRow): ListPosters {
  return posters === 'addresses' ? { kind: posters, addresses: selectPosters(db, id) } : { kind: posters };
}

function selectPosters(db: Connection, listId: number): string[] {
  return db.column('SELECT address FROM distribution_list_poster WHERE list_id = ? ORDER BY address', listId);
}
