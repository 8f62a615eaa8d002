/**
 * Jobs that change where accounts forward their mail. A forward goes with its account.
 */

import { MailError } from '../../../base/error.ts';
import type { AccountId } from '../../../base/ids.ts';
import type { Forward, ForwardChanges } from '../../contract/routing.ts';
import type { Connection } from '../connection.ts';
import { selectForward } from '../routingQueries.ts';
import type { JobContext } from './context.ts';
import { requireAccount } from './directoryAccounts.ts';

/** Jobs by name. */
export const FORWARD_JOBS = {
  addForward(db: Connection, forward: Forward, context: JobContext): Forward {
    const { id, address } = requireAccount(db, forward.account);
    if (selectForward(db, id) !== undefined)
      throw new MailError('conflict', `“${address}” forwards its mail already.`);
    insertForward(db, id, forward);
    insertTargets(db, id, forward.targets);
    context.publish({ kind: 'directory' });
    return requireForward(db, id, address);
  },

  setForward(
    db: Connection,
    { account, changes }: { readonly account: string; readonly changes: ForwardChanges },
    context: JobContext,
  ): Forward {
    const { id, address } = requireAccount(db, account);
    updateForward(db, id, { ...requireForward(db, id, address), ...changes });
    if (changes.targets !== undefined) {
      deleteTargets(db, id);
      insertTargets(db, id, changes.targets);
    }
    context.publish({ kind: 'directory' });
    return requireForward(db, id, address);
  },

  removeForward(db: Connection, account: string, context: JobContext): void {
    const { id, address } = requireAccount(db, account);
    requireForward(db, id, address);
    deleteForward(db, id);
    context.publish({ kind: 'directory' });
  },
} as const;

function requireForward(db: Connection, id: AccountId, address: string): Forward {
  const forward = selectForward(db, id);
  if (forward === undefined) throw new MailError('notFound', `“${address}” does not forward its mail.`);
  return forward;
}

function insertTargets(db: Connection, id: AccountId, targets: readonly string[]): void {
  if (targets.length === 0) throw new MailError('invalid', 'A forward has one target at least.');
  [...new Set(targets)].forEach((target, position) => {
    insertTarget(db, id, position, target);
  });
}

function insertForward(db: Connection, id: AccountId, { keepsCopy, isEnabled }: Forward): void {
  db.run(
    'INSERT INTO forward (account_id, keeps_copy, is_enabled) VALUES (?, ?, ?)',
    id,
    keepsCopy ? 1 : 0,
    isEnabled ? 1 : 0,
  );
}

function updateForward(db: Connection, id: AccountId, { keepsCopy, isEnabled }: Forward): void {
  db.run(
    'UPDATE forward SET keeps_copy = ?, is_enabled = ? WHERE account_id = ?',
    keepsCopy ? 1 : 0,
    isEnabled ? 1 : 0,
    id,
  );
}

function deleteTargets(db: Connection, id: AccountId): void {
  db.run('DELETE FROM forward_target WHERE account_id = ?', id);
}

function insertTarget(db: Connection, id: AccountId, position: number, address: string): void {
  db.run(
    'INSERT INTO forward_target (account_id, position, address) VALUES (?, ?, ?)',
    id,
    position,
    address,
  );
}

function deleteForward(db: Connection, id: AccountId): void {
  db.run('DELETE FROM forward WHERE account_id = ?', id);
}
