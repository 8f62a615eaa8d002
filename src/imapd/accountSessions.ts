/**
 * How many sessions each account has open, under a limit that is asked for at each login: the account's own, or the server's.
 *
 * An application that opens a session for each poll and forgets to close them must not use up the listener's connections for
 * everybody else. Every place is given back exactly once, whatever ends the session.
 */

import type { AccountId } from '../base/ids.ts';

/** Counters of open sessions, one for the whole server. */
export class AccountSessions {
  readonly #open = new Map<AccountId, number>();

  /** Takes a place; undefined where `limit` are taken. What is answered gives it back and may be called more than once. */
  enter(account: AccountId, limit: number): (() => void) | undefined {
    const open = this.#open.get(account) ?? 0;
    if (open >= limit) return undefined;
    this.#open.set(account, open + 1);
    let isHeld = true;
    return () => {
      if (isHeld) this.#leave(account);
      isHeld = false;
    };
  }

  #leave(account: AccountId): void {
    const open = (this.#open.get(account) ?? 0) - 1;
    if (open > 0) this.#open.set(account, open);
    else this.#open.delete(account);
  }
}
