/**
 * The limits of the protocol log, each with its reason. What an administrator may set is in the configuration's section
 * protocolLog.
 */

import { HOUR_MS, KIB, MIB, MINUTE_MS, SECOND_MS } from '../../base/units.ts';

/** How long a watch lasts unless told otherwise. */
export const WATCH_DEFAULT_MS = HOUR_MS;
/** The longest watch: a job that runs once a day falls into it, and a watch that was forgotten ends. */
export const WATCH_LIMIT_MS = 25 * HOUR_MS;
/** Watches at one time: each line of a session is held against all of them. */
export const WATCH_LIMIT = 20;
/** Of a session that has not logged in: octets kept until it is known whose it is. A login takes some ten lines. */
export const PENDING_LIMIT_OCTETS = 32 * KIB;
/** The same of all sessions together: 500 clients that talk much and never log in. */
export const ALL_PENDING_LIMIT_OCTETS = 16 * MIB;
/** Lines of one answer that are written, where they are of one kind: LIST of 100,000 messages says no more than its beginning. */
export const ROW_LIMIT = 100;
/** Octets that wait for the disk; what comes beyond them is dropped and counted, no session waits. */
export const QUEUE_LIMIT_OCTETS = 4 * MIB;
/** Files that share protocolLog.sizeLimitOctets: the oldest goes when a new one would be too much. */
export const FILE_COUNT = 10;
/** How often files that are too old are looked for. */
export const PRUNE_PERIOD_MS = HOUR_MS;
/** Lines kept in memory for `show --follow`; a reader that is slower misses some, and is told how many. */
export const RECENT_LIMIT = 2000;
/** Lines in one answer to a reader that follows. */
export const FOLLOW_BATCH_LINES = 500;
/** How long a reader that follows waits for a line before it asks again: below the control socket's own deadline. */
export const FOLLOW_WAIT_MS = 20 * SECOND_MS;
/** Readers that follow at one time: each holds one of the control socket's connections. */
export const FOLLOWER_LIMIT = 8;
/** A fault of the disk is in the main log once in this time. */
export const FAULT_PERIOD_MS = MINUTE_MS;
