/**
 * What a submitter has sent today, by the day of the server's own zone.
 */

import { calendarDay } from '../base/calendarDay.ts';
import type { Clock } from '../base/clock.ts';
import type { Deliveries } from '../store/contract/deliveries.ts';
import type { SendingSubject, SendingUse } from '../store/contract/sendingUse.ts';

/** Asks what a submitter has sent today. */
export type SentToday = (subject: SendingSubject) => Promise<SendingUse>;

/** Asks the store, by this clock's day. */
export function createSentToday(
  deliveries: Pick<Deliveries, 'sendingUse'>,
  clock: Pick<Clock, 'now'>,
): SentToday {
  return (subject) => deliveries.sendingUse(subject, calendarDay(clock.now()));
}
