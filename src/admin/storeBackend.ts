/**
 * An operation on the store itself, under its lock, where no server runs. backend.ts loads it only then: a verb that a running
 * server answers needs no store.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { openStore } from '../store/sqlite/open.ts';
import { createAccounts } from '../accounts/accounts.ts';
import { createAdministration } from '../accounts/administration.ts';
import { createSentToday } from '../accounts/sendingDay.ts';
import { createPasswordHasher } from '../accounts/password.ts';
import { createPlanning } from '../transfer/transfer.ts';
import { ACCOUNT_CAPABILITIES } from '../imapd/capabilities.ts';
import { CAPABILITIES as POP3_CAPABILITIES } from '../pop3d/capabilities.ts';
import type { Config } from '../config/schema.ts';
import { accountsOptions } from './accountsOptions.ts';
import { openMaintenance } from './maintenance.ts';
import { pickupPolicies } from './pickups.ts';
import { networkAddresses } from './networkAddresses.ts';
import { createOperations } from './operations.ts';
import { storeOptions } from './storeOptions.ts';
import { transferOptions } from './transferOptions.ts';

/** Runs `operation` with `input` on the store of `config`. Errors: MailError, as its operation and opening the store have them. */
export async function callOnStore(
  config: Config,
  options: { readonly clock: Clock; readonly log: Log },
  operation: string,
  input: unknown,
): Promise<unknown> {
  const { clock, log } = options;
  const store = await openStore(storeOptions(config, clock, log));
  // The lock is ours, so nobody is at work: what a killed server had leased may be changed.
  if (operation.startsWith('queue.')) await store.queue.releaseLeases();
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
    return await createOperations({
      administration,
      trace,
      store,
      maintenance,
      planning,
      clock,
      relays: () => config.relays,
      drops: () => config.drops,
      policies: () => pickupPolicies(config),
    })(operation, input);
  } finally {
    maintenance.close();
    await store.close();
  }
}
