/**
 * What a session has of its account beside the state: a place among the account's sessions, and the account's settings as they
 * were at its login. Owned by session.ts.
 */

import type { Log } from '../base/log.ts';
import type { Account } from '../store/contract/directory.ts';
import { type AccountSettingValues, readAccountSettings } from '../accounts/accountSettings.ts';
import type { ServerContext } from './sessionContext.ts';

/** Nothing at all before login. */
export class SessionAccount {
  #settings: AccountSettingValues = {};
  #leave = () => {};

  /** The account's own hierarchy delimiter. */
  get delimiter(): '/' | '.' | undefined {
    return this.#settings['imap.delimiter'];
  }

  /** The capabilities that are hidden from the account's sessions. */
  get hiddenCapabilities(): readonly string[] {
    return this.#settings['imap.hiddenCapabilities'] ?? [];
  }

  /**
   * Takes a place; false where the account has none left. A client that is gone, as `gone` says, gives it up at once, however
   * long its last command still runs.
   */
  open(account: Account, { accountSessions, settings }: ServerContext, gone: AbortSignal, log: Log): boolean {
    const own = readAccountSettings(account.settings);
    const limit = own['imap.sessionLimit'] ?? settings.sessionsPerAccountLimit;
    const leave = accountSessions.enter(account.id, limit);
    if (leave === undefined) {
      log.info('imapd.account.full', { account: account.address, limit });
      return false;
    }
    this.#settings = own;
    this.#leave = leave;
    gone.addEventListener('abort', leave, { once: true });
    return true;
  }

  /** Gives the place back; may be repeated. */
  leave(): void {
    this.#leave();
  }
}
