/** Logins by device code, refresh tokens in the sealed vault, and what an access token says, against a token server over https. */

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { Writable } from 'node:stream';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t, { type Test } from 'tap';

import { type Clock, systemClock } from '../../src/base/clock.ts';
import { createLog, silentLog } from '../../src/base/log.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { lacksOf, readAccessToken } from '../../src/exchange/tokens/accessToken.ts';
import { loginWarning } from '../../src/exchange/tokens/loginExpiry.ts';
import { createTokenClient } from '../../src/exchange/tokens/tokenClient.ts';
import type { TokenVault } from '../../src/exchange/tokens/tokenVault.ts';
import { createRelayLogins, LOGIN_QUESTION_MS, type LoginState } from '../../src/admin/relayLogin.ts';
import { createTokenVault } from '../../src/admin/tokenVault.ts';
import { createTestClock } from '../support/clock.ts';
import { openTokenServer, type TokenServerOptions, tokenOptions } from '../support/tokenServer.ts';

t.setTimeout(600_000);
const CLIENT = 'aaaaaaaa-0000-0000-0000-000000000002';
const USER = 'scanner@contoso.example';
const never = new AbortController().signal;

/** A public application, a store with its vault, and what an administrator has. */
async function openSite(t: Test, options: TokenServerOptions = {}) {
  const server = await openTokenServer(t, options);
  server.issuer.clients.set(CLIENT, { clientId: CLIENT, isPublic: true });
  const clock = createTestClock();
  const directory = t.testdir();
  const store = await openStore({ directory, clock: systemClock, log: silentLog });
  t.teardown(() => store.close());
  const vault = createTokenVault(store.secrets);
  const written: string[] = [];
  const log = createLog(
    new Writable({ write: (chunk, _encoding, done) => done(void written.push(String(chunk))) }),
    'debug',
  );
  const settings = tokenOptions(server, CLIENT, { kind: 'user' });
  const waits: number[] = [];
  const site = { beforeWait: async (_count: number): Promise<void> => {} };
  /** Waits take no time: each is told, and the clock is where it ends. */
  const waiting: Clock = {
    ...clock,
    sleep: async (ms, signal) => {
      waits.push(ms);
      await site.beforeWait(waits.length);
      await nextTurn();
      signal?.throwIfAborted();
      clock.advance(ms);
    },
  };
  const surroundings = { clock: waiting, log, vault, random: () => 0.5 };
  const logins = createRelayLogins(surroundings);
  t.teardown(() => logins.close());
  const openClient = (changed: Partial<TokenVault> = {}) => {
    const client = createTokenClient(settings, { ...surroundings, vault: { ...vault, ...changed } });
    t.teardown(() => client.close());
    return client;
  };
  return Object.assign(site, {
    server,
    clock,
    directory,
    store,
    vault,
    written,
    settings,
    logins,
    openClient,
    waits,
  });
}

type Site = Awaited<ReturnType<typeof openSite>>;

/** How the login ends, however often one has to ask. */
async function endOf({ logins }: Pick<Site, 'logins'>): Promise<LoginState> {
  for (;;) {
    const state = await logins.state('cloud');
    if (state.kind !== 'pending') return state;
  }
}

/** Begins a login, lets `USER` agree and answers how it ended. */
async function logIn(site: Site) {
  const { server, logins, settings } = site;
  const begun = await logins.begin(settings, () => {});
  if (begun.kind !== 'begun') throw new Error(begun.reason);
  server.issuer.decide(begun.userCode, { user: USER });
  return endOf(site);
}

t.test('somebody enters the code, and the refresh token is kept sealed', async (t) => {
  const site = await openSite(t);
  const { server, logins, settings, vault, clock, waits } = site;
  t.same(await logins.state('cloud'), { kind: 'none' });
  let done = 0;
  const begun = await logins.begin(settings, () => {
    done += 1;
  });
  if (begun.kind !== 'begun') throw new Error(begun.reason);
  t.match(begun, {
    userCode: /^[0-9A-F]{9}$/,
    verificationUri: /^https:/,
    endsInMs: 900 * SECOND_MS,
  });
  t.match(begun.message, begun.userCode);
  site.beforeWait = async (count) => {
    if (count === 3) server.issuer.decide(begun.userCode, { user: USER });
  };
  t.same(await endOf(site), { kind: 'loggedIn', user: USER });
  t.strictSame(waits, [5000, 5000, 5000], 'no more often than it was told');
  t.equal(done, 1);
  t.same(await logins.state('cloud'), { kind: 'none' }, 'told once');
  const kept = await vault.loadRefreshToken('cloud');
  t.match(kept, {
    user: USER,
    clientId: CLIENT,
    tenant: server.tenant,
    loggedInAt: clock.now(),
    renewedAt: clock.now(),
  });
  await site.store.close();
  for (const name of readdirSync(site.directory))
    t.notOk(readFileSync(join(site.directory, name)).includes(kept?.token ?? ''), name);
  const secrets = [kept?.token ?? '', ...server.secrets()];
  t.strictSame(
    secrets.filter((secret) => site.written.join('\n').includes(secret)),
    [],
  );
});

