/**
 * What an attempt's outcome means for an item of the queue: the table of issue and answer, pure.
 *
 * What the next hop said of a recipient counts as an attempt of his item. What it said of itself does not: the item stays due, and the
 * hop's standing (hopState.ts) decides when it goes. Every attempt that a message met is in its trace; the same trouble of a hop
 * again is not told again.
 */

import type { UnixMs } from '../base/clock.ts';
import { MINUTE_MS } from '../base/units.ts';
import type { NextHop, QueueItem } from '../store/contract/queue.ts';
import type { TraceEvent } from '../store/contract/trace.ts';
import type { HopTrouble, RecipientOutcome } from '../transfer/relay.ts';
import { type RetrySchedule, retryDelayMs } from './schedule.ts';
import type { ItemResult } from './settling.ts';

/** Characters of a reply that are kept. */
const REPLY_LIMIT_CHARS = 1000;
/** When an item is tried again that our own store had no octets for. */
const OWN_FAULT_WAIT_MS = MINUTE_MS;

/** Why nothing was decided for a recipient. */
export type Undecided =
  /** The hop itself got in the way. */
  | { readonly kind: 'trouble'; readonly trouble: HopTrouble }
  /** The server is closing. */
  | { readonly kind: 'closing' }
  /** The attempt took too long. */
  | { readonly kind: 'deadline'; readonly minutes: number }
  /** Our own store could not be read. */
  | { readonly kind: 'ownFault'; readonly reason: string }
  /** The relay does not say why. */
  | { readonly kind: 'noReason' };

/** When and how the attempt was made. */
export interface AttemptFacts {
  readonly nextHop: NextHop;
  readonly endedAt: UnixMs;
  readonly schedule: RetrySchedule;
  readonly random: () => number;
  /** For those with the outcome `untried`. */
  readonly undecided: Undecided;
}

/** What becomes of an item. */
export function resultOf(item: QueueItem, outcome: RecipientOutcome, facts: AttemptFacts): ItemResult {
  const { id } = item;
  switch (outcome.kind) {
    case 'relayed': {
      const { reply, server, tellsSender } = outcome;
      const event = eventOf(item, facts, 'relayed', { reply, server, attempt: item.attempts + 1 });
      const report = { action: 'relayed', status: '2.0.0', reply, server } as const;
      return { item, settlement: { id, kind: 'done', event }, report: tellsSender ? undefined : report };
    }
    case 'failed': {
      const { reply, status, server } = outcome;
      const event = eventOf(item, facts, 'failed', { reply, status, server, attempt: item.attempts + 1 });
      return {
        item,
        settlement: { id, kind: 'done', event },
        report: { action: 'failed', status, reply, server },
      };
    }
    case 'held': {
      const event = eventOf(item, facts, 'held', { reply: outcome.reason });
      return { item, settlement: { id, kind: 'held', reply: outcome.reason, event } };
    }
    case 'deferred':
      return deferredResult(item, outcome, facts);
    case 'untried':
      return undecidedResult(item, facts);
  }
}

/** As it was before it was leased: due when it was due. */
export function putBack(item: QueueItem): ItemResult {
  const { id, nextAttemptAt } = item;
  return { item, settlement: { id, kind: 'deferred', nextAttemptAt, isAttempt: false } };
}

function deferredResult(
  item: QueueItem,
  { reply, status, server, retryAfterMs }: Omit<Extract<RecipientOutcome, { kind: 'deferred' }>, 'kind'>,
  facts: AttemptFacts,
): ItemResult {
  const attempt = item.attempts + 1;
  const delayMs = retryDelayMs(attempt, facts.schedule, facts.random, retryAfterMs);
  const nextAttemptAt = (facts.endedAt + delayMs) as UnixMs;
  const event = eventOf(item, facts, 'deferred', { reply, status, server, attempt });
  return {
    item,
    settlement: { id: item.id, kind: 'deferred', nextAttemptAt, isAttempt: true, reply: cut(reply), event },
  };
}

function undecidedResult(item: QueueItem, facts: AttemptFacts): ItemResult {
  const { undecided } = facts;
  switch (undecided.kind) {
    case 'closing':
      return putBack(item);
    case 'trouble':
      return uncounted(item, undecided.trouble.reason, item.nextAttemptAt, facts);
    case 'ownFault':
      return uncounted(item, undecided.reason, (facts.endedAt + OWN_FAULT_WAIT_MS) as UnixMs, facts);
    case 'deadline': {
      const reply = `The attempt was ended after ${undecided.minutes} minutes`;
      return deferredResult(item, { reply, status: '4.4.2' }, facts);
    }
    case 'noReason':
      return deferredResult(item, { reply: 'The relay gave no answer', status: '4.3.0' }, facts);
  }
}

function uncounted(item: QueueItem, reason: string, nextAttemptAt: UnixMs, facts: AttemptFacts): ItemResult {
  const reply = cut(reason);
  const isNew = reply !== item.lastReply;
  const event = isNew ? eventOf(item, facts, 'deferred', { reply }) : undefined;
  return {
    item,
    settlement: { id: item.id, kind: 'deferred', nextAttemptAt, isAttempt: false, reply, event },
  };
}

function eventOf(
  { recipient }: QueueItem,
  { nextHop, endedAt }: AttemptFacts,
  kind: 'relayed' | 'deferred' | 'failed' | 'held',
  { reply, status, server, attempt }: EventWords,
): TraceEvent {
  const fields = {
    recipient,
    hop: nextHop.kind,
    name: nextHop.name,
    reply: cut(reply),
    ...(status === undefined ? {} : { status }),
    ...(server === undefined ? {} : { server }),
    ...(attempt === undefined ? {} : { attempt }),
  };
  return { at: endedAt, kind, fields };
}

interface EventWords {
  readonly reply: string;
  readonly status?: string | undefined;
  readonly server?: string | undefined;
  readonly attempt?: number;
}

function cut(reply: string): string {
  return reply.slice(0, REPLY_LIMIT_CHARS);
}
