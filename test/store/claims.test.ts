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

t.test(
  'a claim that is asked for is held as long as it is said, never shorter, and no other one is made',
  async (t) => {
    const data = createDataDirectory(t);
    const store = await data.open();
    const tenant = await addTenant(store);
    const begun = data.clock.now();
    const after = (days: number) => (begun + days * DAY_MS) as UnixMs;
    const claim = { ...claimOf('file', tenant.address, 'pickup'), expiresAt: after(30) };
    const { traceId } = await deliverOnce(store, '', [tenant], { claims: [claim] });
    const renew = (days: number, key = claim.key) => store.deliveries.renewClaim(key, after(days));
    t.equal(await renew(1), traceId);
    data.clock.advance(29 * DAY_MS);
    t.equal(await renew(59), traceId);
    t.equal(await renew(59, 'd'.repeat(32)), undefined);
    data.clock.advance(29 * DAY_MS);
    await store.maintain();
    t.equal(await store.deliveries.isClaimed(claim.key, data.clock.now()), true, 'not swept');
    data.clock.advance(DAY_MS);
    t.equal(await renew(99), undefined, 'what is over is not brought back');
    await store.maintain();
    t.equal(data.ask('SELECT count(*) FROM claim'), 0);
  },
);

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
