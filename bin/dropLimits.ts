/**
 * The rows of docs/LIMITS.md for drop directories: how much is written and looked at, and how long anything waits.
 */

import type { LimitRow } from './limits.ts';

const DROP = 'outbound/drop/limits.ts';
const SILENT = 'a share that does not answer holds nobody up';
const FULL = 'a directory that is full holds back';
const LEFT = 'what a crash left is never opened again';
const MANY = 'a look at very many files ends';
const PAUSE = 'the drop pauses, no attempt is counted';

function row(name: string, answer: string, test: string): LimitRow {
  return { name, file: DROP, answer, test };
}

/** In the order in which a message meets them. */
export const DROP_LIMITS: readonly LimitRow[] = [
  row('FILES_AT_A_TIME', 'the others wait in the queue', 'an application that looks all the time'),
  row(
    'RECIPIENTS_PER_FILE',
    'the others are in another file',
    'recipients go together as far as one MAIL and the limit allow',
  ),
  row('STALL_DEADLINE_MS', PAUSE, SILENT),
  row('ABORTED_STALL_DEADLINE_MS', 'the attempt is given up', SILENT),
  row('STALL_LOOK_MS', 'the next look is later', SILENT),
  row('OTHER_NAMES', PAUSE, 'a repeat finds its own file'),
  row('COUNT_AGE_MS', 'they are counted anew', FULL),
  row('FULL_RETRY_MS', 'the next try is later', FULL),
  row('LOOK_ENTRIES_LIMIT', 'no more are counted', MANY),
  row('AGED_NAMES', 'the age of the others is not asked for', MANY),
  row('LOOK_DEADLINE_MS', 'an alarm: it does not answer', SILENT),
  row('SWEEP_PERIOD_MS', 'the next sweep is later', 'messages are deleted only where that is set'),
  row('LEFTOVER_AGE_MS', 'an unfinished file is removed', LEFT),
];
