/**
 * The running server as the administrator sees it: status, and the reload of what can change while running.
 *
 * A faulty configuration leaves everything as it is and is told. A certificate that can't be read stays as it was and is told;
 * the other certificates and the settings are in force then, since each stands for itself.
 */

import type { Clock } from '../base/clock.ts';
import { asMailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import type { Store } from '../store/contract/store.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { changedKeys } from '../config/changes.ts';
import { type FaultyConfig, type LoadedConfig, serverName } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import type { Config } from '../config/schema.ts';
import { accountsOptions } from './accountsOptions.ts';
import type { Certificates } from './certificates.ts';
import type { ExchangeDoors } from './exchangeDoors.ts';
import type { Maintenance } from './maintenance.ts';
import type { ProtocolLog } from './protocolLog/protocolLog.ts';
import { reportDrops } from './dropReport.ts';
import type { Pickups } from './pickups.ts';
import { reportRelays } from './relayReport.ts';
import type { Sending } from './sending.ts';
import type { ListenerStatus, ReloadOutcome, RunningServer } from './server.ts';

/** What a running server is made of, for its status and its reload. */
export interface RunningServerOptions {
  readonly config: Config;
  /** What the configuration is warned about. */
  readonly warnings: readonly string[];
  readonly version: string;
  readonly processId: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Loads the configuration again. */
  reload(): LoadedConfig | FaultyConfig;
  readonly rooms: {
    readonly store: Pick<Store, 'health' | 'mailboxes' | 'queue'>;
    readonly accounts: Pick<Accounts, 'setOptions' | 'bans'>;
    readonly certificates: Certificates;
    readonly protocolLog: ProtocolLog;
    readonly maintenance: Pick<Maintenance, 'state'>;
    readonly doors: ExchangeDoors;
    readonly sending: Sending;
    readonly pickups: Pick<Pickups, 'reports' | 'reload'>;
    listeners(): readonly ListenerStatus[];
  };
}

/** Status and reload of the running appliance. */
export function createRunningServer(options: RunningServerOptions): RunningServer {
  const { clock, log, reload, rooms } = options;
  const startedAt = clock.now();
  let current = options.config;
  return {
    protocolLog: rooms.protocolLog,
    status: async () => {
      const relays = await reportRelays(rooms.sending, rooms.store.queue);
      const drops = await reportDrops(rooms.sending, rooms.store.queue, clock);
      const pickups = await rooms.pickups.reports();
      return {
        version: options.version,
        name: serverName(current),
        processId: options.processId,
        startedAt,
        dataDirectory: current.server.dataDirectory,
        listeners: rooms.listeners(),
        warnings: [
          ...options.warnings,
          ...rooms.certificates.warnings(),
          ...rooms.sending.relays.warnings(),
          ...(await rooms.sending.loginWarnings()),
          ...[...relays, ...drops].flatMap(({ alarms }) => alarms),
          ...pickups.flatMap(({ name, alarms }) => alarms.map((alarm) => `pickup ${name}: ${alarm}`)),
        ],
        relays,
        drops,
        pickups,
        certificates: rooms.certificates.status(),
        maintenance: rooms.maintenance.state() ?? null,
        store: await rooms.store.health(),
        retained: await rooms.store.mailboxes.retained(),
        bans: rooms.accounts.bans.count,
        protocolLog: rooms.protocolLog.status().watches,
      };
    },
    bans: rooms.accounts.bans,
    reload: async () => {
      const fresh = reload();
      if (fresh.kind === 'faulty') return refuseReload(fresh.problems.map(formatProblem), log);
      const { renewed, problems: ofCertificates } = await rooms.certificates.reload(fresh.config.tls);
      const problems = [...ofCertificates];
      try {
        await rooms.pickups.reload(fresh.config);
        rooms.accounts.setOptions(accountsOptions(fresh.config));
        rooms.doors.reload(fresh.config);
        problems.push(...(await rooms.sending.reload(fresh.config)));
      } catch (error) {
        return refuseReload([asMailError(error).message, ...problems], log);
      }
      log.setLevel(fresh.config.log.level);
      const { reloadable: changed, needRestart } = changedKeys(current, fresh.config);
      current = {
        ...current,
        log: fresh.config.log,
        login: fresh.config.login,
        tls: fresh.config.tls,
        relays: fresh.config.relays,
        drops: fresh.config.drops,
        pickups: fresh.config.pickups,
        queue: fresh.config.queue,
        exchange: {
          ...current.exchange,
          secret: fresh.config.exchange.secret,
          previousSecret: fresh.config.exchange.previousSecret,
        },
        server: {
          ...current.server,
          defaultDomain: fresh.config.server.defaultDomain,
          postmaster: fresh.config.server.postmaster,
        },
      };
      log.info('admin.config.reloaded', { changed, needRestart, renewed });
      return { changed, needRestart, renewed, problems };
    },
  };
}

function refuseReload(problems: readonly string[], log: Log): ReloadOutcome {
  log.warn('admin.config.refused', { problems });
  return { changed: [], needRestart: [], renewed: [], problems };
}
