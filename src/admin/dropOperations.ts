/**
 * Operations about drop directories, with the check of their input (operation.ts): how they stand, a try, hold and release.
 */

import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { SECOND_MS } from '../base/units.ts';
import type { Store } from '../store/contract/store.ts';
import type { RelayCheck } from '../transfer/relay.ts';
import type { DropConfig } from '../config/dropKeys.ts';
import { reportDrops } from './dropReport.ts';
import { operationsOn } from './operation.ts';
import type { Sending } from './sending.ts';

/** A try is ended after so long: a share that is away may never answer. */
const CHECK_DEADLINE_MS = 30 * SECOND_MS;

/** What these operations work on; `sending` is there where a server runs. */
export interface DropSurroundings {
  readonly clock: Clock;
  readonly store: Pick<Store, 'queue'>;
  /** As configured. */
  drops(): readonly DropConfig[];
  readonly sending?: Sending;
}

const operation = operationsOn<DropSurroundings>();
const name = z.string().min(1).max(64);

/** The operations, for the table of operations.ts. */
export const DROP_OPERATIONS = [
  operation('server.drop.list', z.strictObject({}), ({ sending, store, clock }) =>
    reportDrops(running(sending), store.queue, clock),
  ),
  operation('server.drop.show', z.strictObject({ name }), async (surroundings, input) => {
    const { sending, store, clock } = surroundings;
    const reports = await reportDrops(running(sending), store.queue, clock);
    const found = reports.find((report) => report.name === input.name);
    if (found === undefined) throw unknownDrop(input.name, reports);
    return found;
  }),
  operation('server.drop.test', z.strictObject({ name }), (surroundings, input) =>
    test(surroundings, input.name),
  ),
  operation(
    'drop.hold',
    z.strictObject({ name, reason: z.string().max(500).optional() }),
    async ({ clock, store, drops }, { name: wanted, reason = 'an administrator said so' }) => {
      if (!isConfigured(drops(), wanted)) throw unknownDrop(wanted, drops());
      const since = clock.now();
      await store.queue.holdHop({ kind: 'drop', name: wanted }, { by: 'administrator', reason, since });
    },
  ),
  operation('drop.release', z.strictObject({ name }), async ({ store, drops, sending }, { name: wanted }) => {
    const nextHop = { kind: 'drop', name: wanted } as const;
    const isHeld = (await store.queue.heldHops()).some(
      (hold) => hold.nextHop.kind === 'drop' && hold.nextHop.name === wanted,
    );
    if (!isHeld && !isConfigured(drops(), wanted)) throw unknownDrop(wanted, drops());
    await store.queue.holdHop(nextHop, undefined);
    sending?.outbound.retryHop(nextHop);
  }),
];

async function test({ sending, clock }: DropSurroundings, wanted: string): Promise<RelayCheck> {
  const { drops, outbound } = running(sending);
  const nextHop = { kind: 'drop', name: wanted } as const;
  const abort = new AbortController();
  const silent = Promise.withResolvers<RelayCheck>();
  const deadline = clock.after(CHECK_DEADLINE_MS, () => {
    abort.abort();
    silent.resolve({ isReady: false, steps: ['the directory does not answer'] });
  });
  try {
    const check = await Promise.race([outbound.checkHop(nextHop, abort.signal), silent.promise]);
    if (check === undefined) throw unknownDrop(wanted, drops.all());
    // What waits need not wait until a pause is over that has no reason any more.
    if (check.isReady) outbound.retryHop(nextHop);
    return check;
  } finally {
    deadline.clear();
  }
}

function isConfigured(drops: readonly DropConfig[], wanted: string): boolean {
  return drops.some((drop) => drop.name === wanted);
}

function running(sending: Sending | undefined): Sending {
  if (sending === undefined) throw new MailError('cannot', 'no server runs on this data directory');
  return sending;
}

function unknownDrop(wanted: string, known: readonly { readonly name: string }[]): MailError {
  const names = known.map((drop) => drop.name).join(', ');
  const others =
    names === '' ? 'none is in the configuration ([[drops]], docs/DROP.md)' : `there are: ${names}`;
  return new MailError('notFound', `There is no drop directory “${wanted}”; ${others}.`);
}
