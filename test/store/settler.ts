/**
 * A process that only settles: opens a store, puts items into the queue where there are none, and delivers a report for one item
 * after the other from several sides at once, each of which settles its item. Prints `ack <id>` for each that the store
 * acknowledged. Killed by kill.test.ts, for which it waits behind so many that the test's three kills find items left: whoever
 * kills may be late.
 *
 * Arguments: directory, and `apart` to settle the item before its report is delivered, which is the fault that the tests must notice:
 * it kills itself between the two, for all sides are at the same point most of the time, and often that is another one.
 */

import { writeSync } from 'node:fs';

import { systemClock } from '../../src/base/clock.ts';
import { newTraceId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import type { QueueItem } from '../../src/store/contract/queue.ts';
import type { QueueSettlement } from '../../src/store/contract/queueWork.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { draftOf, plannedDelivery, plannedItem } from './contract/house.ts';

const ADDRESS = 'in@app.example';
const ITEMS = 1_000;
const AT_A_TIME = 10;
/** Settled well before it kills itself. */
const APART_ITEMS = 50;
/** Settled before it waits to be killed. */
const ITEMS_PER_RUN = 300;

const [directory = '', fault = ''] = process.argv.slice(2);
const store = await openStore({ directory, clock: systemClock, log: silentLog });
const accountId = await findAccount();
const items = [...(await store.queue.list({}, ITEMS))].slice(0, fault === 'apart' ? ITEMS : ITEMS_PER_RUN);
tell('ready');
await Promise.all(Array.from({ length: AT_A_TIME }, settleOn));
setInterval(() => {}, 1_000);

async function settleOn(): Promise<void> {
  for (let item = items.shift(); item !== undefined; item = items.shift()) await settleOne(item);
}

async function settleOne({ id }: QueueItem): Promise<void> {
  const settlements: readonly QueueSettlement[] = [{ kind: 'done', id }];
  if (fault === 'apart') {
    await store.queue.settle(settlements);
    if (items.length <= ITEMS - APART_ITEMS) process.kill(process.pid, 'SIGKILL');
  }
  await store.deliveries.deliver({
    ...plannedDelivery(await draftOf(store, Buffer.from(`Subject: ${id}\r\n\r\n`))),
    traceId: newTraceId(systemClock.now()),
    copies: [{ accountId, recipient: ADDRESS }],
    ...(fault === 'apart' ? {} : { settled: { settlements } }),
  });
  tell(`ack ${id}`);
}

async function findAccount() {
  const found = await store.directory.findAccount(ADDRESS);
  if (found !== undefined) return found.id;
  await store.directory.addDomain('app.example', {});
  const account = await store.directory.addAccount({ address: ADDRESS, passwordHash: '$x$' });
  await store.deliveries.deliver({
    ...plannedDelivery(await draftOf(store, Buffer.from('\r\n'))),
    queued: Array.from({ length: ITEMS }, (_none, index) => plannedItem(`m${index}@example.org`)),
  });
  return account.id;
}

/** At once and not through a stream: what is printed must be out when the process is killed. */
function tell(line: string): void {
  writeSync(1, `${line}\n`);
}
