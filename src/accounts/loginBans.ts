/**
 * Bans as the administrator sees them, and their end by his word (loginThrottle.ts has how they begin).
 */

import type { Clock, UnixMs } from '../base/clock.ts';
import { unixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import type { LoginBan } from './failedLogins.ts';
import type { NetworkAddresses } from './ipRanges.ts';
import type { LoginThrottle } from './loginThrottle.ts';

/** A ban, for showing. */
export interface LoginBanReport {
  readonly kind: LoginBan['kind'];
  /** The address; of IPv6 its network. */
  readonly address: string;
  /** The name that failed last; a ban of a whole address is not for this name alone. */
  readonly loginName: string;
  readonly protocol: string;
  /** Failures, or of a whole address the names that failed. */
  readonly failures: number;
  readonly endsAt: UnixMs;
}

/** The bans of a running server. */
export interface LoginBans {
  /** How many hold now. */
  readonly count: number;
  /** Those that hold, first the one that ends first. */
  list(): readonly LoginBanReport[];
  /** Lifts the bans of an address, or those of a login name from wherever. Errors: `notFound`. */
  remove(addressOrLoginName: string): readonly LoginBanReport[];
  /** Lifts all. */
  clear(): readonly LoginBanReport[];
}

/** What bans are read from. */
export interface LoginBanSurroundings {
  readonly throttle: LoginThrottle;
  readonly addresses: Pick<NetworkAddresses, 'group' | 'isAddress'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The bans of this throttle. */
export function createLoginBans({ throttle, addresses, clock, log }: LoginBanSurroundings): LoginBans {
  const reportOf = ({ remainingMs, ...ban }: LoginBan): LoginBanReport => ({
    ...ban,
    endsAt: unixMs(clock.now() + remainingMs),
  });
  const lift = (isMeant: (ban: LoginBan) => boolean) => {
    const lifted = throttle.lift(isMeant);
    for (const { kind, address, loginName } of lifted)
      log.info('accounts.ban.lifted', { kind, address, loginName });
    return lifted.map(reportOf);
  };
  return {
    get count() {
      return throttle.bans.length;
    },
    list: () => throttle.bans.map(reportOf).sort((one, other) => one.endsAt - other.endsAt),
    remove(text) {
      const network = addresses.isAddress(text) ? addresses.group(text) : text;
      const name = text.toLowerCase();
      const lifted = lift(
        ({ kind, address, loginName }) =>
          address === network || (kind === 'nameAndAddress' && loginName === name),
      );
      if (lifted.length > 0) return lifted;
      throw new MailError('notFound', `No ban holds for “${text}”; hauspost ban list shows those that do.`);
    },
    clear: () => lift(() => true),
  };
}
