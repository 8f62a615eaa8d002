/**
 * Work on the queue: items are leased for an attempt, settled after it, and changed by an administrator.
 *
 * One item is one recipient. What is leased comes in whole messages, since all recipients of one message for one hop leave in one
 * transaction. A settlement is committed when its promise resolves; an item that is gone meanwhile is passed over. Settlements that
 * belong to a report ride with the report's own delivery (`PlannedDelivery.settled`), so that both are one commit.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { QueueId } from '../../base/ids.ts';
import type { NextHop, QueueCount, QueueFilter, QueueItem } from './queue.ts';
import type { TraceEvent } from './trace.ts';

/** What a scheduler asks for. */
export interface LeaseRequest {
  readonly nextHop: NextHop;
  readonly now: UnixMs;
  /** When the lease ends by itself: a scheduler that is gone must not keep items. */
  readonly leasedUntil: UnixMs;
  /** Messages at most, 1 to 100. */
  readonly messageLimit: number;
  /** Recipients of one message at most, 1 to 1000; the others stay due, or come as a message of their own. */
  readonly recipientLimit: number;
}

/** Items of one content and trace for one hop, leased together: one or more. */
export type LeasedMessage = readonly [QueueItem, ...QueueItem[]];

/** What became of an item. `event` goes into the message's trace in the same commit. */
export type QueueSettlement = {
  readonly id: QueueId;
  readonly event?: TraceEvent | undefined;
  /** Whom a report told of it, or that none could be: stands behind `event`. */
  readonly told?: TraceEvent | undefined;
} & (
  | /** The next hop has it, or it failed for good, or expired: it leaves the queue. */ {
      readonly kind: 'done';
    }
  /** It waits again. `isAttempt`: whether it counts as one (the hop's own trouble does not). */
  | {
      readonly kind: 'deferred';
      readonly nextAttemptAt: UnixMs;
      readonly isAttempt: boolean;
      /** One line, 1000 characters at most are kept; undefined leaves the last one. */
      readonly reply?: string | undefined;
    }
  /** It waits for an administrator. */
  | { readonly kind: 'held'; readonly reply: string }
  /** Its sender has been told that it takes long; nothing else changes. */
  | { readonly kind: 'delayTold' }
);

/** What a hop has taken, counted by day (days since 1970-01-01 in the server's zone). */
export interface HopUse {
  readonly nextHop: NextHop;
  readonly day: number;
  readonly messages: number;
  readonly recipients: number;
}

/** What an administrator said, or trouble that only an administrator can mend: outlives a restart. */
export interface HopHold {
  readonly nextHop: NextHop;
  /** `administrator`, or `trouble`: what the hop itself answered. */
  readonly by: 'administrator' | 'trouble';
  /** One sentence for the administrator. */
  readonly reason: string;
  readonly since: UnixMs;
}

/** Items that a selection may name. */
export const QUEUE_SELECTION_IDS = 1000;

/** Which items of the queue a change is for. */
export interface QueueSelection extends QueueFilter {
  /** QUEUE_SELECTION_IDS at most. */
  readonly ids?: readonly QueueId[] | undefined;
}

/** What an administrator does to items. Leased ones are spared, since their attempt is under way. */
export type QueueChange =
  | { readonly kind: 'hold' }
  /** A held item waits again, due at once. */
  | { readonly kind: 'release' }
  /** A waiting item is due at once. `by`, for its trace: an administrator, unless the calendar was set back. */
  | { readonly kind: 'retry'; readonly by?: 'administrator' | 'calendar' | undefined }
  /** Without a report. */
  | { readonly kind: 'delete' }
  /** To another hop, due at once; a held one stays held. */
  | { readonly kind: 'reroute'; readonly nextHop: NextHop }
  | { readonly kind: 'prioritize'; readonly priority: number };

/** How many items a change was for. */
export interface QueueChanged {
  readonly changed: number;
  /** Leased, so left as they were. */
  readonly spared: number;
  /** Where the changed items wait now, each hop once. */
  readonly hops: readonly NextHop[];
}

/** What a scheduler and an administrator do to the queue. */
export interface QueueWork {
  /** Due messages of a hop: highest priority first, then by next attempt, then by id. None: an empty list. */
  lease(request: LeaseRequest): Promise<readonly LeasedMessage[]>;
  /** Puts back what is leased, all of it: at start, when nobody can be at work. Answers how many. */
  releaseLeases(): Promise<number>;
  /** Commits what became of items, and what it counts for the hop. */
  settle(settlements: readonly QueueSettlement[], use?: HopUse): Promise<void>;
  /** By hop: when the first waiting item is due (may have passed). Hops without waiting items are absent. */
  due(): Promise<readonly { readonly nextHop: NextHop; readonly earliestAt: UnixMs }[]>;
  /** Waiting and held items that are older than `createdBefore` and of which no delay was told; oldest first, at most `limit` (1 to 1000). */
  delayed(createdBefore: UnixMs, limit: number): Promise<readonly QueueItem[]>;
  /**
   * Waiting items whose own expiry has passed, or that have none and are older than `createdBefore`; at most `limit` (1 to 1000).
   * Held ones do not expire, nor do those of `sparedHops`.
   */
  expired(
    now: UnixMs,
    createdBefore: UnixMs,
    limit: number,
    sparedHops?: readonly NextHop[],
  ): Promise<readonly QueueItem[]>;
  /** When the oldest item was made that counts for `delayed` and `expired`; undefined when there is none. */
  oldestCreatedAt(): Promise<UnixMs | undefined>;
  /** Changes items in slices; the trace of each tells of it. */
  change(selection: QueueSelection, change: QueueChange, at: UnixMs): Promise<QueueChanged>;
  /** Holds a hop, or lets it go (undefined), whoever held it: an administrator's word. */
  holdHop(nextHop: NextHop, hold: Omit<HopHold, 'nextHop'> | undefined): Promise<void>;
  /** What a scheduler learned: holds a hop for its trouble, or ends such a hold (undefined). An administrator's hold stays as it is. */
  holdHopForTrouble(nextHop: NextHop, trouble: Pick<HopHold, 'reason' | 'since'> | undefined): Promise<void>;
  /** Hops that are held. */
  heldHops(): Promise<readonly HopHold[]>;
  /** What a hop has taken on a day. */
  use(nextHop: NextHop, day: number): Promise<HopUse>;
}

/** The queue: read, worked on. */
export interface Queue extends QueueWork {
  /** Items by id (the order of their making) after `after`, at most `limit` (1 to 1000). */
  list(filter: QueueFilter, limit: number, after?: QueueId): Promise<readonly QueueItem[]>;
  /** One item; undefined when it is gone. */
  find(id: QueueId): Promise<QueueItem | undefined>;
  /** By hop and state, counted when it is asked. */
  count(): Promise<readonly QueueCount[]>;
}
