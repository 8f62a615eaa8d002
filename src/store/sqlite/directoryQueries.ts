/**
 * What is asked of the directory's tables, by the Directory view and by the writer's jobs alike.
 *
 * Asked for every recipient (resolution.ts) and every login, so: one short statement per table, each through a unique index (2 to 3 µs),
 * and put together here; joins and JSON in SQL were measured to be several times slower. An address is found by its
 * domain's name or by any of the domain's other names.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId, DomainId } from '../../base/ids.ts';
import type { Account, AccountSettingTexts, Alias, Credentials, Domain } from '../contract/directory.ts';
import type { Connection } from './connection.ts';

/** A domain without its other names: what most questions need of it. */
export type DomainHead = Omit<Domain, 'aliases'>;

/** An alias with its row's id, for the jobs. */
export interface StoredAlias {
  readonly id: number;
  readonly alias: Alias;
}

/** The address of an account's row; two short reads: the same over a join takes ten times as long. */
export function selectAddress(db: Connection, id: AccountId): string | undefined {
  const row = db.get<{ readonly localPart: string; readonly domain: string }>(
    `SELECT local_part AS localPart, (SELECT name FROM domain WHERE id = domain_id) AS domain
     FROM account WHERE id = ?`,
    id,
  );
  return row && `${row.localPart}@${row.domain}`;
}

/** An address taken apart at its last @; a login name without one has no local part. */
export function splitAddress(address: string): { readonly localPart: string; readonly domain: string } {
  const at = address.lastIndexOf('@');
  return { localPart: address.slice(0, Math.max(at, 0)), domain: address.slice(at + 1) };
}

/** The domain of this name or other name. */
export function selectDomain(db: Connection, name: string): Domain | undefined {
  const head = selectDomainHead(db, name);
  return head && { ...head, aliases: selectDomainAliases(db, head.id) };
}

/** The domain of this name or other name, without its other names. */
export function selectDomainHead(db: Connection, name: string): DomainHead | undefined {
  const row = selectDomainByName(db, name) ?? selectDomainByAlias(db, name);
  return row && headOf(row);
}

/** Domains after `name` in order of name, at most `limit`. */
export function selectDomainsAfter(db: Connection, name: string, limit: number): Domain[] {
  return db
    .all<DomainRow>(
      'SELECT id, name, is_enabled, catch_all, plus_separator FROM domain WHERE name > ? ORDER BY name LIMIT ?',
      name,
      limit,
    )
    .map((row) => ({ ...headOf(row), aliases: selectDomainAliases(db, row.id) }));
}

/** The account of this local part. */
export function selectAccount(db: Connection, domain: DomainHead, localPart: string): Account | undefined {
  const row = selectAccountRow(db, domain.id, localPart);
  return row && accountOf(db, domain, row);
}

/** The account of this address. */
export function selectAccountByAddress(db: Connection, address: string): Account | undefined {
  const { localPart, domain: name } = splitAddress(address);
  const domain = selectDomainHead(db, name);
  return domain && selectAccount(db, domain, localPart);
}

/** Accounts of a domain after `localPart` in order of local part, at most `limit`. */
export function selectAccountsAfter(
  db: Connection,
  domain: DomainHead,
  localPart: string,
  limit: number,
): Account[] {
  return db
    .all<AccountRow>(
      `SELECT id, domain_id, local_part, is_enabled, quota_octets, password_hash, created_at
       FROM account
       WHERE domain_id = ? AND local_part > ?
       ORDER BY local_part
       LIMIT ?`,
      domain.id,
      localPart,
      limit,
    )
    .map((row) => accountOf(db, domain, row));
}

