/**
 * Jobs that change accounts. An account comes with its first mailboxes and goes with all of them, in one savepoint.
 *
 * A login name means one account: it stands once, and is not the address of another account, whichever name of the domain
 * is used.
 */

import { MailError } from '../../../base/error.ts';
import type { AccountId, DomainId } from '../../../base/ids.ts';
import type { Account, AccountChanges, Domain, NewAccount } from '../../contract/directory.ts';
import type { Connection } from '../connection.ts';
import {
  selectAccountByAddress,
  selectAccountId,
  selectDomainHead,
  selectLoginNameOwner,
  splitAddress,
} from '../directoryQueries.ts';
import type { JobContext } from './context.ts';
import { requireDomain } from './directoryDomains.ts';
import { deleteMailboxesOf, insertFirstMailboxes } from './mailboxRows.ts';
import { refuseTakenAddress } from './takenAddresses.ts';

/** Jobs by name. */
export const ACCOUNT_JOBS = {
  addAccount(db: Connection, account: NewAccount, context: JobContext): Account {
    const { localPart, domain: name } = splitAddress(account.address);
    const domain = requireDomain(db, name);
    refuseTakenAddress(db, domain, localPart, 'account');
    refuseLoginName(db, domain, localPart);
    const id = insertAccount(db, domain.id, localPart, account, context);
    insertLoginNames(db, id, account.loginNames ?? []);
    setSettings(db, id, account.settings ?? {});
    insertFirstMailboxes(db, id, context);
    context.publish({ kind: 'directory' });
    return requireAccount(db, account.address);
  },

  setAccount(
    db: Connection,
    { address, changes }: { readonly address: string; readonly changes: AccountChanges },
    context: JobContext,
  ): Account {
    const { id } = requireAccount(db, address);
    apply(db, id, changes);
    context.publish({ kind: 'directory' });
    return requireAccount(db, address);
  },

  removeAccount(db: Connection, address: string, context: JobContext): void {
    const { id } = requireAccount(db, address);
    deleteMailboxesOf(db, id, context);
    deleteAccount(db, id);
    context.publish({ kind: 'directory' });
  },
} as const;

/** Refuses an address that is somebody's login name. Errors: `conflict`. */
function refuseLoginName(db: Connection, domain: Domain, localPart: string): void {
  for (const name of [domain.name, ...domain.aliases]) {
    if (selectLoginNameOwner(db, `${localPart}@${name}`) === undefined) continue;
    throw new MailError('conflict', `“${localPart}@${name}” is a login name of another account already.`);
  }
}

/** The account of this address. Errors: `notFound`. */
export function requireAccount(db: Connection, address: string): Account {
  const account = selectAccountByAddress(db, address);
  if (account === undefined) throw new MailError('notFound', `There is no account “${address}”.`);
  return account;
}

function apply(db: Connection, id: AccountId, changes: AccountChanges): void {
  const { isEnabled, quotaOctets, loginNames, settings = {}, passwordHash } = changes;
  if (isEnabled !== undefined) updateEnabled(db, id, isEnabled);
  if (quotaOctets !== undefined) updateQuota(db, id, quotaOctets);
  if (passwordHash !== undefined) updatePasswordHash(db, id, passwordHash);
  setSettings(db, id, settings);
  if (loginNames === undefined) return;
  deleteLoginNames(db, id);
  insertLoginNames(db, id, loginNames);
}

function setSettings(db: Connection, id: AccountId, settings: Readonly<Record<string, string | null>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value === null) deleteSetting(db, id, name);
    else upsertSetting(db, id, name, value);
  }
}

function insertLoginNames(db: Connection, id: AccountId, names: readonly string[]): void {
  for (const name of new Set(names)) {
    const { localPart, domain } = splitAddress(name);
    const addressed = selectDomainHead(db, domain);
    const owner =
      (addressed && selectAccountId(db, addressed.id, localPart)) ?? selectLoginNameOwner(db, name);
    if (owner !== undefined && owner !== id) {
      throw new MailError('conflict', `“${name}” logs in to another account already.`);
    }
    insertLoginName(db, id, name);
  }
}

function insertAccount(
  db: Connection,
  domainId: DomainId,
  localPart: string,
  { quotaOctets, passwordHash }: NewAccount,
  { now }: JobContext,
): AccountId {
  return db.value(
    `INSERT INTO account (domain_id, local_part, is_enabled, quota_octets, password_hash, created_at)
     VALUES (?, ?, 1, ?, ?, ?)
     RETURNING id`,
    domainId,
    localPart,
    quotaOctets ?? null,
    passwordHash,
    now,
  ) as AccountId;
}

function updateEnabled(db: Connection, id: AccountId, isEnabled: boolean): void {
  db.run('UPDATE account SET is_enabled = ? WHERE id = ?', isEnabled ? 1 : 0, id);
}

function updateQuota(db: Connection, id: AccountId, quotaOctets: number | null): void {
  db.run('UPDATE account SET quota_octets = ? WHERE id = ?', quotaOctets, id);
}

function updatePasswordHash(db: Connection, id: AccountId, passwordHash: string): void {
  db.run('UPDATE account SET password_hash = ? WHERE id = ?', passwordHash, id);
}

function deleteLoginNames(db: Connection, id: AccountId): void {
  db.run('DELETE FROM login_name WHERE account_id = ?', id);
}

function insertLoginName(db: Connection, id: AccountId, name: string): void {
  db.run('INSERT INTO login_name (name, account_id) VALUES (?, ?)', name, id);
}

function upsertSetting(db: Connection, id: AccountId, name: string, value: string): void {
  db.run(
    `INSERT INTO account_setting (account_id, name, value) VALUES (?, ?, ?)
     ON CONFLICT (account_id, name) DO UPDATE SET value = excluded.value`,
    id,
    name,
    value,
  );
}

function deleteSetting(db: Connection, id: AccountId, name: string): void {
  db.run('DELETE FROM account_setting WHERE account_id = ? AND name = ?', id, name);
}

function deleteAccount(db: Connection, id: AccountId): void {
  db.run('DELETE FROM account WHERE id = ?', id);
}
