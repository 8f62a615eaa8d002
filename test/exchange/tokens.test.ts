/** The token client against a token server over https: cache, renewal, refusals and trouble; and that nothing secret is ever written. */

import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t, { type Test } from 'tap';

import { createLog } from '../../src/base/log.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/base/units.ts';
import type { TokenAnswer } from '../../src/exchange/accessTokens.ts';
import type { TokenGrant } from '../../src/exchange/tokens/options.ts';
import { createTokenClient } from '../../src/exchange/tokens/tokenClient.ts';
import type { TokenVault } from '../../src/exchange/tokens/tokenVault.ts';
import { createTestClock } from '../support/clock.ts';
import { openTokenServer, type TokenServerOptions, tokenOptions } from '../support/tokenServer.ts';

const SECRET = 'planted~Secret/of+the=application';
const CLIENT = 'aaaaaaaa-0000-0000-0000-000000000001';
const NO_VAULT: TokenVault = {
  loadRefreshToken: () => Promise.reject(new Error('an application needs no vault')),
  saveRefreshToken: () => Promise.reject(new Error('an application needs no vault')),
};
const never = new AbortController().signal;

/** A server with an application that has a secret, and a client of it. */
async function openSite(t: Test, options: TokenServerOptions = {}, grant?: TokenGrant) {
  const server = await openTokenServer(t, options);
  const clock = createTestClock();
  const written: string[] = [];
  const log = createLog(
    new Writable({ write: (chunk, _encoding, done) => done(void written.push(String(chunk))) }),
    'debug',
  );
  server.issuer.clients.set(CLIENT, {
    clientId: CLIENT,
    secret: SECRET,
    roles: ['SMTP.SendAsApp'],
    mailbox: 'app@contoso.example',
  });
  const asked = { secret: SECRET as string | undefined };
  const secretGrant: TokenGrant = { kind: 'clientSecret', secret: async () => asked.secret };
  const settings = tokenOptions(server, CLIENT, grant ?? secretGrant);
  const client = createTokenClient(settings, { clock, log, vault: NO_VAULT, random: () => 0.5 });
  t.teardown(() => client.close());
  const token = async (rejected?: string): Promise<TokenAnswer> => {
    const answer = await client.token(never, rejected);
    const { token: _, ...told } = { token: '', ...answer };
    written.push(JSON.stringify(told), JSON.stringify(client.status()));
    return answer;
  };
  return { server, clock, client, token, written, asked };
}

/** A test on such a site; at its end nothing secret may stand in what was logged, answered and shown. */
function siteTest(
  name: string,
  run: (t: Test, site: Awaited<ReturnType<typeof openSite>>) => Promise<void>,
  options: TokenServerOptions = {},
): void {
  t.test(name, async (t) => {
    const site = await openSite(t, options);
    await run(t, site);
    const text = site.written.join('\n');
    const secrets = [SECRET, encodeURIComponent(SECRET), ...site.server.secrets()];
    t.ok(text.length > 0);
    t.strictSame(
      secrets.filter((secret) => text.includes(secret)),
      [],
      'nothing secret is written',
    );
  });
}

/** The token of an answer. */
function tokenOf(answer: TokenAnswer): string {
  if (answer.kind !== 'token') throw new Error(`no token: ${answer.reason}`);
  return answer.token;
}

siteTest('a hundred ask at a time, and one request is made', async (t, { server, client, token }) => {
  t.equal(client.status().state, 'unasked');
  const answers = await Promise.all(Array.from({ length: 100 }, () => token()));
  t.equal(server.requests.length, 1);
  t.equal(new Set(answers.map(tokenOf)).size, 1);
  t.strictSame(
    server.requests.map(({ form }) => Object.fromEntries(form)),
    [
      {
        grant_type: 'client_credentials',
        client_id: CLIENT,
        client_secret: SECRET,
        scope: 'https://outlook.office365.com/.default',
      },
    ],
  );
  t.equal(server.issuer.find(tokenOf(await token()))?.user, 'app@contoso.example');
  t.equal(server.requests.length, 1);
  t.match(client.status(), { state: 'good', endsInMs: HOUR_MS });
});

siteTest(
  'a token is renewed five minutes before its end, while the old one is still handed out',
  async (t, { server, clock, token }) => {
    const first = tokenOf(await token());
    clock.advance(55 * MINUTE_MS - 1);
    t.equal(tokenOf(await token()), first);
    t.equal(server.requests.length, 1);
    clock.advance(1);
    const release = server.hold();
    for (let times = 0; times < 50; times += 1) t.equal(tokenOf(await token()), first);
    release();
    while (tokenOf(await token()) === first) await nextTurn();
    t.equal(server.requests.length, 2);
  },
);
