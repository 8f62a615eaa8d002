/** Sealed secrets on disk: unreadable without the key, told when the key is missing or another one, and never another owner's. */

import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

import type { AccountId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { createSealing, KEY_FILE } from '../../src/store/sqlite/sealing.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { createTestClock } from '../support/clock.ts';

const CANNOT = { code: 'cannot' };

t.test('what is sealed is opened for its owner, and for nobody else', async (t) => {
  const directory = t.testdir();
  const sealing = createSealing(directory);
  t.equal(sealing.hasKey, false);
  const sealed = sealing.seal('secret', 'anna');
  t.equal(sealing.hasKey, true);
  t.equal(sealing.open(sealed, 'anna'), 'secret');
  t.equal(createSealing(directory).open(sealed, 'anna'), 'secret', 'after a restart');
  t.throws(() => sealing.open(sealed, 'ben'), CANNOT);
  t.notSame(sealing.seal('secret', 'anna'), sealed, 'no nonce is used twice');
  for (const at of sealed.keys()) {
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.throws(() => sealing.open(changed, 'anna'), CANNOT, `octet ${at}`);
  }
  for (const length of [0, 1, 28, sealed.length - 1])
    t.throws(() => sealing.open(sealed.subarray(0, length), 'anna'), CANNOT, `${length} octets`);
});

t.test("the key is nobody else's to read, and its loss is told", async (t) => {
  const directory = t.testdir({ [`${KEY_FILE}.new`]: 'left behind by a crash' });
  chmodSync(join(directory, `${KEY_FILE}.new`), 0o644);
  const sealed = createSealing(directory).seal('secret', 'anna');
  const path = join(directory, KEY_FILE);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.strictSame(readdirSync(directory), [KEY_FILE]);
  writeFileSync(path, Buffer.alloc(32, 7));
  t.throws(() => createSealing(directory).open(sealed, 'anna'), CANNOT, 'another key');
  writeFileSync(path, 'short');
  t.throws(() => createSealing(directory).open(sealed, 'anna'), CANNOT, 'no key');
  t.throws(() => createSealing(directory).seal('x', 'anna'), CANNOT, 'and nothing is overwritten');
  rmSync(path);
  t.throws(() => createSealing(directory).open(sealed, 'anna'), { code: 'cannot', message: /is missing/ });
});

t.test('no secret stands in the database, and a store without secrets has no key', async (t) => {
  const directory = t.testdir();
  const store = await openStore({ directory, clock: createTestClock(), log: silentLog });
  await store.secrets.find({ purpose: 'cramMd5', owner: 1 as AccountId });
  t.notOk(existsSync(join(directory, KEY_FILE)));
  await store.secrets.set({ purpose: 'cramMd5', owner: 'device' }, 'a secret of a device');
  await store.close();
  for (const name of readdirSync(directory))
    t.notOk(readFileSync(join(directory, name)).includes('secret of'), name);
});
