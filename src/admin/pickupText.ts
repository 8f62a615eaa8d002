/**
 * Pickup directories in words, for `hauspost pickup` and `hauspost status`.
 *
 * Trust: names of files are whatever somebody wrote; the room shows them escaped, and table.ts once more.
 */

import type { UnixMs } from '../base/clock.ts';
import type { BadFile, PickupRetry } from '../pickup/contract.ts';
import type { PickupReport } from './pickupReport.ts';
import { formatFields, formatOctets, formatTable, timeText } from './table.ts';

/** A line for each directory, and below it why those cannot be read that cannot. */
export function pickupTable(reports: readonly PickupReport[]): string {
  const rows = reports.map((report) => [
    report.name,
    report.state,
    report.directory,
    String(report.waiting),
    String(report.deferred),
    timeText(report.oldestWaitingSince),
    String(report.taken),
    report.lastFile === null ? '-' : timeText(report.lastFile.at),
    String(report.bad),
  ]);
  const headings = [
    'PICKUP',
    'STATE',
    'DIRECTORY',
    'WAITING',
    'DEFERRED',
    'OLDEST',
    'TAKEN',
    'LAST TAKEN',
    'BAD',
  ];
  const notes = reports
    .filter(({ reason }) => reason !== null)
    .map(({ name, reason }) => `${name}: ${reason}\n`);
  return `${formatTable(headings, rows, 'No pickup directories.')}${notes.join('')}`;
}

/** All of one directory. */
export function pickupFields(report: PickupReport): string {
  const { lastFile, messagesPerMinuteLimit: limit } = report;
  const fields: Record<string, string> = {
    Name: report.name,
    Preset: report.preset ?? 'none',
    Kind: report.kind,
    Directory: report.directory,
    Badmail: report.badmailDirectory,
    State: report.state === 'paused' ? 'paused (maintenance)' : report.state,
    ...(report.reason === null ? {} : { Why: report.reason }),
    Waiting: waitingText(report),
    Deferred: report.deferred === 0 ? 'none' : `${countText(report.deferred, 'file')}, tried again and again`,
    Taken: `${countText(report.taken, 'message')} since the start, ${report.takenLastMinute} in the last minute`,
    'Last taken': lastFile === null ? 'none since the start' : `${lastFile.name} at ${timeText(lastFile.at)}`,
    Bad: report.bad === 0 ? 'none' : `${countText(report.bad, 'file')}${sinceText(report.oldestBadAt)}`,
    Senders: `${patternsText(report.senders)}${report.rewriteSender === null ? '' : `; others become ${report.rewriteSender}`}`,
    Recipients: patternsText(report.recipients),
    'Mail for others': report.relay === null ? 'goes as routes say' : `goes by relay:${report.relay}`,
    Limit: limit === 0 ? 'none' : `${limit} messages a minute`,
  };
  return `${formatFields(fields)}${report.alarms.map((alarm) => `alarm: ${alarm}\n`).join('')}`;
}

function waitingText({ waiting, unfinished, oldestWaitingSince }: PickupReport): string {
  if (waiting === 0) return 'none';
  const writing = unfinished === 0 ? '' : `, ${unfinished} of them still being written`;
  return `${countText(waiting, 'file')}${writing}${sinceText(oldestWaitingSince)}`;
}

function sinceText(oldest: UnixMs | null): string {
  return oldest === null ? '' : `, the oldest since ${timeText(oldest)}`;
}

/** Patterns as the configuration has them; the one that is everybody says so. */
function patternsText(patterns: readonly string[]): string {
  const words: Readonly<Record<string, string>> = { '*': 'anybody', local: 'our domains (local)' };
  return patterns.map((pattern) => words[pattern] ?? pattern).join(', ');
}

/** Bad files, each with the first line of its reason. */
export function badFileTable(files: readonly BadFile[]): string {
  const rows = files.map(({ file, octets, at, reason }) => [
    timeText(at),
    formatOctets(octets),
    file,
    reason ?? 'no reason is kept beside it',
  ]);
  return formatTable(['SINCE', 'SIZE', 'FILE', 'REASON'], rows, 'No bad files.');
}

/** What a retry did. */
export function retryText(name: string, { moved, failed }: PickupRetry): string {
  const lines = [
    ...moved.map((file) => `${file} is back in ${name} and is taken as soon as it may be.`),
    ...failed.map(({ file, reason }) => `${file} is not put back: ${reason}.`),
    ...(moved.length + failed.length === 0
      ? [`${name} is looked at now; what could not be taken is tried again.`]
      : []),
  ];
  return `${lines.join('\n')}\n`;
}

function countText(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
