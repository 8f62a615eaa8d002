/**
 * Warnings about what comes by the thousand: floods shall not fill the log.
 */

import type { Clock } from '../base/clock.ts';
import { SECOND_MS } from '../base/units.ts';

/** Warnings of one kind are written once in this time, with how many there were. */
export const WARNING_PERIOD_MS = 10 * SECOND_MS;

/** `write` at most once per WARNING_PERIOD_MS, with the number of calls since it was last called as `times`. */
export function oncePerPeriod(
  clock: Clock,
  write: (fields: Record<string, unknown>) => void,
): (fields: Record<string, unknown>) => void {
  let times = 0;
  let writtenMs = Number.NEGATIVE_INFINITY;
  return (fields) => {
    times += 1;
    if (clock.monotonic() - writtenMs < WARNING_PERIOD_MS) return;
    write({ ...fields, times });
    times = 0;
    writtenMs = clock.monotonic();
  };
}
