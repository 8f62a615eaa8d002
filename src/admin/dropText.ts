/**
 * Drop directories in words, for `hauspost drop` and `hauspost status`.
 */

import type { DropReport } from './dropReport.ts';
import { formatFields, formatOctets, formatTable, timeText } from './table.ts';

/** A line for each drop, and below it why those do not run that do not. */
export function dropTable(reports: readonly DropReport[]): string {
  const rows = reports.map((report) => [
    report.name,
    stateText(report),
    String(report.items.waiting + report.items.leased),
    String(report.items.held),
    report.files === null ? '-' : String(report.files),
    timeText(report.oldestFileAt),
    timeText(report.lastWrittenAt),
    report.directory ?? '-',
  ]);
  const headings = ['DROP', 'STATE', 'WAITING', 'HELD', 'FILES', 'OLDEST FILE', 'LAST WRITTEN', 'DIRECTORY'];
  const notes = reports
    .filter(({ reason }) => reason !== null)
    .map(
      ({ name, reason, advice }) => `${name}: ${reason}${advice === null ? '' : `\n  To do: ${advice}`}\n`,
    );
  return `${formatTable(headings, rows, 'No drop directories.')}${notes.join('')}`;
}

/** All of one drop. */
export function dropFields(report: DropReport): string {
  const fields: Record<string, string> = {
    Name: report.name,
    Directory: report.directory ?? 'not in the configuration',
    ...(report.preset === null ? {} : { Preset: report.preset }),
    State: stateText(report),
    ...(report.reason === null ? {} : { Why: report.reason }),
    ...(report.advice === null ? {} : { 'To do': report.advice }),
    ...(report.heldSince === null ? {} : { 'Held since': timeText(report.heldSince) }),
    ...(report.nextTryAt === null ? {} : { 'Next try': timeText(report.nextTryAt) }),
    Waiting: `${report.items.waiting}, under way ${report.items.leased}, held ${report.items.held}`,
    ...(report.oldestAt === null ? {} : { Oldest: timeText(report.oldestAt) }),
    Files: report.files === null ? 'not known' : String(report.files),
    ...(report.oldestFileAt === null ? {} : { 'Oldest file': timeText(report.oldestFileAt) }),
    'Free space': report.freeOctets === null ? 'not known' : formatOctets(report.freeOctets),
    'Recipients today': report.recipientsToday === null ? '-' : String(report.recipientsToday),
    'Last written': report.lastWrittenAt === null ? 'not since the start' : timeText(report.lastWrittenAt),
    Limits: limitsText(report),
  };
  return `${formatFields(fields)}${report.alarms.map((alarm) => `alarm: ${alarm}\n`).join('')}`;
}

function stateText({ state, heldBy }: DropReport): string {
  return heldBy === null ? state : `${state} (${heldBy})`;
}

function limitsText({ fileLimit, ageLimitHours, deleteAfterHours, sizeLimitOctets }: DropReport): string {
  const limits = [
    fileLimit === 0 ? undefined : `${fileLimit} files`,
    ageLimitHours === 0 ? undefined : `an alarm after ${ageLimitHours} hours`,
    deleteAfterHours === 0 ? undefined : `deleted after ${deleteAfterHours} hours`,
    sizeLimitOctets === 0 ? undefined : `${formatOctets(sizeLimitOctets)} a message`,
  ].filter((limit) => limit !== undefined);
  return limits.length === 0 ? 'none' : limits.join(', ');
}
