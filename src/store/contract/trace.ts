/**
 * Trace: what happened to a message, for whoever asks where a mail is.
 *
 * Events of accepting ride in the delivery's transaction; events of sessions (`fetched`, `deleted`) are written in batches
 * soon after and may be lost by a crash; `retained`, `restored` and `expired`, and all that happens in the queue, ride with the
 * change that they tell of. Kept for a limited time, and a limited number per message.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { ContentId, TraceId } from '../../base/ids.ts';

/** One thing that happened. `fields` are short plain values: protocol, remote address, account, uid, reason. */
export interface TraceEvent {
  readonly at: UnixMs;
  readonly kind: TraceEventKind;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** Kinds of events, in the order of a message's life. */
export const TRACE_EVENT_KINDS = [
  'accepted',
  'refused',
  'refusedMore',
  'routed',
  'ruled',
  'forwarded',
  'notForwarded',
  'withheld',
  'reported',
  'dsnDue',
  'stored',
  'queued',
  'relayed',
  'deferred',
  'failed',
  'held',
  'released',
  'retried',
  'removed',
  'rerouted',
  'prioritized',
  'delayed',
  'expiredInQueue',
  'replied',
  'duplicate',
  'appended',
  'fetched',
  'deleted',
  'retained',
  'restored',
  'expired',
] as const;
export type TraceEventKind = (typeof TRACE_EVENT_KINDS)[number];

/** What a message is called by its sender, as far as it says so. Long ones are cut. */
export interface MessageNames {
  /** Without angle brackets. */
  readonly messageId?: string | undefined;
  /** Decoded. */
  readonly subject?: string | undefined;
}

/** A message's way through the house; or what was refused, without a message. */
export interface MessageTrace extends MessageNames {
  readonly traceId: TraceId;
  readonly acceptedAt: UnixMs;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly octets: number;
  readonly events: readonly TraceEvent[];
}

/** The trace, for reading and for session events. Whoever reads finds what was noted before, but from a store too busy to write. */
export interface Trace {
  /** A message's trace. */
  find(traceId: TraceId): Promise<MessageTrace | undefined>;
  /**
   * Traces of messages from or to `address` (in any spelling, valid or not), and of what was refused to a remote address or a
   * login name, newest first, at most `limit` (1 to 1000).
   */
  findByAddress(address: string, limit: number): Promise<readonly MessageTrace[]>;
  /** Traces of messages with this Message-ID, without angle brackets; newest first, at most `limit`. */
  findByMessageId(messageId: string, limit: number): Promise<readonly MessageTrace[]>;
  /** Traces of messages whose subject has each of `words` in it, in any case; newest first, at most `limit`. Looks at all. */
  findBySubject(words: readonly string[], limit: number): Promise<readonly MessageTrace[]>;
  /** Notes an event about a stored message; returns at once, never fails the caller. */
  note(contentId: ContentId, event: TraceEvent): void;
  /** Notes an event about a message that has no content (a refusal): makes its trace when it is new. Returns at once. */
  noteRefusal(refusal: NotedRefusal): void;
}

/** What was refused. */
export interface NotedRefusal extends MessageNames {
  readonly traceId: TraceId;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** Other names that `findByAddress` finds it by: a remote address, a login name. */
  readonly otherNames?: readonly string[] | undefined;
  readonly event: TraceEvent;
}
