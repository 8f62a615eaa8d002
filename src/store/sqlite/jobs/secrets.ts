/**
 * Jobs that keep sealed secrets. A secret of an account goes with it (ON DELETE CASCADE).
 */

import { MailError } from '../../../base/error.ts';
import type { SecretName } from '../../contract/secrets.ts';
import type { Connection } from '../connection.ts';
import type { JobContext } from './context.ts';

/** Jobs by name. */
export const SECRET_JOBS = {
  setSecret(
    db: Connection,
    { purpose, owner, sealed }: SecretName & { readonly sealed: Uint8Array },
    { now }: JobContext,
  ): void {
    const accountId = typeof owner === 'string' ? null : owner;
    if (accountId !== null && !hasAccount(db, accountId))
      throw new MailError('notFound', 'The account is gone.');
    upsertSecret(db, { purpose, owner: ownerText(owner), accountId, sealed, now });
  },

  removeSecret(db: Connection, { purpose, owner }: SecretName): boolean {
    return db.run('DELETE FROM secret WHERE purpose = ? AND owner = ?', purpose, ownerText(owner)) > 0;
  },
} as const;

/** An owner as its row has it: no name is all digits behind a number sign. */
export function ownerText(owner: SecretName['owner']): string {
  return typeof owner === 'string' ? owner : `#${owner}`;
}

function hasAccount(db: Connection, accountId: number): boolean {
  return db.value('SELECT EXISTS (SELECT 1 FROM account WHERE id = ?)', accountId) === 1;
}

function upsertSecret(
  db: Connection,
  row: {
    readonly purpose: string;
    readonly owner: string;
    readonly accountId: number | null;
    readonly sealed: Uint8Array;
    readonly now: number;
  },
): void {
  db.run(
    `INSERT INTO secret (purpose, owner, account_id, sealed, set_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (purpose, owner) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at`,
    row.purpose,
    row.owner,
    row.accountId,
    row.sealed,
    row.now,
  );
}
