/**
 * Jobs that change what accounts answer by themselves. A vacation goes with its account.
 */

import { MailError } from '../../../base/error.ts';
import type { AccountId } from '../../../base/ids.ts';
import type { Vacation } from '../../contract/vacation.ts';
import type { Connection } from '../connection.ts';
import { selectVacation } from '../vacationQueries.ts';
import type { JobContext } from './context.ts';
import { requireAccount } from './directoryAccounts.ts';

/** Jobs by name. */
export const VACATION_JOBS = {
  setVacation(db: Connection, vacation: Vacation, context: JobContext): Vacation {
    const { id, address } = requireAccount(db, vacation.account);
    replaceVacation(db, id, vacation);
    context.publish({ kind: 'directory' });
    return requireVacation(db, id, address);
  },

  removeVacation(db: Connection, account: string, context: JobContext): void {
    const { id, address } = requireAccount(db, account);
    requireVacation(db, id, address);
    deleteVacation(db, id);
    context.publish({ kind: 'directory' });
  },
} as const;

function requireVacation(db: Connection, id: AccountId, address: string): Vacation {
  const vacation = selectVacation(db, id);
  if (vacation === undefined)
    throw new MailError('notFound', `“${address}” answers nobody by itself: no vacation is set.`);
  return vacation;
}

function replaceVacation(db: Connection, id: AccountId, vacation: Vacation): void {
  db.run(
    `INSERT OR REPLACE INTO vacation (account_id, is_enabled, subject, text, starts_at, ends_at, days_between)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    id,
    vacation.isEnabled ? 1 : 0,
    vacation.subject ?? null,
    vacation.text,
    vacation.startsAt ?? null,
    vacation.endsAt ?? null,
    vacation.daysBetween,
  );
}

function deleteVacation(db: Connection, id: AccountId): void {
  db.run('DELETE FROM vacation WHERE account_id = ?', id);
}
