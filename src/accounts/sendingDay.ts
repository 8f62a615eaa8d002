/**
 * The day by which submitters are counted: a calendar day of the server's own zone, since that is what an administrator means
 * by today.
 */

import type { UnixMs } from '../base/clock.ts';
import { DAY_MS, MINUTE_MS } from '../base/units.ts';

/** Days since 1970-01-01 at `at`, in the server's zone. */
export function sendingDay(at: UnixMs): number {
  const zoneMinutes = -new Date(at).getTimezoneOffset();
  return Math.floor((at + zoneMinutes * MINUTE_MS) / DAY_MS);
}
