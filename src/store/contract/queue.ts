/**
 * The queue's items: messages that wait for a next hop, one item for each recipient.
 *
 * Items are made by `Deliveries.deliver`, in the transaction of the delivery (`PlannedDelivery.queued`), and published on the
 * feed as `queue`. The content of an item stays as long as the item does. queueWork.ts has the view that leases, settles and lists.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { ContentId, QueueId, TraceId } from '../../base/ids.ts';

/** Where an item goes: a relay or a drop directory, by its configured name. */
export interface NextHop {
  readonly kind: 'relay' | 'drop';
  readonly name: string;
}

/** RFC 3461 section 4.1; NEVER stands alone. */
export const DSN_CONDITIONS = ['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'] as const;
export type DsnCondition = (typeof DSN_CONDITIONS)[number];

/** An item to make. */
export interface PlannedQueueItem {
  /** Forward path without angle brackets, as the next hop is to have it. */
  readonly recipient: string;
  /** The recipient of the envelope that leads there, where it is another (an alias, a list, a forward); for the trace. */
  readonly via?: string | undefined;
  readonly nextHop: NextHop;
  /** Without angle brackets; empty for the null path. May differ from the message's (lists, forwards). */
  readonly reversePath: string;
  /** NOTIFY (RFC 3461 section 4.1). */
  readonly notify?: readonly DsnCondition[] | undefined;
  /** ORCPT as it was given, xtext and all: `rfc822;a@example.org` (RFC 3461 section 4.2). */
  readonly orcpt?: string | undefined;
  /** RET (RFC 3461 section 4.3). */
  readonly ret?: 'FULL' | 'HDRS' | undefined;
  /** ENVID as it was given, in xtext (RFC 3461 section 4.4). */
  readonly envid?: string | undefined;
  /** Whether the next hop needs SMTPUTF8 for it (RFC 6531). */
  readonly isSmtpUtf8: boolean;
  /** The local address that sends it on: Delivered-To names it when it leaves, which stops loops. */
  readonly forwardedFor?: string | undefined;
  /** Higher ones leave first; 0 unless said, -10 to 10. */
  readonly priority?: number | undefined;
  /** When no more attempts are made; undefined leaves it to the queue's schedule. */
  readonly expiresAt?: UnixMs | undefined;
  /** Whether the sender had logged in or is in a trusted range, so that a report to him hits nobody else; false unless said. */
  readonly isSubmitted?: boolean | undefined;
}

/** `waiting` for its next attempt, `leased` by a scheduler that makes one, `held` until an administrator lets it go. */
export const QUEUE_STATES = ['waiting', 'leased', 'held'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** An item as it waits. */
export interface QueueItem extends Omit<PlannedQueueItem, 'priority' | 'via'> {
  readonly id: QueueId;
  readonly traceId: TraceId;
  readonly contentId: ContentId;
  /** Of the content, with Return-Path. */
  readonly octets: number;
  readonly priority: number;
  readonly state: QueueState;
  /** Attempts that were made. */
  readonly attempts: number;
  readonly createdAt: UnixMs;
  readonly nextAttemptAt: UnixMs;
  readonly leasedUntil: UnixMs | undefined;
  /** What the last attempt was answered with, or why it failed. */
  readonly lastReply: string | undefined;
}

/** Which items; what is absent does not matter. All conditions hold together. */
export interface QueueFilter {
  readonly nextHop?: NextHop | undefined;
  readonly state?: QueueState | undefined;
  readonly traceId?: TraceId | undefined;
  /** A path, or `@domain` for every path of a domain; compared without case. `<>` is the null path. */
  readonly reversePath?: string | undefined;
  /** As `reversePath`. */
  readonly recipient?: string | undefined;
  readonly createdBefore?: UnixMs | undefined;
}

/** How many items wait for a hop in one state. */
export interface QueueCount {
  readonly nextHop: NextHop;
  readonly state: QueueState;
  readonly items: number;
}
