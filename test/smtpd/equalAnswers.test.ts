/**
 * Nobody learns from AUTH which names exist: an unknown name, a wrong password, a disabled account and one without a secret are
 * answered with the same words after the same work, by each mechanism. Work is counted, not timed: hashes of passwords, secrets
 * that were unsealed, questions to the directory.
 */

import t, { type Test } from 'tap';

import { silentLog } from '../../src/base/log.ts';
import { createAccounts } from '../../src/accounts/accounts.ts';
import { createPasswordHasher } from '../../src/accounts/password.ts';
import { networkAddresses } from '../../src/admin/networkAddresses.ts';
import { systemClock } from '../../src/base/clock.ts';
import { type Client, secureClient } from '../support/sockets.ts';
import { ask, DOMAIN, openSmtpSite } from './harness.ts';

const site = await openSmtpSite(t);
const { store, ipRanges, administration } = site.site;
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Both take the time of one hash, whatever comes of it. */
const SAME: ReadonlyMap<string, string> = new Map([
  ['verify', 'hash'],
  ['refuse', 'hash'],
]);

/** An object whose calls are counted under `name`. */
function counted<T extends object>(target: T, name: string, counts: Map<string, number>): T {
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        const call = SAME.get(String(key)) ?? `${name}.${String(key)}`;
        counts.set(call, (counts.get(call) ?? 0) + 1);
        return value.apply(object, given);
      };
    },
  });
}

const counts = new Map<string, number>();
const accounts = createAccounts({
  directory: counted(store.directory, 'directory', counts),
  mailboxes: store.mailboxes,
  secrets: counted(store.secrets, 'secrets', counts),
  passwords: counted(
    createPasswordHasher({ clock: systemClock, cost: { memoryKib: 8, passes: 1, parallelism: 1 } }),
    'passwords',
    counts,
  ),
  addresses: networkAddresses,
  ipRanges,
  clock: systemClock,
  log: silentLog,
  options: {},
});
await administration.secrets.set(`archive@${DOMAIN}`, 'the secret');

/** Who is refused: names of a domain of ours, and why. */
const REFUSED: readonly (readonly [why: string, name: string])[] = [
  ['a wrong password', `tickets@${DOMAIN}`],
  ['a wrong password of who has a secret as well', `archive@${DOMAIN}`],
  ['a disabled account', `gone@${DOMAIN}`],
  ['an unknown name', `nobody@${DOMAIN}`],
  ['an unknown name of an unknown domain', 'nobody@elsewhere.example'],
];

const LOGINS: Readonly<Record<string, (client: Client, name: string) => Promise<string>>> = {
  PLAIN: (client, name) => ask(client, `AUTH PLAIN ${base64(`\0${name}\0wrong`)}\r\n`, '\\d'),
  LOGIN: async (client, name) => {
    await ask(client, 'AUTH LOGIN\r\n', '334');
    await ask(client, `${base64(name)}\r\n`, '334');
    return ask(client, `${base64('wrong')}\r\n`, '\\d');
  },
  'CRAM-MD5': async (client, name) => {
    await ask(client, 'AUTH CRAM-MD5\r\n', '334');
    return ask(client, `${base64(`${name} ${'0'.repeat(32)}`)}\r\n`, '\\d');
  },
};

/** What is said and done in a refused login. */
async function refuse(t: Test, mechanism: string, name: string) {
  const server = await site.serve(t, { role: 'submission', accounts });
  const plain = await server.greeted();
  await ask(plain, 'STARTTLS\r\n', '220');
  const client = await secureClient(t, plain.socket);
  t.match(await ask(client, 'EHLO client.example.org\r\n', '250 '), mechanism, 'the mechanism is offered');
  counts.clear();
  const reply = (await LOGINS[mechanism]?.(client, name)) ?? '';
  // A look at the form of a stored hash takes microseconds.
  counts.delete('passwords.isReadable');
  return { reply, work: Object.fromEntries([...counts].sort()) };
}

for (const mechanism of Object.keys(LOGINS))
  t.test(`${mechanism}: nobody learns which names exist`, async (t) => {
    const [[, first = ''] = []] = REFUSED;
    const expected = await refuse(t, mechanism, first);
    t.match(expected.reply, /^535 5\.7\.8 /);
    const hashes = expected.work.hash ?? 0;
    t.equal(hashes, mechanism === 'CRAM-MD5' ? 0 : 1, 'a password is hashed once');
    for (const [why, name] of REFUSED) t.same(await refuse(t, mechanism, name), expected, why);
  });
