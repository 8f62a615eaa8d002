/**
 * Sending, put together: the relays and drop directories of the configuration, token clients, and the outbound room with what settles for
 * it.
 *
 * main opens it before the listeners. What status, `hauspost relay` and a reload need is answered here.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import type { Store } from '../store/contract/store.ts';
import { createGraphTurns } from '../exchange/graph/turns.ts';
import { loginWarning } from '../exchange/tokens/loginExpiry.ts';
import { createTokenClient } from '../exchange/tokens/tokenClient.ts';
import type { Transfer } from '../transfer/contract.ts';
import type { HopStatus, Outbound, QueueSchedule } from '../outbound/contract.ts';
import { createRelay } from '../outbound/createRelay.ts';
import { openOutbound } from '../outbound/outbound.ts';
import { createSettling } from '../outbound/settling.ts';
import type { Config } from '../config/schema.ts';
import { createDrops, type Drops } from './drops.ts';
import { createRelayLogins, type RelayLogins } from './relayLogin.ts';
import { openRelays, type Relays } from './relays.ts';
import { type RelayTrial, tryRelay } from './relayTrial.ts';
import { usesTokens } from './relayTokens.ts';
import { createTokenVault } from './tokenVault.ts';
import { transferOptions } from './transferOptions.ts';

/** What sending needs. */
export interface SendingSurroundings {
  readonly store: Pick<Store, 'contents' | 'directory' | 'feed' | 'queue' | 'secrets' | 'trace'>;
  /** The one door, for reports. */
  readonly transfer: Pick<Transfer, 'accept'>;
  /** Names us in EHLO and in reports. */
  readonly serverName: string;
  /** Answers 0 to below 1. */
  random(): number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Sending as the running server sees it. */
export interface Sending {
  readonly relays: Relays;
  readonly drops: Drops;
  readonly logins: RelayLogins;
  readonly outbound: Pick<Outbound, 'checkHop' | 'retryHop'>;
  /** A sentence for each relay whose login by code is missing or ends before long. */
  loginWarnings(): Promise<readonly string[]>;
  hops(): Promise<readonly HopStatus[]>;
  /** Sends a small message by a relay, and says what became of it. Errors: those of tryRelay. */
  tryRelay(relay: string, from: string, to: string): Promise<RelayTrial>;
  /** Takes the relays, the drops and the schedule of another configuration; answers a sentence for each relay that cannot be used as it says. */
  reload(config: Config): Promise<readonly string[]>;
  close(deadlineMs: number): Promise<void>;
}

/** Opens the relays and begins to send. Errors: the store's. */
export async function openSending(config: Config, surroundings: SendingSurroundings): Promise<Sending> {
  const { store, clock, log } = surroundings;
  const vault = createTokenVault(store.secrets);
  const relays = await openRelays(config.relays, {
    clock,
    log,
    secrets: store.secrets,
    createTokens: (options) => createTokenClient(options, { clock, log, vault }),
  });
  const drops = createDrops(config.drops, clock);
  const graphTurns = createGraphTurns();
  const outbound = await openOutbound({
    ...surroundings,
    settling: createSettling({ ...surroundings, reports: transferOptions(config).reports }),
    relays: [...relays.options(), ...drops.options()],
    schedule: queueSchedule(config),
    createRelay: (options) => createRelay(options, { ...surroundings, graphTurns }),
  });
  relays.follow((fresh) => outbound.reconfigure([...fresh, ...drops.options()]));
  const logins = createRelayLogins({ clock, log, vault });
  return {
    relays,
    drops,
    logins,
    outbound,
    loginWarnings: async () => {
      const asked = relays.all().filter((relay) => usesTokens(relay) && relay.grant === 'deviceCode');
      const warnings = await Promise.all(
        asked.map(async ({ name }) => {
          const warning = await loginWarning(name, vault, clock.now());
          return warning === undefined ? [] : [`relay ${name}: ${warning}`];
        }),
      );
      return warnings.flat();
    },
    hops: () => outbound.relays(),
    tryRelay: (relay, from, to) =>
      tryRelay({ ...surroundings, hops: () => outbound.relays() }, relay, from, to),
    reload: async (fresh) => {
      const problems = await relays.reload(fresh.relays);
      drops.reload(fresh.drops);
      outbound.reconfigure([...relays.options(), ...drops.options()]);
      outbound.reschedule(queueSchedule(fresh));
      return problems;
    },
    close: async (deadlineMs) => {
      logins.close();
      await outbound.close(deadlineMs);
      await relays.close();
    },
  };
}

/** When what waits is tried again, told of and given up. */
function queueSchedule({ queue }: Config): QueueSchedule {
  return {
    firstRetryMs: queue.firstRetrySeconds * SECOND_MS,
    longestRetryMs: queue.longestRetryMinutes * MINUTE_MS,
    expiryMs: queue.expiryHours * HOUR_MS,
    delayReportMs: queue.delayReportHours * HOUR_MS,
  };
}
