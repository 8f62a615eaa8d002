/**
 * Who a session's client has proved to be: nobody, an account after AUTH, or a range of addresses whose clients need not log in.
 *
 * On relay-in it is always nobody, whatever the address: that is what keeps it from being an open relay (RFC 5321 section 7.9).
 */

import type { Log } from '../../base/log.ts';
import type { SessionTap } from '../../net/sessionTap.ts';
import type { Submitter } from '../../transfer/contract.ts';
import type { SmtpSurroundings, SubmittingAccount } from '../context.ts';

const ANYONE: Submitter = { kind: 'anyone' };

/** The identity of one session. */
export class Identity {
  readonly #surroundings: SmtpSurroundings;
  readonly #remoteAddress: string;
  #account: SubmittingAccount | undefined;

  constructor(surroundings: SmtpSurroundings, remoteAddress: string) {
    this.#surroundings = surroundings;
    this.#remoteAddress = remoteAddress;
  }

  /** Ranges are asked each time, so that a change of theirs counts at once. */
  get submitter(): Submitter {
    const { role, ipRanges } = this.#surroundings;
    if (role === 'relayIn') return ANYONE;
    if (this.#account !== undefined) return { kind: 'account', account: this.#account };
    const range = ipRanges.rangeOf(this.#remoteAddress);
    return range?.submission === 'trusted' ? { kind: 'range', range } : ANYONE;
  }

  /** The client has proved to be this account. */
  logIn(account: SubmittingAccount, log: Log, tap: SessionTap | undefined): void {
    this.#account = account;
    tap?.loggedIn(account.address);
    log.info('smtpd.session.login', { account: account.address });
  }

  /** What was proved in clear counts for nothing behind STARTTLS (RFC 3207 section 4.2). */
  forget(): void {
    this.#account = undefined;
  }
}
