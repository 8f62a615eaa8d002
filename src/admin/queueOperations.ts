/**
 * Operations about the queue, with the check of their input (operation.ts): what waits, and what an administrator does to it.
 *
 * Trust: the caller is an administrator (see controlSocket.ts); shapes and hop names are checked here.
 */

import { z } from 'zod';
import type { Clock, UnixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { parseTraceId, type QueueId, type TraceId } from '../base/ids.ts';
import { QUEUE_STATES, type QueueCount, type QueueFilter, type QueueItem } from '../store/contract/queue.ts';
import {
  type HopHold,
  QUEUE_SELECTION_IDS,
  type QueueChanged,
  type QueueSelection,
} from '../store/contract/queueWork.ts';
import type { Store } from '../store/contract/store.ts';
import type { Trace, TraceEvent } from '../store/contract/trace.ts';
import { type Operation, operationsOn } from './operation.ts';
import { type ConfiguredHops, isConfigured } from './routeWarnings.ts';
import type { Sending } from './sending.ts';

interface Surroundings extends ConfiguredHops {
  readonly store: Pick<Store, 'queue'>;
  readonly trace: Trace;
  readonly clock: Clock;
  /** Where a server runs. */
  readonly sending?: { readonly outbound: Pick<Sending['outbound'], 'retryHop'> };
}

/** What `queue.list` answers. */
export interface QueueReport {
  readonly items: readonly QueueItem[];
  /** Of the whole queue, whatever was asked for. */
  readonly counts: readonly QueueCount[];
  readonly holds: readonly HopHold[];
}

/** What `queue.show` answers. */
export interface QueueItemReport {
  readonly item: QueueItem;
  /** Of its hop, where that is held. */
  readonly hold?: HopHold;
  /** What the trace tells of it, from its coming into the queue on. */
  readonly events: readonly TraceEvent[];
}

const operation = operationsOn<Surroundings>();

const text = z.string().max(1024);
const id = z.int().min(1);
const nextHop = z.strictObject({
  kind: z.enum(['relay', 'drop']),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'no name of a relay or drop directory'),
});
const filter = {
  nextHop: nextHop.optional(),
  state: z.enum(QUEUE_STATES).optional(),
  traceId: text.optional(),
  reversePath: text.optional(),
  recipient: text.optional(),
  olderThanMs: z.int().min(0).optional(),
};
const change = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['hold', 'release', 'retry', 'delete']) }),
  z.strictObject({ kind: z.literal('reroute'), nextHop }),
  z.strictObject({ kind: z.literal('prioritize'), priority: z.int().min(-10).max(10) }),
]);
const changeInput = z.strictObject({
  ...filter,
  ids: z.array(id).max(QUEUE_SELECTION_IDS).optional(),
  change,
  /** Refused when more items than these fit. */
  most: z.int().min(0).max(QUEUE_SELECTION_IDS).optional(),
});

/** By name. */
export const QUEUE_OPERATIONS: readonly (readonly [string, Operation<Surroundings>])[] = [
  operation(
    'queue.list',
    z.strictObject({ ...filter, limit: z.int().min(1).max(1000), after: z.int().min(0).optional() }),
    async ({ store: { queue }, clock }, { limit, after, ...asked }): Promise<QueueReport> => ({
      items: await queue.list(filterOf(asked, clock), limit, after as QueueId | undefined),
      counts: await queue.count(),
      holds: await queue.heldHops(),
    }),
  ),
  operation('queue.show', z.strictObject({ id }), (surroundings, input) =>
    showItem(surroundings, input.id as QueueId),
  ),
  operation('queue.change', changeInput, changeItems),
];

type AskedFilter = Omit<QueueFilter, 'traceId' | 'createdBefore'> & {
  readonly traceId?: string | undefined;
  readonly olderThanMs?: number | undefined;
};

function filterOf({ traceId, olderThanMs, ...asked }: AskedFilter, clock: Clock): QueueFilter {
  const createdBefore = olderThanMs === undefined ? undefined : ((clock.now() - olderThanMs) as UnixMs);
  return { ...asked, traceId: traceId === undefined ? undefined : traceIdOf(traceId), createdBefore };
}

function traceIdOf(given: string): TraceId {
  const traceId = parseTraceId(given);
  if (traceId === undefined) throw new MailError('invalid', `“${given}” is no trace id.`);
  return traceId;
}

async function showItem({ store, trace }: Surroundings, asked: QueueId): Promise<QueueItemReport> {
  const { queue } = store;
  const item = await queue.find(asked);
  if (item === undefined)
    throw new MailError('invalid', `There is no item ${asked} in the queue (any more).`);
  const hold = (await queue.heldHops()).find(
    ({ nextHop: { kind, name } }) => kind === item.nextHop.kind && name === item.nextHop.name,
  );
  const events = (await trace.find(item.traceId))?.events ?? [];
  return {
    item,
    ...(hold === undefined ? {} : { hold }),
    events: events.filter((event) => isAbout(event, item)),
  };
}

/** The coming of the item, and what happened in the queue to its recipient. */
function isAbout({ kind, fields }: TraceEvent, { id: itemId, recipient }: QueueItem): boolean {
  if (kind === 'queued') return fields.queueId === itemId;
  return QUEUE_EVENT_KINDS.has(kind) && fields.recipient === recipient;
}

const QUEUE_EVENT_KINDS: ReadonlySet<TraceEvent['kind']> = new Set([
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
]);

async function changeItems(
  surroundings: Surroundings,
  { ids, change: asked, most, ...conditions }: z.infer<typeof changeInput>,
): Promise<QueueChanged> {
  const {
    store: { queue },
    clock,
    sending,
  } = surroundings;
  // What waits for a hop that nobody has made never leaves.
  if (asked.kind === 'reroute' && !isConfigured(asked.nextHop, surroundings)) {
    const { kind, name } = asked.nextHop;
    const what = kind === 'relay' ? 'relay' : 'drop directory';
    throw new MailError('invalid', `There is no ${what} “${name}” in the configuration.`);
  }
  const asks = filterOf(conditions, clock);
  if (most !== undefined && (await queue.list(asks, most + 1)).length > most)
    throw new MailError('cannot', `More than ${most} items fit: say --yes if all of them are to be deleted.`);
  const selection: QueueSelection = { ...asks, ids: ids as readonly QueueId[] | undefined };
  const changed = await queue.change(selection, asked, clock.now());
  // Due at once is not tried at once where the hop has a pause.
  if (asked.kind === 'retry') for (const hop of changed.hops) sending?.outbound.retryHop(hop);
  return changed;
}
