/**
 * Holds: which expunged contents open sessions may still read.
 *
 * A hold is the number of the last batch that was on disk when it was taken or renewed: whatever was expunged later was
 * visible then. Batch numbers do not jump as calendars do. A hold of more than a day counts no more.
 */

import type { Clock } from '../../base/clock.ts';
import type { Hold } from '../contract/mailboxes.ts';
import { HOLD_LIMIT_MS } from './limits.ts';

interface HeldSince {
  batch: number;
  at: number;
}

/** All holds of a store. */
export class Holds {
  readonly #clock: Clock;
  readonly #lastBatch: () => number;
  readonly #held = new Set<HeldSince>();

  /** `lastBatch` answers the last batch that readers see. */
  constructor(clock: Clock, lastBatch: () => number) {
    this.#clock = clock;
    this.#lastBatch = lastBatch;
  }

  take(): Hold {
    const held: HeldSince = { batch: this.#lastBatch(), at: this.#clock.monotonic() };
    this.#held.add(held);
    return {
      renew: () => {
        held.batch = this.#lastBatch();
        held.at = this.#clock.monotonic();
      },
      release: () => void this.#held.delete(held),
    };
  }

  /** What was expunged by this batch or before is needed by no hold. */
  releasedBatch(): number {
    let batch = this.#lastBatch();
    const oldest = this.#clock.monotonic() - HOLD_LIMIT_MS;
    for (const held of this.#held) if (held.at > oldest) batch = Math.min(batch, held.batch);
    return batch;
  }
}
