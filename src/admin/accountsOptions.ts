/**
 * What the accounts room is opened with, and handed again after a reload.
 */

import { MINUTE_MS, SECOND_MS } from '../base/units.ts';
import type { AccountsOptions } from '../accounts/accounts.ts';
import type { Config } from '../config/schema.ts';

/** The accounts' options of a configuration. */
export function accountsOptions({ server, login }: Config): AccountsOptions {
  return {
    defaultDomain: server.defaultDomain,
    postmaster: server.postmaster,
    loginThrottle: {
      delayLimitMs: login.delayLimitSeconds * SECOND_MS,
      banAfterFailures: login.banAfterFailures,
      banAddressAfterNames: login.banAddressAfterNames,
      windowMs: login.failureWindowMinutes * MINUTE_MS,
      banMs: login.banMinutes * MINUTE_MS,
    },
  };
}
