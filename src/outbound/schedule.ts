/**
 * When an item that was deferred is tried again: soon at first, then ever less often, never all at the same moment.
 *
 * RFC 5321 section 4.5.4.1 asks for half an hour at least and lets the first retries come sooner: with the defaults 1, 2, 5, 10, 20,
 * 30 and then every 60 minutes. Pure; the scheduler hands in its source of randomness.
 */

import { DAY_MS } from '../base/units.ts';

/** Waits in multiples of the first one; behind the last each is twice as long as the one before. */
const GROWTH: readonly number[] = [1, 2, 5, 10, 20, 30, 60];
/** A fifth to each side: what was deferred together does not come again together. */
const JITTER = 0.2;
/** The longest wait that a next hop may ask for. */
export const RETRY_AFTER_LIMIT_MS = DAY_MS;

/** How deferred items are tried again. */
export interface RetrySchedule {
  /** The wait after the first attempt. */
  readonly firstRetryMs: number;
  /** No wait is longer, but for jitter and for what the next hop asks for. */
  readonly longestRetryMs: number;
}

/**
 * The wait behind an attempt: the `attempts`th of the item (1 for the first). `random` answers 0 to below 1; `retryAfterMs` is what the
 * next hop asked for, which counts where it is longer.
 */
export function retryDelayMs(
  attempts: number,
  { firstRetryMs, longestRetryMs }: RetrySchedule,
  random: () => number,
  retryAfterMs = 0,
): number {
  const plain = Math.min(firstRetryMs * growthOf(attempts), longestRetryMs);
  const jittered = plain * (1 - JITTER + 2 * JITTER * random());
  return Math.round(Math.max(jittered, Math.min(retryAfterMs, RETRY_AFTER_LIMIT_MS)));
}

function growthOf(attempts: number): number {
  const beyond = Math.max(0, attempts - GROWTH.length);
  const within = GROWTH[Math.max(1, attempts) - 1] ?? GROWTH.at(-1) ?? 1;
  return within * 2 ** Math.min(beyond, 20);
}
