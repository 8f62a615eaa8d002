/**
 * What bounds sending, each with its reason: how long an attempt may take, and how much of the queue is in memory.
 *
 * What an administrator may change is in contract.ts (a relay's limits) and in the configuration (`queue.*`).
 */

import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/units.ts';

/**
 * One attempt in all. RFC 5321 section 4.5.3.2 adds up to 30 minutes with the 10 for the final reply; a message of 150 MB over a slow line
 * takes as long again.
 */
export const ATTEMPT_DEADLINE_MS = HOUR_MS;
/** How long a relay may take to end after its attempt was ended; one that takes longer is at fault, and its outcome unknown. */
export const ABORT_GRACE_MS = 30 * SECOND_MS;
/** How long items are leased: a wait and a whole attempt fit in, with time to spare. */
export const LEASE_MS = 2 * HOUR_MS;
/** How long leased items may wait for their turn; then they go back. */
export const WINDOW_WAIT_MS = 30 * MINUTE_MS;
/** Messages leased at a time, for each transaction that there may be. */
export const LEASED_MESSAGES_PER_TRANSACTION = 4;
/** Messages of one lease at most. */
export const LEASED_MESSAGES_LIMIT = 100;
/** Items of one hop that wait in memory: more are leased only below it, however many wait in the queue. */
export const WINDOW_ITEM_LIMIT = 1000;
/** The longest wait of a timer: a calendar that was set forward is noticed by then. */
export const TIMER_LIMIT_MS = 10 * MINUTE_MS;
/** The first wait for a store that takes no settlement; each further one is twice as long. */
export const SETTLE_RETRY_MS = SECOND_MS;
/** The longest one. */
export const SETTLE_RETRY_LIMIT_MS = 30 * SECOND_MS;
/** How long a scheduler waits when the store fails it. */
export const STORE_RETRY_MS = 10 * SECOND_MS;
/** How often the ages of what waits are looked at, as long as something waits. */
export const AGING_PERIOD_MS = 5 * MINUTE_MS;
/** Items that are told of or expire at a time. */
export const AGING_BATCH_ITEMS = 100;
/**
 * What is overdue after a start, or when the calendar was set, gets so long to leave before it expires: a server that was off over
 * some days must not return all that waited.
 */
export const EXPIRY_GRACE_MS = HOUR_MS;
/** A calendar that moves by more than this against the monotonic clock was set by somebody. */
export const CALENDAR_JUMP_MS = MINUTE_MS;
/** Of the time that closing may take, so much at most is kept for attempts that have to be ended. */
export const CLOSE_ABORT_MS = 3 * SECOND_MS;
/** How long attempts of a relay may go on that a reload has taken out of the configuration. */
export const REMOVED_RELAY_DEADLINE_MS = MINUTE_MS;
