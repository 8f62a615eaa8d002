/**
 * What bounds work in a drop directory, each with its reason. What an administrator may change stands in the configuration (`[[drops]]`).
 */

import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/units.ts';

/**
 * Files that are written at a time. Node makes calls of the file system in threads (bin/hauspost.js), and a share that does not answer
 * keeps as many of them as there are files under way: the others must go on.
 */
export const FILES_AT_A_TIME = 2;
/** Recipients of one file; the most that the queue leases together. A message with more becomes several files. */
export const RECIPIENTS_PER_FILE = 1000;
/** Entries of a directory that are looked at: names are read in the order of the file system, and a look has to end. */
export const LOOK_ENTRIES_LIMIT = 200_000;
/** How long a count of the files is good for, with what was written since added to it. */
export const COUNT_AGE_MS = 10 * SECOND_MS;
/** How long a full directory is left alone before it is counted again. */
export const FULL_RETRY_MS = 30 * SECOND_MS;
/** Of the lowest names so many are asked for their age; what was put off is younger than its name says. */
export const AGED_NAMES = 32;
/** Other names that are tried where one is taken by a file that is not ours. */
export const OTHER_NAMES = 20;
/** How often files that a crash left unfinished, and those that nobody fetched in time, are looked for. */
export const SWEEP_PERIOD_MS = 10 * MINUTE_MS;
/** The age of an unfinished file that no attempt writes any more: an attempt has an hour (ATTEMPT_DEADLINE_MS). */
export const LEFTOVER_AGE_MS = 2 * HOUR_MS;
/** How long a file may make no progress before the directory counts as away: a disk under load takes seconds. */
export const STALL_DEADLINE_MS = 2 * MINUTE_MS;
/** How long it may make none once the attempt was ended: the server stops. */
export const ABORTED_STALL_DEADLINE_MS = 5 * SECOND_MS;
/** How often it is looked at whether a file makes progress. */
export const STALL_LOOK_MS = SECOND_MS;
/** How long a look, for status and `drop test`, waits for the directory. */
export const LOOK_DEADLINE_MS = 10 * SECOND_MS;
