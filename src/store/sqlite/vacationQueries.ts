/**
 * What is asked of the table of vacations, by the Directory view and by the writer's jobs alike.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId } from '../../base/ids.ts';
import type { Vacation } from '../contract/vacation.ts';
import type { Connection } from './connection.ts';
import { selectAddress } from './directoryQueries.ts';

/** A vacation with the account's id. */
export interface StoredVacation {
  readonly accountId: AccountId;
  readonly vacation: Vacation;
}

/** The vacation of this account. */
export function selectVacation(db: Connection, accountId: AccountId): Vacation | undefined {
  const row = db.get<VacationRow>(
    `SELECT account_id, is_enabled, subject, text, starts_at, ends_at, days_between
     FROM vacation
     WHERE account_id = ?`,
    accountId,
  );
  return row && vacationOf(db, row);
}

/** Vacations of accounts after `id`, at most `limit`. */
export function selectVacationsAfter(db: Connection, id: number, limit: number): StoredVacation[] {
  return db
    .all<VacationRow>(
      `SELECT account_id, is_enabled, subject, text, starts_at, ends_at, days_between
       FROM vacation
       WHERE account_id > ?
       ORDER BY account_id
       LIMIT ?`,
      id,
      limit,
    )
    .map((row) => ({ accountId: row.account_id, vacation: vacationOf(db, row) }));
}

interface VacationRow {
  readonly account_id: AccountId;
  readonly is_enabled: number;
  readonly subject: string | null;
  readonly text: string;
  readonly starts_at: UnixMs | null;
  readonly ends_at: UnixMs | null;
  readonly days_between: number;
}

function vacationOf(db: Connection, row: VacationRow): Vacation {
  return {
    account: selectAddress(db, row.account_id) ?? '',
    isEnabled: row.is_enabled === 1,
    ...(row.subject === null ? {} : { subject: row.subject }),
    text: row.text,
    ...(row.starts_at === null ? {} : { startsAt: row.starts_at }),
    ...(row.ends_at === null ? {} : { endsAt: row.ends_at }),
    daysBetween: row.days_between,
  };
}
