/**
 * Counts what a submitter sends, in the delivery that it belongs to. A submitter that went meanwhile is not counted, and neither is a
 * message that began before midnight and ends behind one of the new day: the new day's count stands.
 */

import { MailError } from '../../../base/error.ts';
import type { AccountId } from '../../../base/ids.ts';
import type { PlannedSendingUse } from '../../contract/sendingUse.ts';
import type { Connection } from '../connection.ts';
import { selectSendingUse } from '../sendingUseQueries.ts';

/** Counts a message for the day, of whose recipients `duplicates` had it before. Errors: `sendingLimit`. */
export function countSendingUse(
  db: Connection,
  planned: PlannedSendingUse | undefined,
  duplicates: number,
): void {
  if (planned === undefined) return;
  const { subject, day, recipientsPerDayLimit } = planned;
  const added = planned.recipients - duplicates;
  if (added <= 0) return;
  const before = selectSendingUse(db, subject, day);
  if (recipientsPerDayLimit !== undefined && before.recipients + added > recipientsPerDayLimit)
    throw new MailError(
      'sendingLimit',
      `${before.recipients} of ${recipientsPerDayLimit} recipients a day are used`,
    );
  const messages = before.messages + 1;
  const recipients = before.recipients + added;
  if (subject.kind === 'account') upsertAccount(db, subject.accountId, day, messages, recipients);
  else upsertRange(db, subject.name, day, messages, recipients);
}

function upsertAccount(
  db: Connection,
  id: AccountId,
  day: number,
  messages: number,
  recipients: number,
): void {
  db.run(
    `INSERT INTO account_sending (account_id, day, messages, recipients)
     SELECT id, ?, ?, ? FROM account WHERE id = ?
     ON CONFLICT (account_id) DO UPDATE
     SET day = excluded.day, messages = excluded.messages, recipients = excluded.recipients
     WHERE account_sending.day <> excluded.day + 1`,
    day,
    messages,
    recipients,
    id,
  );
}

function upsertRange(db: Connection, name: string, day: number, messages: number, recipients: number): void {
  db.run(
    `INSERT INTO ip_range_sending (range_name, day, messages, recipients)
     SELECT name, ?, ?, ? FROM ip_range WHERE name = ?
     ON CONFLICT (range_name) DO UPDATE
     SET day = excluded.day, messages = excluded.messages, recipients = excluded.recipients
     WHERE ip_range_sending.day <> excluded.day + 1`,
    day,
    messages,
    recipients,
    name,
  );
}
