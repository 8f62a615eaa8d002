/**
 * How the CLI reaches operations: through the control socket of the running server, or, where none runs, on the store itself
 * under its lock. No second process ever writes to the database beside a server.
 */

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { openStore } from '../store/sqlite/open.ts';
import { createAccounts } from '../accounts/accounts.ts';
import { createAdministration } from '../accounts/administration.ts';
import { createSentToday } from '../accounts/sendingDay.ts';
import { createPasswordHasher } from '../accounts/password.ts';
import { createPlanning } from '../transfer/transfer.ts';
import { ACCOUNT_CAPABILITIES } from '../imapd/capabilities.ts';
import { CAPABILITIES as POP3_CAPABILITIES } from '../pop3d/capabilities.ts';
import type { FaultyConfig, LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import type { Config } from '../config/schema.ts';
import { accountsOptions } from './accountsOptions.ts';
import { type CliBackend, Unreachable } from './cli.ts';
import { callControlServer, controlSocketPath } from './controlSocket.ts';
import { openMaintenance } from './maintenance.ts';
import { networkAddresses } from './networkAddresses.ts';
import { createOperations, needsServer } from './operations.ts';
import { storeOptions } from './storeOptions.ts';
import { transferOptions } from './transferOptions.ts';

/** What the backend is handed. */
export interface BackendOptions {
  readonly clock: Clock;
  readonly log: Log;
  load(file: string | undefined): LoadedConfig | FaultyConfig;
}

/** The backend of a CLI on this machine. Errors of `call`: MailError, and Unreachable for operations of a server. */
export function createBackend(options: BackendOptions): CliBackend {
  return {
    async call(operation, input, configFile) {
      const loaded = options.load(configFile);
      if (loaded.kind === 'faulty')
        throw new MailError('invalid', loaded.problems.map(formatProblem).join('\n'));
      const { dataDirectory } = loaded.config.server;
      const answer = await callControlServer(controlSocketPath(dataDirectory), options.clock, {
        operation,
        input,
      });
      if (answer !== undefined) return answer.result;
      if (needsServer(operation)) throw new Unreachable(`no server runs on ${dataDirectory}`);
      return callOnStore(loaded.config, options, operation, input);
    },
  };
}

async function callOnStore(
  config: Config,
  options: BackendOptions,
  operation: string,
  input: unknown,
): Promise<unknown> {
  const { clock, log } = options;
  const store = await openStore(storeOptions(config, clock, log));
  const maintenance = openMaintenance({ directory: config.server.dataDirectory, clock, log });
  try {
    const passwords = createPasswordHasher({ clock });
    const { mailboxes, secrets, trace } = store;
    const common = { directory: store.directory, mailboxes, secrets, passwords, addresses: networkAddresses };
    const administration = createAdministration({
      ...common,
      imapCapabilities: ACCOUNT_CAPABILITIES,
      pop3Capabilities: POP3_CAPABILITIES,
      sentToday: createSentToday(store.deliveries, clock),
      defaultDomain: () => config.server.defaultDomain,
    });
    // Nobody logs in here, so nobody is trusted.
    const ipRanges = { rangeOf: () => undefined };
    const accounts = createAccounts({ ...common, clock, log, ipRanges, options: accountsOptions(config) });
    const planning = createPlanning({ store, accounts, log, ...transferOptions(config) });
    return await createOperations({ administration, trace, store, maintenance, planning })(operation, input);
  } finally {
    maintenance.close();
    await store.close();
  }
}
