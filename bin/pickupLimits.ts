/**
 * The rows of docs/LIMITS.md for pickup directories: how many files are looked at, taken and remembered, and how long anything waits.
 */

import type { LimitRow } from './limits.ts';

const PICKUP = 'pickup/limits.ts';
const FINISHED = 'a file is finished when it came whole';
const MANY = 'of more files than are watched some are';
const STUCK = 'empty files and files with a second name wait';
const NAMES = 'names are octets';
const BAD = 'what cannot be sent is kept in badmail';
const HEADER = 'a header without its blank line is given more time';
const SHARE = 'a share whose reads fail for a while';
const HANGS = 'a share that hangs is seen in status';

function row(name: string, answer: string, test: string): LimitRow {
  return { name, file: PICKUP, answer, test };
}

/** In the order in which a file meets them. */
export const PICKUP_LIMITS: readonly LimitRow[] = [
  row('SCAN_BATCH_NAMES', 'others have their turn', MANY),
  row('SCAN_REST_SHARE', 'the next look is later', MANY),
  row('LONGEST_SCAN_REST_MS', 'the directory is read again', HANGS),
  row('HINT_SCAN_GAP_MS', 'the next look is later', 'a file that is written elsewhere and renamed'),
  row('KNOWN_FILE_LIMIT', 'the others are looked at in turn, an alarm', MANY),
  row('DUE_FILE_LIMIT', 'the others are looked at next', MANY),
  row('LOOKS_AT_A_TIME', 'the others are looked at next', MANY),
  row('HIDDEN_FILE_LIMIT', 'a rename is not known as one', 'a file that is renamed where no events tell'),
  row('EVENT_LIMIT', 'a file has to be still', 'more events than the kernel is sure to hold'),
  row('MOVED_IN_STILL_MS', 'the file waits', FINISHED),
  row('HEADER_ONLY_SETTLES', 'the file waits', HEADER),
  row('HEADERLESS_SETTLES', 'the file waits', HEADER),
  row('STUCK_LOOK_MS', 'the file waits', STUCK),
  row('NAME_LIMIT_OCTETS', 'a name is cut while its file is taken', NAMES),
  row('SHORT_NAME_LIMIT_OCTETS', 'a name is cut while its file is taken', NAMES),
  row('FILES_UNDER_WAY', 'the others wait for their turn', 'closing waits for files under way'),
  row('READ_BLOCK_OCTETS', 'none: a file is read block by block', 'badmail on another file system'),
  row('CLAIMED_FILE_LIMIT', 'no other file is begun, an alarm', 'as many files as are put off'),
  row('STUCK_ALARM_MS', 'an alarm', STUCK),
  row('SHARE_MEMORY_MS', 'the file waits', 'what other machines write on a share'),
  row('REFUSED_EXPIRY_MS', 'the file goes to badmail', 'a refusal for now ends in badmail'),
  row('UNREADABLE_ALARM_MS', 'an alarm', SHARE),
  row('PAUSE_ALARM_MS', 'an alarm', 'a store that is away pauses'),
  row('SILENT_ALARM_MS', 'an alarm', 'a directory that does not answer'),
  row('BAD_FILE_LIMIT', 'no more are counted and listed', BAD),
  row('BAD_COUNT_AGE_MS', 'they are counted anew', BAD),
  row('BAD_COUNT_DEADLINE_MS', 'an alarm, and what was counted last', HANGS),
  row('NAME_TRIES', 'the file stays claimed, an alarm', 'nothing in badmail is overwritten'),
  row('REASON_LOOK_OCTETS', 'the rest of a reason is not looked at', BAD),
  row('SHOWN_NAME_LIMIT_CHARS', 'the rest is not shown', NAMES),
  row('RECONFIGURE_DEADLINE_MS', 'files stay claimed, and are taken up again', 'directories change while'),
];
