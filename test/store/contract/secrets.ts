/**
 * Secrets: they come back as they were set, each to its owner, and go with their account.
 */

import { addTenant, type ContractTests } from './house.ts';

/** The suite of secrets. */
export const SECRET_TESTS: ContractTests = {
  'a secret comes back as it was set, for its purpose and owner alone': async (t, { newStore }) => {
    const store = await newStore();
    const { accountId } = await addTenant(store);
    const { accountId: other } = await addTenant(store);
    const { secrets } = store;
    t.equal(await secrets.isAny('cramMd5'), false);
    t.equal(await secrets.find({ purpose: 'cramMd5', owner: accountId }), undefined);
    await secrets.set({ purpose: 'cramMd5', owner: accountId }, 'öffne dich \0 "');
    await secrets.set({ purpose: 'cramMd5', owner: 'a connector' }, '');
    t.equal(await secrets.isAny('cramMd5'), true);
    t.equal(await secrets.find({ purpose: 'cramMd5', owner: accountId }), 'öffne dich \0 "');
    t.equal(await secrets.find({ purpose: 'cramMd5', owner: 'a connector' }), '');
    t.equal(await secrets.find({ purpose: 'cramMd5', owner: other }), undefined);
    t.equal(
      await secrets.find({ purpose: 'cramMd5', owner: String(accountId) }),
      undefined,
      'a name is no id',
    );
    await secrets.set({ purpose: 'cramMd5', owner: accountId }, 'another');
    t.equal(await secrets.find({ purpose: 'cramMd5', owner: accountId }), 'another');
  },

  'a secret is taken away, and goes with its account': async (t, { newStore }) => {
    const store = await newStore();
    const { accountId, address } = await addTenant(store);
    const name = { purpose: 'cramMd5', owner: accountId } as const;
    await store.secrets.set(name, 'one');
    t.equal(await store.secrets.remove(name), true);
    t.equal(await store.secrets.remove(name), false);
    t.equal(await store.secrets.find(name), undefined);
    await store.secrets.set(name, 'two');
    await store.directory.removeAccount(address);
    t.equal(await store.secrets.find(name), undefined);
    t.equal(await store.secrets.isAny('cramMd5'), false);
    await t.rejects(store.secrets.set(name, 'three'), { code: 'notFound' });
  },
};
