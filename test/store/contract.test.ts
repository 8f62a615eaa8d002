/**
 * The contract suite on the SQLite store. A second implementation adds a file like this one.
 */

import { join } from 'node:path';
import t from 'tap';

import { silentLog } from '../../src/base/log.ts';
import type { Store } from '../../src/store/contract/store.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { createTestClock } from '../support/clock.ts';
import { testContents } from './contract/contents.ts';
import { testDeliveries } from './contract/deliveries.ts';
import { testEntries } from './contract/entries.ts';
import type { StoreOf } from './contract/house.ts';
import { testLifecycle } from './contract/lifecycle.ts';
import { testMailboxes } from './contract/mailboxes.ts';
import { testRandomly } from './contract/random.ts';

const directory = t.testdir();
const options = { clock: createTestClock(), log: silentLog };
let shared: Promise<Store> | undefined;
const opened: Store[] = [];

const newStore: StoreOf = async () => {
  const store = await openStore({ ...options, directory: join(directory, String(opened.length)) });
  opened.push(store);
  return store;
};
const storeOf: StoreOf = () => {
  shared ??= newStore();
  return shared;
};
t.teardown(async () => {
  for (const store of opened) await store.close();
});

testContents(t, storeOf);
testDeliveries(t, storeOf);
testMailboxes(t, storeOf);
testEntries(t, storeOf);
testLifecycle(t, storeOf, newStore);
testRandomly(t, storeOf);
