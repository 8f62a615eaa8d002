/**
 * Sending as main opens it: the outbound room with what settles for it, made of the configuration, and what a reload changes.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import type { Store } from '../store/contract/store.ts';
import { createGraphTurns } from '../exchange/graph/turns.ts';
import type { Outbound, QueueSchedule, RelayOptions } from '../outbound/contract.ts';
import { createRelay } from '../outbound/createRelay.ts';
import { openOutbound } from '../outbound/outbound.ts';
import { createSettling } from '../outbound/settling.ts';
import type { Config } from '../config/schema.ts';

/** What sending needs. */
export interface SendingSurroundings {
  readonly store: Pick<Store, 'contents' | 'feed' | 'queue'>;
  /** Names us in EHLO. */
  readonly serverName: string;
  /** Answers 0 to below 1. */
  random(): number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens the outbound room. Errors: the store's, and those of making a relay. */
export function openSending(
  config: Config,
  relays: readonly RelayOptions[],
  surroundings: SendingSurroundings,
): Promise<Outbound> {
  const { store } = surroundings;
  const graphTurns = createGraphTurns();
  return openOutbound({
    ...surroundings,
    settling: createSettling({ store }),
    relays,
    schedule: queueSchedule(config),
    createRelay: (options) => createRelay(options, { ...surroundings, graphTurns }),
  });
}

/** When what waits is tried again, told of and given up. */
export function queueSchedule({ queue }: Config): QueueSchedule {
  return {
    firstRetryMs: queue.firstRetrySeconds * SECOND_MS,
    longestRetryMs: queue.longestRetryMinutes * MINUTE_MS,
    expiryMs: queue.expiryHours * HOUR_MS,
    delayReportMs: queue.delayReportHours * HOUR_MS,
  };
}