/** Who logs in by the first of these names that anybody has: each is an address first, then an extra login name. */
export function selectCredentials(db: Connection, loginNames: readonly string[]): Credentials | undefined {
  for (const name of loginNames) {
    const found = selectCredentialsByAddress(db, name) ?? selectCredentialsByLoginName(db, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The id of the account of this local part. */
export function selectAccountId(
  db: Connection,
  domainId: DomainId,
  localPart: string,
): AccountId | undefined {
  return db.value('SELECT id FROM account WHERE domain_id = ? AND local_part = ?', domainId, localPart);
}

/** The account that has this extra login name. */
export function selectLoginNameOwner(db: Connection, name: string): AccountId | undefined {
  return db.value('SELECT account_id FROM login_name WHERE name = ?', name);
}

/** The alias of this local part. */
export function selectAlias(db: Connection, domain: DomainHead, localPart: string): StoredAlias | undefined {
  const row = db.get<AliasRow>(
    'SELECT id, local_part, is_enabled FROM alias WHERE domain_id = ? AND local_part = ?',
    domain.id,
    localPart,
  );
  return row && { id: row.id, alias: aliasOf(db, domain, row) };
}

/** The alias of this address. */
export function selectAliasByAddress(db: Connection, address: string): StoredAlias | undefined {
  const { localPart, domain: name } = splitAddress(address);
  const domain = selectDomainHead(db, name);
  return domain && selectAlias(db, domain, localPart);
}

/** Aliases of a domain after `localPart` in order of local part, at most `limit`. */
export function selectAliasesAfter(
  db: Connection,
  domain: DomainHead,
  localPart: string,
  limit: number,
): Alias[] {
  return db
    .all<AliasRow>(
      `SELECT id, local_part, is_enabled
       FROM alias
       WHERE domain_id = ? AND local_part > ?
       ORDER BY local_part
       LIMIT ?`,
      domain.id,
      localPart,
      limit,
    )
    .map((row) => aliasOf(db, domain, row));
}

interface DomainRow {
  readonly id: DomainId;
  readonly name: string;
  readonly is_enabled: number;
  readonly catch_all: string | null;
  readonly plus_separator: string | null;
}

interface AccountRow {
  readonly id: AccountId;
  readonly domain_id: DomainId;
  readonly local_part: string;
  readonly is_enabled: number;
  readonly quota_octets: number | null;
  readonly password_hash: string;
  readonly created_at: UnixMs;
}

interface AliasRow {
  readonly id: number;
  readonly local_part: string;
  readonly is_enabled: number;
}

function headOf(row: DomainRow): DomainHead {
  return {
    id: row.id,
    name: row.name,
    isEnabled: row.is_enabled === 1,
    catchAll: row.catch_all ?? undefined,
    plusSeparator: row.plus_separator ?? undefined,
  };
}

function accountOf(db: Connection, domain: DomainHead, row: AccountRow): Account {
  return {
    id: row.id,
    address: `${row.local_part}@${domain.name}`,
    isEnabled: row.is_enabled === 1,
    quotaOctets: row.quota_octets ?? undefined,
    loginNames: selectLoginNames(db, row.id),
    settings: selectSettings(db, row.id),
    createdAt: row.created_at,
  };
}

function aliasOf(db: Connection, domain: DomainHead, row: AliasRow): Alias {
  const address = `${row.local_part}@${domain.name}`;
  return { address, targets: selectTargets(db, row.id), isEnabled: row.is_enabled === 1 };
}

function selectCredentialsByAddress(db: Connection, address: string): Credentials | undefined {
  const { localPart, domain: name } = splitAddress(address);
  const domain = localPart === '' ? undefined : selectDomainHead(db, name);
  const row = domain && selectAccountRow(db, domain.id, localPart);
  return domain && row && credentialsOf(db, address, domain, row);
}

function selectCredentialsByLoginName(db: Connection, name: string): Credentials | undefined {
  const id = selectLoginNameOwner(db, name);
  const row = id === undefined ? undefined : selectAccountRowById(db, id);
  const domain = row && selectDomainById(db, row.domain_id);
  return row && domain && credentialsOf(db, name, headOf(domain), row);
}

function credentialsOf(db: Connection, loginName: string, domain: DomainHead, row: AccountRow): Credentials {
  const account = accountOf(db, domain, row);
  return { account, loginName, isDomainEnabled: domain.isEnabled, passwordHash: row.password_hash };
}

function selectDomainByName(db: Connection, name: string): DomainRow | undefined {
  return db.get('SELECT id, name, is_enabled, catch_all, plus_separator FROM domain WHERE name = ?', name);
}

function selectDomainByAlias(db: Connection, name: string): DomainRow | undefined {
  return db.get(
    `SELECT id, name, is_enabled, catch_all, plus_separator
     FROM domain
     WHERE id = (SELECT domain_id FROM domain_alias WHERE name = ?)`,
    name,
  );
}

function selectDomainById(db: Connection, id: DomainId): DomainRow | undefined {
  return db.get('SELECT id, name, is_enabled, catch_all, plus_separator FROM domain WHERE id = ?', id);
}

function selectDomainAliases(db: Connection, id: DomainId): string[] {
  return db.column('SELECT name FROM domain_alias WHERE domain_id = ? ORDER BY name', id);
}

function selectAccountRow(db: Connection, domainId: DomainId, localPart: string): AccountRow | undefined {
  return db.get(
    `SELECT id, domain_id, local_part, is_enabled, quota_octets, password_hash, created_at
     FROM account
     WHERE domain_id = ? AND local_part = ?`,
    domainId,
    localPart,
  );
}

function selectAccountRowById(db: Connection, id: AccountId): AccountRow | undefined {
  return db.get(
    `SELECT id, domain_id, local_part, is_enabled, quota_octets, password_hash, created_at
     FROM account
     WHERE id = ?`,
    id,
  );
}

function selectLoginNames(db: Connection, id: AccountId): string[] {
  return db.column('SELECT name FROM login_name WHERE account_id = ? ORDER BY name', id);
}

/** What is set for an account, by name. */
export function selectSettings(db: Connection, id: AccountId): AccountSettingTexts {
  const rows = db.tuples<[name: string, value: string]>(
    'SELECT name, value FROM account_setting WHERE account_id = ? ORDER BY name',
    id,
  );
  return Object.fromEntries(rows);
}

function selectTargets(db: Connection, aliasId: number): string[] {
  return db.column('SELECT address FROM alias_target WHERE alias_id = ? ORDER BY position', aliasId);
}