t.test('slow_down and trouble make the questions rarer, a question waits for ten seconds', async (t) => {
  const site = await openSite(t);
  const { server, logins, settings, clock, waits } = site;
  const { promise: fourth, resolve: reached } = Promise.withResolvers<void>();
  const { promise: given, resolve: giveWay } = Promise.withResolvers<void>();
  site.beforeWait = async (count) => {
    if (count < 4) return;
    reached();
    await given;
  };
  server.order({ kind: 'refuse', error: 'slow_down', code: 0 });
  server.order({ kind: 'status', status: 503 });
  server.order({ kind: 'cut' });
  await logins.begin(settings, () => {});
  await fourth;
  t.strictSame(waits, [5000, 10_000, 20_000, 40_000]);
  const state = logins.state('cloud');
  clock.advance(LOGIN_QUESTION_MS);
  t.same(await state, { kind: 'pending' });
  giveWay();
});

t.test('an endpoint that asks for no wait is asked once a second', async (t) => {
  const site = await openSite(t, { deviceInterval: 0.01 });
  const begun = await site.logins.begin(site.settings, () => {});
  if (begun.kind !== 'begun') throw new Error(begun.reason);
  site.beforeWait = async (count) => {
    if (count === 2) site.server.issuer.decide(begun.userCode, { user: USER });
  };
  t.same(await endOf(site), { kind: 'loggedIn', user: USER });
  t.strictSame(site.waits, [1000, 1000]);
});

t.test('a login that is declined, forgotten or given up says so', async (t) => {
  const site = await openSite(t, { deviceSeconds: 60 });
  const { server, logins, settings } = site;
  const first = await logins.begin(settings, () => {});
  if (first.kind !== 'begun') throw new Error(first.reason);
  server.issuer.decide(first.userCode, 'declined');
  t.match(await endOf(site), {
    kind: 'refused',
    reason: /declined/,
    advice: /hauspost relay login cloud/,
  });
  await logins.begin(settings, () => {});
  t.match(await endOf(site), { kind: 'refused', reason: /in time/ });
  site.beforeWait = () => new Promise((resolve) => setImmediate(resolve));
  await logins.begin(settings, () => {});
  const state = endOf(site);
  await logins.begin(settings, () => {});
  t.match(await state, { kind: 'unavailable', reason: /given up/ }, 'by a second one');
  server.issuer.clients.clear();
  t.match(await logins.begin(settings, () => {}), { kind: 'refused', advice: new RegExp(CLIENT) });
});

t.test(
  'a refresh token is used, and the one that comes is on disk before the access token is handed out',
  async (t) => {
    const site = await openSite(t, { rotation: 'strict' });
    t.same(await logIn(site), { kind: 'loggedIn', user: USER });
    const { clock, vault, openClient, server } = site;
    const saved: string[] = [];
    const client = openClient({
      saveRefreshToken: async (name, kept) => {
        t.equal(client.status().state, 'unasked', 'nobody has the access token yet');
        await vault.saveRefreshToken(name, kept);
        saved.push(kept.token);
      },
    });
    const loggedIn = (await vault.loadRefreshToken('cloud'))?.token;
    t.match(await client.token(never), { kind: 'token' });
    t.equal(saved.length, 1);
    t.not(saved[0], loggedIn);
    t.equal((await vault.loadRefreshToken('cloud'))?.token, saved[0]);
    clock.advance(HOUR_MS);
    t.match(await openClient().token(never), { kind: 'token' }, 'another process goes on from there');
    t.notOk(server.requests.some(({ form }) => form.has('client_secret')));
  },
);

