/**
 * Settling that is not given up: what the next hop has must not be sent again because our disk is full for a moment.
 *
 * As long as the store does not take the results, the items stay in the hands of whoever made the attempt, and nobody tries them.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { HopUse } from '../store/contract/queueWork.ts';
import { SETTLE_RETRY_LIMIT_MS, SETTLE_RETRY_MS } from './limits.ts';
import type { ItemResult, Settling } from './settling.ts';

/** What it needs. */
export interface SureSettlingOptions {
  readonly settling: Settling;
  readonly clock: Clock;
  readonly log: Log;
  /** The end of all waits: the room is closed, and the next start puts the leases back. Not sooner, even where a relay is taken away. */
  readonly closed: AbortSignal;
}

/** Settles, again and again if it must. Answers whether it is committed; false only when the room is closed. Never rejects. */
export async function settleSurely(
  { settling, clock, log, closed }: SureSettlingOptions,
  results: readonly ItemResult[],
  use?: HopUse,
): Promise<boolean> {
  if (results.length === 0) return true;
  for (let waitMs = SETTLE_RETRY_MS; ; waitMs = Math.min(2 * waitMs, SETTLE_RETRY_LIMIT_MS)) {
    try {
      await settling.settle(results, use);
      return true;
    } catch (error) {
      log.error('outbound.settle.failed', { trace: results[0]?.item.traceId, items: results.length, error });
    }
    try {
      await clock.sleep(waitMs, closed);
    } catch {
      return false;
    }
  }
}
