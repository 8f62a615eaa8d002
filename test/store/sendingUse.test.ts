/**
 * What submitters have sent on a day, as the SQLite store counts it across midnight: with each delivery, for accounts and IP
 * ranges alike.
 */

import t from 'tap';
import type { SendingSubject } from '../../src/store/contract/sendingUse.ts';
import { deliverOnce } from './contract/claims.ts';
import { addTenant } from './contract/house.ts';
import { createDataDirectory } from './dataDirectory.ts';

t.test('a message that began before midnight does not take back what the new day has counted', async (t) => {
  const data = createDataDirectory(t);
  const store = await data.open();
  const tenant = await addTenant(store);
  const [range] = await store.directory.ipRanges();
  const subjects: readonly SendingSubject[] = [
    { kind: 'account', accountId: tenant.accountId },
    { kind: 'range', name: range?.name ?? '' },
  ];
  for (const subject of subjects) {
    const send = async (message: string, day: number) => {
      const sendingUse = { subject, day, recipients: 1, recipientsPerDayLimit: 2 };
      await deliverOnce(store, `${subject.kind} ${message}`, [tenant], { sendingUse });
    };
    await send('yesterday', 99);
    await send('one', 100);
    await send('two', 100);
    await send('late', 99);
    const today = { messages: 2, recipients: 2 };
    t.strictSame(await store.deliveries.sendingUse(subject, 100), today, subject.kind);
    await t.rejects(send('three', 100), { code: 'sendingLimit' }, 'the limit of the new day still holds');
    await send('after the clock went back for good', 50);
    t.strictSame(await store.deliveries.sendingUse(subject, 50), { messages: 1, recipients: 1 });
  }
});
