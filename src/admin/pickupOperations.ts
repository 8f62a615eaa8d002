/**
 * Operations about pickup directories, with the check of their input (operation.ts): how they stand, what is bad, another try.
 *
 * All of them need a running server: what is in a directory is its to say, and files are moved under its eyes alone.
 */

import { z } from 'zod';
import { MailError } from '../base/error.ts';
import { operationsOn } from './operation.ts';
import type { PickupReport } from './pickupReport.ts';
import type { Pickups } from './pickups.ts';

/** Bad files that are listed at one time. */
export const BAD_LIST_LIMIT = 1000;
/** Files that are moved back by one call with their names; `all` moves every one. */
const RETRIED_LIMIT = 10_000;
/** Octets of a file's name, each as an escape of four characters. */
const FILE_NAME_LIMIT_CHARS = 1024;

/** What these operations work on; `pickups` is there where a server runs. */
export interface PickupOperationSurroundings {
  readonly pickups?: Pickups;
}

const operation = operationsOn<PickupOperationSurroundings>();
const name = z.string().min(1).max(64);

/** The operations, for the table of operations.ts. */
export const PICKUP_OPERATIONS = [
  operation('server.pickup.list', z.strictObject({}), ({ pickups }) => running(pickups).reports()),
  operation('server.pickup.show', z.strictObject({ name }), async ({ pickups }, input) => {
    const reports = await running(pickups).reports();
    return reports.find((report) => report.name === input.name) ?? unknown(input.name, reports);
  }),
  operation(
    'server.pickup.bad',
    z.strictObject({ name, limit: z.int().min(1).max(BAD_LIST_LIMIT) }),
    async ({ pickups }, input) => {
      const files = await running(pickups).listBad(input.name, input.limit);
      return files ?? unknown(input.name, await running(pickups).reports());
    },
  ),
  operation(
    'server.pickup.retry',
    z.strictObject({
      name,
      files: z.array(z.string().min(1).max(FILE_NAME_LIMIT_CHARS)).max(RETRIED_LIMIT),
      all: z.boolean(),
    }),
    async ({ pickups }, { name: wanted, files, all }) => {
      const retried = await running(pickups).retry(wanted, { names: files, all });
      return retried ?? unknown(wanted, await running(pickups).reports());
    },
  ),
];

function running(pickups: Pickups | undefined): Pickups {
  if (pickups === undefined) throw new MailError('cannot', 'no server runs on this data directory');
  return pickups;
}

function unknown(wanted: string, reports: readonly PickupReport[]): never {
  const names = reports.map((report) => report.name).join(', ');
  const others =
    names === '' ? 'none is in the configuration ([[pickups]], docs/PICKUP.md)' : `there are: ${names}`;
  throw new MailError('notFound', `There is no pickup directory “${wanted}”; ${others}.`);
}
