/**
 * What bounds the picking up of files, each with its reason: how many are looked at, taken and remembered at a time, and how long
 * anything waits.
 *
 * What an administrator may change is in contract.ts (a directory's rules).
 */

import { DAY_MS, KIB, MINUTE_MS, SECOND_MS } from '../base/units.ts';

/** Names that are read from a directory before others have their turn. */
export const SCAN_BATCH_NAMES = 256;
/** Files of one directory that are watched at a time, some 5 MB of memory; the others are counted, and looked at in their turn. */
export const KNOWN_FILE_LIMIT = 10_000;
/** Files with the names of unfinished ones that are watched, to see them renamed. */
export const HIDDEN_FILE_LIMIT = 1000;
/** File events between two looks at the directory; beyond them the kernel's own queue (16,384) may have lost some. */
export const EVENT_LIMIT = 4000;
/** How long a file that was moved in has to be the same: whoever writes to it would be seen. */
export const MOVED_IN_STILL_MS = 250;
/** A file without the blank line behind its header is still for so many times as long: it may be cut off in its header. */
export const HEADER_ONLY_SETTLES = 3;
/** A file that has no header at all is still for so many times as long before it is taken, and found to be bad. */
export const HEADERLESS_SETTLES = 12;
/** How long a file that does not get finished is left alone between two looks, an event aside. */
export const STUCK_LOOK_MS = 30 * SECOND_MS;
/** Events may call for a look at the directory; so long, at least, is between two of them. */
export const HINT_SCAN_GAP_MS = 100;
/** A directory rests so many times as long as reading it took: a large one costs a tenth of one core at most. */
export const SCAN_REST_SHARE = 10;
/** And no longer than this: a share that hung for an hour has not been work for an hour. */
export const LONGEST_SCAN_REST_MS = 30 * SECOND_MS;
/** Files that are looked at before the directory may have its turn again. */
export const DUE_FILE_LIMIT = 512;
/** Files that are looked at side by side; a share that hangs keeps a thread for each (bin/hauspost.js). */
export const LOOKS_AT_A_TIME = 16;
/** Files of one directory that are taken at a time: their messages share a sync, and with more of them little is won. */
export const FILES_UNDER_WAY = 16;
/** Files of one directory that are claimed and put off; beyond them nothing new is claimed. */
export const CLAIMED_FILE_LIMIT = 1000;
/** Waits of a file that was put off; the last one holds for all that follow. */
export const RETRY_WAITS_MS = [
  SECOND_MS,
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  5 * MINUTE_MS,
] as const;
/** After so long a file that cannot be taken is an alarm: what passes by itself has passed by then. */
export const STUCK_ALARM_MS = 10 * MINUTE_MS;
/** How long a share may answer with what a file was before (NFS: `acregmax`, 60 s). */
export const SHARE_MEMORY_MS = MINUTE_MS;
/**
 * A file that is refused for now for so long, as by a full mailbox, goes to badmail: the queue gives its mail up after as long, and
 * files that nobody will ever take must not keep their places from others.
 */
export const REFUSED_EXPIRY_MS = 2 * DAY_MS;
/** After so long a file that may not be opened is an alarm: nobody mends rights but a person. */
export const UNREADABLE_ALARM_MS = MINUTE_MS;
/** After so long a pause is an alarm in which nothing is taken, whatever the file. */
export const PAUSE_ALARM_MS = MINUTE_MS;
/** After so long a directory that has not answered is an alarm: a share whose server is gone hangs instead of failing. */
export const SILENT_ALARM_MS = 30 * SECOND_MS;
/** Files in badmail that are counted and looked at; beyond them the count says no more than that there are so many. */
export const BAD_FILE_LIMIT = 10_000;
/** How long the count of badmail holds, which other programs may change as well. */
export const BAD_COUNT_AGE_MS = 30 * SECOND_MS;
/** How long whoever asks for a directory's status waits for that count: on a share whose server is gone it never comes. */
export const BAD_COUNT_DEADLINE_MS = 2 * SECOND_MS;
/** Octets of a file that are read at a time. */
export const READ_BLOCK_OCTETS = 64 * KIB;
/** Octets of a reason file that are read to show its first line. */
export const REASON_LOOK_OCTETS = 4 * KIB;
/** Names that are tried for a file in badmail; with the id of its claim and a number in them the first or second is free. */
export const NAME_TRIES = 100;
/** Octets of a file name, as nearly every file system has it. */
export const NAME_LIMIT_OCTETS = 255;
/** Octets of a claim's name where 255 are too many: file systems that encrypt names have 143. */
export const SHORT_NAME_LIMIT_OCTETS = 140;
/** Characters of a file name that are shown. */
export const SHOWN_NAME_LIMIT_CHARS = 200;
/** How long files under way may take to end when their directory's rules change. */
export const RECONFIGURE_DEADLINE_MS = 30 * SECOND_MS;
