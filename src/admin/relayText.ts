/**
 * Relays in words, for `hauspost relay` and `hauspost status`.
 */

import type { RelayReport } from './relayReport.ts';
import { formatFields, formatOctets, formatTable, timeText } from './table.ts';

/** A line for each relay, and below it why those do not run that do not. */
export function relayTable(reports: readonly RelayReport[]): string {
  const rows = reports.map((report) => [
    report.name,
    stateText(report),
    report.target,
    String(report.items.waiting + report.items.leased),
    String(report.items.held),
    timeText(report.oldestAt),
    todayText(report),
    timeText(report.lastRelayedAt),
  ]);
  const headings = ['RELAY', 'STATE', 'TO', 'WAITING', 'HELD', 'OLDEST', 'TODAY', 'LAST SENT'];
  const notes = reports
    .filter(({ reason }) => reason !== null)
    .map(
      ({ name, reason, advice }) => `${name}: ${reason}${advice === null ? '' : `\n  To do: ${advice}`}\n`,
    );
  return `${formatTable(headings, rows, 'No relays: nothing is sent to other servers.')}${notes.join('')}`;
}

/** All of one relay. */
export function relayFields(report: RelayReport): string {
  const fields: Record<string, string> = {
    Name: report.name,
    Preset: report.preset ?? 'none',
    Way: report.way ?? 'not in the configuration',
    To: report.target,
    Login: report.login,
    State: stateText(report),
    ...(report.reason === null ? {} : { Why: report.reason }),
    ...(report.advice === null ? {} : { 'To do': report.advice }),
    ...(report.heldSince === null ? {} : { 'Held since': timeText(report.heldSince) }),
    ...(report.nextTryAt === null ? {} : { 'Next try': timeText(report.nextTryAt) }),
    Waiting: `${report.items.waiting}, under way ${report.items.leased}, held ${report.items.held}`,
    ...(report.oldestAt === null ? {} : { Oldest: timeText(report.oldestAt) }),
    'Recipients today': todayText(report),
    'Last sent': report.lastRelayedAt === null ? 'not since the start' : timeText(report.lastRelayedAt),
    Limits: limitsText(report),
  };
  for (const { what, endsAt } of report.expiries)
    fields[`Ends: ${what}`] = new Date(endsAt).toISOString().slice(0, 10);
  return `${formatFields(fields)}${report.alarms.map((alarm) => `alarm: ${alarm}\n`).join('')}`;
}

function stateText({ state, heldBy }: RelayReport): string {
  return heldBy === null ? state : `${state} (${heldBy})`;
}

function todayText({ today }: RelayReport): string {
  if (today === null) return '-';
  return today.limit === 0 ? String(today.recipients) : `${today.recipients} of ${today.limit}`;
}

function limitsText({ messagesPerMinuteLimit, recipientLimit, sizeLimitOctets, today }: RelayReport): string {
  const limits = [
    messagesPerMinuteLimit === 0 ? undefined : `${messagesPerMinuteLimit} messages a minute`,
    today === null || today.limit === 0 ? undefined : `${today.limit} recipients a day`,
    `${recipientLimit} recipients of a message`,
    sizeLimitOctets === 0 ? undefined : formatOctets(sizeLimitOctets),
  ];
  return limits.filter((limit) => limit !== undefined).join(', ');
}
