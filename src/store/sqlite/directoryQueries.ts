/**
 * What is asked of the directory's tables, by the Directory view and by the writer's jobs alike.
 *
 * Every look-up goes through a unique index. An address is found by its domain's name or by any of the domain's other names.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId, DomainId } from '../../base/ids.ts';
import type { Account, Alias, Credentials, Domain, Resolution } from '../contract/directory.ts';
import type { Connection } from './connection.ts';

/** A row of alias, for the jobs. */
export interface StoredAlias {
  readonly id: number;
  readonly alias: Alias;
}

/** An address taken apart at its last @; a login name without one has no domain. */
export function splitAddress(address: string): { readonly localPart: string; readonly domain: string } {
  const at = address.lastIndexOf('@');
  return { localPart: address.slice(0, Math.max(at, 0)), domain: address.slice(at + 1) };
}

/** The domain of this name or other name. */
export function selectDomain(db: Connection, name: string): Domain | undefined {
  const row = db.get<DomainRow>(
    `SELECT id, name, is_enabled, catch_all,
            (SELECT json_group_array(name ORDER BY name) FROM domain_alias WHERE domain_id = domain.id) AS aliases
     FROM domain
     WHERE id = coalesce((SELECT id FROM domain WHERE name = ?),
                         (SELECT domain_id FROM domain_alias WHERE name = ?))`,
    name,
    name,
  );
  return row && domainOf(row);
}

/** Domains after `name` in order of name, at most `limit`. */
export function selectDomainsAfter(db: Connection, name: string, limit: number): Domain[] {
  return db
    .all<DomainRow>(
      `SELECT id, name, is_enabled, catch_all,
              (SELECT json_group_array(name ORDER BY name) FROM domain_alias WHERE domain_id = domain.id) AS aliases
       FROM domain
       WHERE name > ?
       ORDER BY name
       LIMIT ?`,
      name,
      limit,
    )
    .map(domainOf);
}

/** The account of this local part. */
export function selectAccount(db: Connection, domainId: DomainId, localPart: string): Account | undefined {
  const row = db.get<AccountRow>(
    `SELECT account.id, local_part || '@' || domain.name AS address, account.is_enabled, quota_octets, created_at,
            (SELECT json_group_array(name ORDER BY name) FROM login_name WHERE account_id = account.id) AS login_names
     FROM account JOIN domain ON domain.id = domain_id
     WHERE domain_id = ? AND local_part = ?`,
    domainId,
    localPart,
  );
  return row && accountOf(row);
}

/** The account of this address; its domain may be named by another name. */
export function selectAccountByAddress(db: Connection, address: string): Account | undefined {
  const { localPart, domain: name } = splitAddress(address);
  const domain = selectDomain(db, name);
  return domain && selectAccount(db, domain.id, localPart);
}

/** Accounts of a domain after `localPart` in order of local part, at most `limit`. */
export function selectAccountsAfter(
  db: Connection,
  domainId: DomainId,
  localPart: string,
  limit: number,
): Account[] {
  return db
    .all<AccountRow>(
      `SELECT account.id, local_part || '@' || domain.name AS address, account.is_enabled, quota_octets, created_at,
              (SELECT json_group_array(name ORDER BY name) FROM login_name WHERE account_id = account.id) AS login_names
       FROM account JOIN domain ON domain.id = domain_id
       WHERE domain_id = ? AND local_part > ?
       ORDER BY local_part
       LIMIT ?`,
      domainId,
      localPart,
      limit,
    )
    .map(accountOf);
}

