/**
 * `hauspost status` and `hauspost reload`: both talk to the running server.
 */

import { formatDoors } from '../doorText.ts';
import { dropTable } from '../dropText.ts';
import type { ReloadOutcome, ServerStatus } from '../server.ts';
import { pickupTable } from '../pickupText.ts';
import { relayTable } from '../relayText.ts';
import { formatFields, formatOctets, formatTable } from '../table.ts';
import { formatWatch } from '../protocolLog/watchText.ts';
import { EXIT, type Verb } from '../verb.ts';
import { showMaintenance } from './maintenance.ts';

/** The verbs about the running server. */
export const SERVER_VERBS: readonly Verb[] = [
  {
    words: ['status'],
    usage: '',
    summary: 'Says whether the server runs, where it listens, and how the store is.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const status = (await invocation.call('server.status', {})) as ServerStatus;
      invocation.answer(status, showStatus);
      return status.store.kind === 'healthy' ? EXIT.ok : EXIT.failed;
    },
  },
  {
    words: ['reload'],
    usage: '',
    summary: 'Reads the configuration file and the certificates again.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const outcome = (await invocation.call('server.reload', {})) as ReloadOutcome;
      invocation.answer(outcome, showReload);
      return outcome.problems.length === 0 ? EXIT.ok : EXIT.failed;
    },
  },
];

function showStatus(status: ServerStatus): string {
  const fields = formatFields({
    Version: status.version,
    Name: status.name,
    Process: String(status.processId),
    'Up since': new Date(status.startedAt).toISOString(),
    'Data directory': status.dataDirectory,
    Store: status.store.kind === 'healthy' ? 'healthy' : `unhealthy: ${status.store.problem}`,
    Bans: String(status.bans),
    Retained: `${status.retained.messages} messages, ${formatOctets(status.retained.octets)}`,
    'Free space': status.store.freeOctets === undefined ? 'not known' : formatOctets(status.store.freeOctets),
  });
  const rows = status.listeners.map((listener) => [
    listener.name,
    listener.role === 'submission' ? `${listener.protocol}, submission` : listener.protocol,
    listener.address,
    String(listener.port),
    listener.legacyTls ? `${listener.tls}, legacy` : listener.tls,
    listener.profile ?? '-',
    String(listener.connections),
  ]);
  const certificates = status.certificates.map((certificate) => [
    certificate.subject.replaceAll('\n', ', '),
    new Date(certificate.validTo).toISOString().slice(0, 10),
    certificate.listeners.join(', '),
    certificate.file,
  ]);
  const watches = status.protocolLog.map((watch) => `${formatWatch(watch)}\n`).join('');
  const warnings = status.warnings.map((warning) => `warning: ${warning}\n`).join('');
  const maintenance = status.maintenance === null ? '' : showMaintenance(status.maintenance);
  return `${maintenance}${warnings}${fields}${watches}\n${formatTable(['LISTENER', 'PROTOCOL', 'ADDRESS', 'PORT', 'TLS', 'PROFILE', 'CONNECTIONS'], rows, 'No listeners.')}\n${relayTable(status.relays)}\n${dropTable(status.drops)}\n${pickupTable(status.pickups)}\n${formatTable(['CERTIFICATE', 'ENDS', 'LISTENERS', 'FILE'], certificates, 'No certificates.')}${formatDoors(status.listeners)}`;
}

function showReload(outcome: ReloadOutcome): string {
  const lines = [
    ...outcome.problems,
    ...outcome.renewed.map((file) => `the certificate ${file} is in force now`),
    ...outcome.changed.map((key) => `${key} is in force now`),
    ...outcome.needRestart.map((key) => `${key} changes at the next start`),
  ];
  return `${lines.length === 0 ? 'Certificates were read again; nothing else has changed.' : lines.join('\n')}\n`;
}
