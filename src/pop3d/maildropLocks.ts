/**
 * The exclusive lock of maildrops (RFC 1939 section 4), for servers that are set so.
 *
 * A lock lives in this process and as long as its session: a connection that ends gives it up at once. A peer that is gone
 * without a word (half-open) cannot: so a login that comes when the holder has been silent for TAKEOVER_SILENCE_MS takes the
 * maildrop over, and the silent session is cut off with nothing deleted. TCP's probes (net/listener.ts) find most such peers in
 * the same time.
 */

import type { Clock } from '../base/clock.ts';
import type { AccountId } from '../base/ids.ts';
import { TAKEOVER_SILENCE_MS } from './limits.ts';

/** A session, as far as locks know it. */
export interface LockHolder {
  /** When its client last gave or took octets, on the monotonic clock. */
  readonly activeAtMs: number;
  /** Ends it at once, with nothing deleted. */
  cutOff(): void;
}

/** Who has which maildrop. */
export class MaildropLocks {
  readonly #clock: Clock;
  readonly #holders = new Map<AccountId, LockHolder>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the lock; answers what gives it up again, or undefined when it is another's. */
  take(accountId: AccountId, holder: LockHolder): (() => void) | undefined {
    const other = this.#holders.get(accountId);
    if (other !== undefined) {
      if (this.#clock.monotonic() - other.activeAtMs < TAKEOVER_SILENCE_MS) return undefined;
      other.cutOff();
    }
    this.#holders.set(accountId, holder);
    return () => {
      if (this.#holders.get(accountId) === holder) this.#holders.delete(accountId);
    };
  }
}
