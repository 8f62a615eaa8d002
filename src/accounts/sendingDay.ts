/**
 * The day by which submitters are counted: a calendar day of the server's own zone, since that is what an administrator means
 * by today.
 */

import type { Clock, UnixMs } from '../base/clock.ts';
import { DAY_MS, MINUTE_MS } from '../base/units.ts';
import type { Deliveries } from '../store/contract/deliveries.ts';
import type { SendingSubject, SendingUse } from '../store/contract/sendingUse.ts';

/** Days since 1970-01-01 at `at`, in the server's zone. */
export function sendingDay(at: UnixMs): number {
  const zoneMinutes = -new Date(at).getTimezoneOffset();
  return Math.floor((at + zoneMinutes * MINUTE_MS) / DAY_MS);
}

/** Asks what a submitter has sent today. */
export type SentToday = (subject: SendingSubject) => Promise<SendingUse>;

/** Asks the store, by this clock's day. */
export function createSentToday(
  deliveries: Pick<Deliveries, 'sendingUse'>,
  clock: Pick<Clock, 'now'>,
): SentToday {
  return (subject) => deliveries.sendingUse(subject, sendingDay(clock.now()));
}
