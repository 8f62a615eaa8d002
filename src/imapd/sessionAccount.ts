/**
 * What a session has of its account beside the state: a place among the account's sessions, and what the client is used to
 * (accounts/compatibility.ts), by the listener until login and by the account's settings as they were then. Owned by session.ts.
 */

import type { Log } from '../base/log.ts';
import type { Account } from '../store/contract/directory.ts';
import { readAccountSettings } from '../accounts/accountSettings.ts';
import {
  type Compatibility,
  type CompatibilityLayer,
  resolveCompatibility,
} from '../accounts/compatibility.ts';
import type { ImapSettings } from './options.ts';
import type { ServerContext } from './sessionContext.ts';

/** No place, and what the listener has, before login. */
export class SessionAccount {
  readonly #listener: CompatibilityLayer;
  #compatibility: Compatibility['imap'];
  #leave = () => {};

  constructor(listener: CompatibilityLayer, settings: ImapSettings) {
    this.#listener = listener;
    this.#compatibility = this.#resolve(settings, undefined);
  }

  /** What is in force. */
  get compatibility(): Compatibility['imap'] {
    return this.#compatibility;
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
    this.#compatibility = this.#resolve(settings, own);
    this.#leave = leave;
    gone.addEventListener('abort', leave, { once: true });
    return true;
  }

  /** Gives the place back; may be repeated. */
  leave(): void {
    this.#leave();
  }

  #resolve(settings: ImapSettings, account: CompatibilityLayer | undefined): Compatibility['imap'] {
    const server = { 'imap.delimiter': settings.delimiter, 'imap.literals': settings.literals };
    return resolveCompatibility({ server, listener: this.#listener, account }).imap;
  }
}
