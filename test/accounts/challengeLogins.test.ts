/** Logins by a challenge: who has a secret for it, what others cost and are told, waits and bans, and what was proven. */

import t from 'tap';

import { silentLog } from '../../src/base/log.ts';
import type { SecretName } from '../../src/store/contract/secrets.ts';
import { createAccounts } from '../../src/accounts/accounts.ts';
import { cramDigest } from '../../src/accounts/challengeLogins.ts';
import { createPasswordHasher } from '../../src/accounts/password.ts';
import { networkAddresses } from '../../src/admin/networkAddresses.ts';
import { createTestClock } from '../support/clock.ts';
import { openRoomSite } from '../support/site.ts';

const site = await openRoomSite(t);
const { store, administration } = site;
for (const name of ['tim', 'ben', 'gone', 'plain']) await site.addAccount(`${name}@app.example.com`);
const SECRETS = { tim: 'tanstaaftanstaaf', ben: 'another', gone: 'tanstaaftanstaaf' };
for (const [name, secret] of Object.entries(SECRETS))
  await administration.secrets.set(`${name}@app.example.com`, secret);
await administration.accounts.set('gone@app.example.com', { isEnabled: false });

const CHALLENGE = '<1896.697170952@postoffice.reston.mci.net>';

/** Accounts whose questions to the store are counted; nobody is trusted. */
function openAccounts(remoteIsTrusted = false) {
  const asked: string[] = [];
  const clock = createTestClock();
  const secrets = {
    ...store.secrets,
    find: (name: SecretName) => {
      asked.push('secret');
      return store.secrets.find(name);
    },
  };
  const directory = {
    ...store.directory,
    findCredentials: (...names: readonly string[]) => {
      asked.push('credentials');
      return store.directory.findCredentials(...names);
    },
  };
  const accounts = createAccounts({
    ...{ directory, secrets, mailboxes: store.mailboxes, clock, log: silentLog },
    passwords: createPasswordHasher({ clock, cost: { memoryKib: 8, passes: 1, parallelism: 1 } }),
    addresses: networkAddresses,
    ipRanges: remoteIsTrusted ? site.ipRanges : { rangeOf: () => undefined },
    options: { defaultDomain: 'app.example.com' },
  });
  const logIn = (loginName: string, digest: string, remoteAddress = '192.0.2.1') =>
    accounts.challengeLogins.authenticate({
      ...{ loginName, digest, challenge: CHALLENGE, protocol: 'smtp', remoteAddress },
    });
  return { accounts, logIn, asked, clock };
}

const right = cramDigest(SECRETS.tim, CHALLENGE);

t.test('the digest is that of RFC 2195', async (t) => {
  t.equal(right, 'b913a602c7eda7a495b4e6e7334d3890');
});

t.test('who has the secret gets in, by each form of the name', async (t) => {
  const { logIn } = openAccounts();
  for (const name of ['tim', 'TIM@app.example.com', 'APP\\tim'])
    t.match(
      await logIn(name, right),
      { kind: 'authenticated', account: { address: 'tim@app.example.com' } },
      name,
    );
});

t.test('all others are refused alike, and ask the store for as much', async (t) => {
  const cases: readonly (readonly [what: string, name: string, digest: string])[] = [
    ['a wrong secret', 'tim', cramDigest('wrong', CHALLENGE)],
    ["another's secret", 'ben', right],
    ['no such account', 'nobody', right],
    ['an account without a secret', 'plain', cramDigest('secret', CHALLENGE)],
    ['the secret in place of nobody', 'nobody', cramDigest('nobody has this one', CHALLENGE)],
    ['the secret in place of none', 'plain', cramDigest('nobody has this one', CHALLENGE)],
    ['a disabled account', 'gone', right],
  ];
  const questions = new Set<string>();
  for (const [what, name, digest] of cases) {
    const { logIn, asked } = openAccounts();
    t.strictSame(await logIn(name, digest), { kind: 'refused' }, what);
    questions.add(asked.join(' '));
  }
  t.equal(questions.size, 1, [...questions].join(' / '));
});

t.test('a secret for CRAM-MD5 is no password, and a password no such secret', async (t) => {
  const { accounts, logIn } = openAccounts();
  const request = { loginName: 'tim', protocol: 'smtp', remoteAddress: '192.0.2.1' };
  t.match(await accounts.authenticate({ ...request, password: SECRETS.tim }), { kind: 'refused' });
  t.match(await accounts.authenticate({ ...request, password: 'secret' }), { kind: 'authenticated' });
  t.match(await logIn('tim', cramDigest('secret', CHALLENGE)), { kind: 'refused' });
});

t.test('failures wait and are banned as those of passwords; what was proven is not held up', async (t) => {
  const { logIn, clock } = openAccounts();
  const wrong = (times: number) => cramDigest(`wrong ${times}`, CHALLENGE);
  t.match(await logIn('ben', cramDigest(SECRETS.ben, CHALLENGE)), { kind: 'authenticated' });
  const kinds: string[] = [];
  for (let times = 0; times < 11; times += 1) {
    const outcome = logIn('ben', wrong(times));
    const timer = setInterval(() => clock.advance(1000), 1);
    kinds.push((await outcome).kind);
    clearInterval(timer);
  }
  t.equal(kinds.at(-1), 'throttled', kinds.join(' '));
  t.match(await logIn('ben', cramDigest(SECRETS.ben, CHALLENGE)), { kind: 'authenticated' }, 'proven here');
  const elsewhere = '198.51.100.7';
  t.match(await logIn('ben', cramDigest(SECRETS.ben, CHALLENGE), elsewhere), { kind: 'authenticated' });
  t.match(await logIn('ben', wrong(99)), { kind: 'throttled' });
});

t.test('it is offered while somebody has a secret', async (t) => {
  const { accounts } = openAccounts();
  t.equal(await accounts.challengeLogins.areOffered(), true);
  for (const name of Object.keys(SECRETS)) await administration.secrets.remove(`${name}@app.example.com`);
  t.equal(await accounts.challengeLogins.areOffered(), false);
  await t.rejects(administration.secrets.remove('tim@app.example.com'), { code: 'notFound' });
  await t.rejects(administration.secrets.set('nobody@app.example.com', 'x'), { code: 'notFound' });
  await t.rejects(administration.secrets.set('tim@app.example.com', ''), { code: 'invalid' });
});