/** Who logs in by this name: an address first, then an extra login name. */
export function selectCredentials(db: Connection, loginName: string): Credentials | undefined {
  const { localPart, domain: name } = splitAddress(loginName);
  const domainId = localPart === '' ? undefined : selectDomain(db, name)?.id;
  const accountId =
    (domainId && selectAccountId(db, domainId, localPart)) ?? selectLoginNameOwner(db, loginName);
  if (accountId === undefined) return undefined;
  const row = db.get<CredentialsRow>(
    `SELECT account.id, local_part || '@' || domain.name AS address, account.is_enabled, quota_octets, created_at,
            (SELECT json_group_array(name ORDER BY name) FROM login_name WHERE account_id = account.id) AS login_names,
            password_hash, domain.is_enabled AS is_domain_enabled
     FROM account JOIN domain ON domain.id = domain_id
     WHERE account.id = ?`,
    accountId,
  );
  if (row === undefined) return undefined;
  return {
    account: accountOf(row),
    isDomainEnabled: row.is_domain_enabled === 1,
    passwordHash: row.password_hash,
  };
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
export function selectAlias(db: Connection, domainId: DomainId, localPart: string): StoredAlias | undefined {
  const row = db.get<AliasRow>(
    `SELECT alias.id, local_part || '@' || domain.name AS address, alias.is_enabled,
            (SELECT json_group_array(address ORDER BY position) FROM alias_target WHERE alias_id = alias.id) AS targets
     FROM alias JOIN domain ON domain.id = domain_id
     WHERE domain_id = ? AND local_part = ?`,
    domainId,
    localPart,
  );
  return row && { id: row.id, alias: aliasOf(row) };
}

/** The alias of this address; its domain may be named by another name. */
export function selectAliasByAddress(db: Connection, address: string): StoredAlias | undefined {
  const { localPart, domain: name } = splitAddress(address);
  const domain = selectDomain(db, name);
  return domain && selectAlias(db, domain.id, localPart);
}

/** Aliases of a domain after `localPart` in order of local part, at most `limit`. */
export function selectAliasesAfter(
  db: Connection,
  domainId: DomainId,
  localPart: string,
  limit: number,
): Alias[] {
  return db
    .all<AliasRow>(
      `SELECT alias.id, local_part || '@' || domain.name AS address, alias.is_enabled,
              (SELECT json_group_array(address ORDER BY position) FROM alias_target WHERE alias_id = alias.id) AS targets
       FROM alias JOIN domain ON domain.id = domain_id
       WHERE domain_id = ? AND local_part > ?
       ORDER BY local_part
       LIMIT ?`,
      domainId,
      localPart,
      limit,
    )
    .map(aliasOf);
}

/** One step: what this address is. */
export function selectResolution(db: Connection, address: string): Resolution {
  const { localPart, domain: name } = splitAddress(address);
  const domain = selectDomain(db, name);
  if (domain === undefined) return { kind: 'foreignDomain' };
  if (!domain.isEnabled) return { kind: 'disabled' };
  const account = selectAccount(db, domain.id, localPart);
  if (account !== undefined) return account.isEnabled ? { kind: 'account', account } : { kind: 'disabled' };
  const alias = selectAlias(db, domain.id, localPart)?.alias;
  if (alias !== undefined) return alias.isEnabled ? { kind: 'alias', alias } : { kind: 'disabled' };
  if (domain.catchAll !== undefined) return { kind: 'catchAll', target: domain.catchAll };
  return { kind: 'unknownAddress' };
}

interface DomainRow {
  readonly id: DomainId;
  readonly name: string;
  readonly is_enabled: number;
  readonly catch_all: string | null;
  readonly aliases: string;
}

interface AccountRow {
  readonly id: AccountId;
  readonly address: string;
  readonly is_enabled: number;
  readonly quota_octets: number | null;
  readonly created_at: UnixMs;
  readonly login_names: string;
}

interface CredentialsRow extends AccountRow {
  readonly password_hash: string;
  readonly is_domain_enabled: number;
}

interface AliasRow {
  readonly id: number;
  readonly address: string;
  readonly is_enabled: number;
  readonly targets: string;
}

function domainOf(row: DomainRow): Domain {
  const { id, name } = row;
  const aliases = JSON.parse(row.aliases) as string[];
  return { id, name, isEnabled: row.is_enabled === 1, aliases, catchAll: row.catch_all ?? undefined };
}

function accountOf(row: AccountRow): Account {
  return {
    id: row.id,
    address: row.address,
    isEnabled: row.is_enabled === 1,
    quotaOctets: row.quota_octets ?? undefined,
    loginNames: JSON.parse(row.login_names) as string[],
    createdAt: row.created_at,
  };
}

function aliasOf(row: AliasRow): Alias {
  const targets = JSON.parse(row.targets) as string[];
  return { address: row.address, targets, isEnabled: row.is_enabled === 1 };
}
