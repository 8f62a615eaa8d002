/**
 * What is asked about the counters of submitters, by the Deliveries view and by the delivering job alike.
 */

import type { SendingSubject, SendingUse } from '../contract/sendingUse.ts';
import type { Connection } from './connection.ts';

const NONE: SendingUse = { messages: 0, recipients: 0 };

/** What a submitter has sent on a day. */
export function selectSendingUse(db: Connection, subject: SendingSubject, day: number): SendingUse {
  return (
    (subject.kind === 'account'
      ? db.get<SendingUse>(
          'SELECT messages, recipients FROM account_sending WHERE account_id = ? AND day = ?',
          subject.accountId,
          day,
        )
      : db.get<SendingUse>(
          'SELECT messages, recipients FROM ip_range_sending WHERE range_name = ? AND day = ?',
          subject.name,
          day,
        )) ?? NONE
  );
}
