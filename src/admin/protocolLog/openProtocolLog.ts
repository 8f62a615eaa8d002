/**
 * The protocol log as the configuration has it.
 */

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { DAY_MS } from '../../base/units.ts';
import { findByLoginName, type LoginNameSurroundings } from '../../accounts/findByLoginName.ts';
import type { Config } from '../../config/schema.ts';
import { protocolLogDirectory } from './logFiles.ts';
import { ProtocolLog } from './protocolLog.ts';

/** What it is opened with. */
export interface OpenProtocolLogOptions extends LoginNameSurroundings {
  readonly config: Pick<Config, 'server' | 'protocolLog'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens it with no watch on. */
export function openProtocolLog({ config, clock, log, ...names }: OpenProtocolLogOptions): ProtocolLog {
  const { sizeLimitOctets, retentionDays } = config.protocolLog;
  return new ProtocolLog({
    directory: protocolLogDirectory(config.server.dataDirectory),
    sizeLimitOctets,
    retentionMs: retentionDays * DAY_MS,
    clock,
    log,
    accountOf: async (loginName) => (await findByLoginName(names, loginName))?.credentials.account.address,
  });
}
