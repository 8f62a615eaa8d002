/** Claims of the SQLite store over time: how long one is held, that a restart changes nothing, and that nothing of them is left. */

import t from 'tap';
import type { UnixMs } from '../../src/base/clock.ts';
import { DAY_MS } from '../../src/base/units.ts';
import { CLAIM_SWEEP_ROWS } from '../../src/store/sqlite/limits.ts';
import { claimOf, deliverOnce } from './contract/claims.ts';
import { addTenant, patterned, draftOf } from './contract/house.ts';
import { createDataDirectory } from './dataDirectory.ts';

t.test('a claim is held for its time, also over a restart, and a hit does not lengthen it', async (t) => {
  const data = createDataDirectory(t);
  const first = await data.open();
  const tenant = await addTenant(first);
  const duplicates = async (store = first) => {
    const expiresAt = (data.clock.now() + 7 * DAY_MS) as UnixMs;
    const claims = [{ ...claimOf('m', tenant.address), expiresAt }];
    return (await deliverOnce(store, 'm', [tenant], { claims })).duplicates.length;
  };
  t.equal(await duplicates(), 0);
  data.clock.advance(7 * DAY_MS - 1);
  t.equal(await duplicates(), 1);
  await first.close();
  const second = await data.open();
  t.equal(await duplicates(second), 1);
  data.clock.advance(1);
  t.equal(await duplicates(second), 0, 'swept or not, it is over');
  t.equal(await duplicates(second), 1, 'and taken anew');
});

t.test('claims that are over are swept, in as many jobs as it takes, and the others stay', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const tenant = await addTenant(store);
  const count = 2 * CLAIM_SWEEP_ROWS + 1;
  const claims = Array.from({ length: count }, (_none, index) => ({
    ...claimOf(`old ${index}`, tenant.address),
    expiresAt: (data.clock.now() + DAY_MS) as UnixMs,
  }));
  await deliverOnce(store, '', [tenant], { claims });
  await deliverOnce(store, 'young', [tenant]);
  data.clock.advance(DAY_MS - 1);
  await store.maintain();
  t.equal(data.ask('SELECT count(*) FROM claim'), count + 1);
  data.clock.advance(1);
  await store.maintain();
  t.equal(data.ask('SELECT count(*) FROM claim'), 1);
});

t.test('nothing of a duplicate stays on disk, whatever its size', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const tenant = await addTenant(store);
  for (const octets of [1000, 1_000_000]) {
    for (let count = 0; count < 2; count += 1)
      await deliverOnce(store, String(octets), [tenant], { draft: await draftOf(store, patterned(octets)) });
  }
  await store.maintain();
  t.equal(data.ask('SELECT count(*) FROM content'), 2);
  t.equal(data.ask('SELECT count(DISTINCT id / 16384) FROM chunk'), 2);
  t.equal(data.ask('SELECT count(*) FROM orphan'), 0);
});
