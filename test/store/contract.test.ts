/**
 * The contract suite on the SQLite store. A second implementation adds a file like this one.
 */

import { join } from 'node:path';
import t from 'tap';

import { silentLog } from '../../src/base/log.ts';
import type { Store } from '../../src/store/contract/store.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { createTestClock } from '../support/clock.ts';
import { CLAIM_TESTS } from './contract/claims.ts';
import { CONTENT_TESTS } from './contract/contents.ts';
import { DELIVERY_TESTS } from './contract/deliveries.ts';
import { ENTRY_TESTS } from './contract/entries.ts';
import type { ContractTests, StoreUnderTest } from './contract/house.ts';
import { LIFECYCLE_TESTS } from './contract/lifecycle.ts';
import { MAILBOX_TESTS } from './contract/mailboxes.ts';
import { QUEUE_TESTS } from './contract/queue.ts';
import { QUEUE_CHANGE_TESTS } from './contract/queueChange.ts';
import { QUEUE_WORK_TESTS } from './contract/queueWork.ts';
import { RANDOM_TESTS } from './contract/random.ts';
import { RETENTION_TESTS } from './contract/retention.ts';
import { ROUTING_TESTS } from './contract/routing.ts';
import { SECRET_TESTS } from './contract/secrets.ts';

t.setTimeout(300_000);

const directory = t.testdir();
const options = { clock: createTestClock(), log: silentLog };
let shared: Promise<Store> | undefined;
const opened: Store[] = [];

const under: StoreUnderTest = {
  newStore: async () => {
    const store = await openStore({ ...options, directory: join(directory, String(opened.length)) });
    opened.push(store);
    return store;
  },
  storeOf: () => {
    shared ??= under.newStore();
    return shared;
  },
};
const suites: readonly ContractTests[] = [
  CONTENT_TESTS,
  DELIVERY_TESTS,
  CLAIM_TESTS,
  MAILBOX_TESTS,
  ENTRY_TESTS,
  LIFECYCLE_TESTS,
  RANDOM_TESTS,
  RETENTION_TESTS,
  ROUTING_TESTS,
  SECRET_TESTS,
  QUEUE_TESTS,
  QUEUE_WORK_TESTS,
  QUEUE_CHANGE_TESTS,
];

t.teardown(async () => {
  for (const store of opened) await store.close();
});

for (const suite of suites)
  for (const [name, run] of Object.entries(suite)) t.test(name, (t) => run(t, under));