t.test('a refresh token that cannot be kept is not lost, and its access token waits', async (t) => {
  const site = await openSite(t, { rotation: 'strict' });
  await logIn(site);
  const { clock, vault, server, openClient } = site;
  let isFull = true;
  const client = openClient({
    saveRefreshToken: async (name, kept) => {
      if (isFull) throw new Error('the disk is full');
      await vault.saveRefreshToken(name, kept);
    },
  });
  t.match(await client.token(never), { kind: 'unavailable', reason: /cannot be kept: the disk is full/ });
  const before = server.requests.length;
  isFull = false;
  clock.advance(MINUTE_MS);
  t.match(await client.token(never), { kind: 'token' });
  t.equal(server.requests.length, before, 'without another request');
  clock.advance(HOUR_MS);
  t.match(await client.token(never), { kind: 'token' });
});

t.test('a login that was ended is refused once, and the next login is taken at once', async (t) => {
  const site = await openSite(t);
  const { server, clock, openClient, directory } = site;
  const client = openClient();
  t.match(await client.token(never), { kind: 'refused', reason: /nobody has logged in/ });
  await logIn(site);
  t.match(await client.token(never), { kind: 'token' });
  server.issuer.revokeLogins();
  clock.advance(2 * HOUR_MS);
  t.match(await client.token(never), {
    kind: 'refused',
    reason: /revoked/,
    advice: 'Run `hauspost relay login cloud` and log in once more.',
  });
  const before = server.requests.length;
  t.match(await client.token(never), { kind: 'refused' });
  t.equal(server.requests.length, before);
  await logIn(site);
  t.match(await client.token(never), { kind: 'token' });
  clock.advance(2 * HOUR_MS);
  rmSync(join(directory, 'hauspost.key'));
  const restarted = createTokenVault((await reopened(t, site)).secrets);
  t.match(await openClient(restarted).token(never), {
    kind: 'refused',
    reason: /hauspost\.key, is missing/,
    advice: /backup/,
  });
});

async function reopened(t: Test, { store, directory }: Site) {
  await store.close();
  const again = await openStore({ directory, clock: systemClock, log: silentLog });
  t.teardown(() => again.close());
  return again;
}

t.test('a login that nobody uses is warned of after 60 days', async (t) => {
  const site = await openSite(t);
  const { clock, vault } = site;
  t.match(await loginWarning('cloud', vault, clock.now()), /nobody has logged in/);
  await logIn(site);
  t.equal(await loginWarning('cloud', vault, clock.now()), undefined);
  clock.advance(60 * DAY_MS - 1);
  t.equal(await loginWarning('cloud', vault, clock.now()), undefined);
  clock.advance(1);
  t.match(await loginWarning('cloud', vault, clock.now()), /60 days, and Microsoft ends it on 2026-04-15/);
  clock.advance(30 * DAY_MS);
  t.match(await loginWarning('cloud', vault, clock.now()), /has ended it: run `hauspost relay login cloud`/);
});

t.test('what a token says is read without being believed, and what it lacks is told', async (t) => {
  const site = await openSite(t);
  const { server } = site;
  await logIn(site);
  const answer = await site.openClient().token(never);
  const claims = readAccessToken(answer.kind === 'token' ? answer.token : '');
  t.match(claims, {
    audience: 'https://outlook.office.com',
    scopes: ['SMTP.Send'],
    roles: [],
    tenant: server.tenant,
    clientId: CLIENT,
    user: USER,
  });
  if (claims === undefined) return;
  const wanted = { use: 'smtp', isApplication: false, clientId: CLIENT } as const;
  t.same(lacksOf(claims, wanted), []);
  t.match(lacksOf(claims, { ...wanted, isApplication: true }), [/SMTP\.SendAsApp.*admin consent/]);
  t.match(lacksOf(claims, { ...wanted, use: 'graph' }), [/not for Microsoft Graph/, /Mail\.Send/]);
  t.match(lacksOf(claims, { ...wanted, clientId: 'another' }), [/not of another/]);
  for (const odd of ['', 'opaque', 'a.b.c', 'e30', `a.${Buffer.from('[1]').toString('base64url')}.c`])
    t.equal(readAccessToken(odd), undefined, odd);
  const hostile = Buffer.from(
    JSON.stringify({ aud: 'a\r\n\u001b[2Jb', roles: 7, scp: ['x'], exp: 'soon', upn: { a: 1 } }),
  ).toString('base64url');
  t.match(readAccessToken(`x.${hostile}.y`), { audience: 'a [2Jb', roles: [], scopes: [], user: undefined });
});
