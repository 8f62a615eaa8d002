/**
 * Settling: what an attempt ended with is committed.
 *
 * Called by schedulers right after the next hop's answer, before anything else, and by aging.
 */

import type { QueueItem } from '../store/contract/queue.ts';
import type { HopUse, QueueSettlement, QueueWork } from '../store/contract/queueWork.ts';

/** What became of an item, and what its sender may be told of it. */
export interface ItemResult {
  readonly item: QueueItem;
  readonly settlement: QueueSettlement;
  readonly report?: ReportedOutcome | undefined;
}

/** What a report would say. */
export interface ReportedOutcome {
  readonly action: 'failed' | 'delayed' | 'relayed';
  /** RFC 3463. */
  readonly status: string;
  /** What the next hop said, or why it was not asked. */
  readonly reply: string;
  readonly server?: string | undefined;
}

/** Who commits results. */
export interface Settling {
  /** Results of one attempt, or of items that aged; `use` is counted for the hop. Errors: the store's, with nothing committed. */
  settle(results: readonly ItemResult[], use?: HopUse): Promise<void>;
}

/** What settling is handed. */
export interface SettlingOptions {
  readonly store: { readonly queue: Pick<QueueWork, 'settle'> };
}

/** Settles in the store. */
export function createSettling({ store }: SettlingOptions): Settling {
  return {
    settle: (results, use) =>
      store.queue.settle(
        results.map(({ settlement }) => settlement),
        use,
      ),
  };
}
