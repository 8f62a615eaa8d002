/**
 * Days by which use is counted: calendar days of the server's own zone, since that is what an administrator means by today.
 *
 * A day has 23 to 25 hours where clocks are changed. Called by whoever counts by the day: submission, relays.
 */

import { type UnixMs, unixMs } from './clock.ts';
import { DAY_MS, MINUTE_MS } from './units.ts';

/** Days since 1970-01-01 at `at`, in the server's zone. */
export function calendarDay(at: UnixMs): number {
  const zoneMinutes = -new Date(at).getTimezoneOffset();
  return Math.floor((at + zoneMinutes * MINUTE_MS) / DAY_MS);
}

/** When the day of `at` is over, in the server's zone. */
export function calendarDayEnd(at: UnixMs): UnixMs {
  const date = new Date(at);
  return unixMs(new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1));
}
