/** The token client against a token server over https: cache, renewal, refusals and trouble; and that nothing secret is ever written. */

import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t, { type Test } from 'tap';

import { type Clock, type Timer, unixMs } from '../../src/base/clock.ts';
import { createLog, silentLog } from '../../src/base/log.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import type { TokenAnswer } from '../../src/exchange/accessTokens.ts';
import {
  LAST_USE_MS,
  LIFETIME_LIMIT_MS,
  REFUSAL_REST_MS,
  REQUEST_DEADLINE_MS,
  UNSAID_LIFETIME_MS,
  WAIT_LIMIT_MS,
} from '../../src/exchange/tokens/limits.ts';
import type { TokenGrant } from '../../src/exchange/tokens/options.ts';
import { createTokenClient } from '../../src/exchange/tokens/tokenClient.ts';
import { AADSTS_ROWS, meaningOfTokenError, OAUTH_ROWS } from '../../src/exchange/tokens/tokenErrors.ts';
import type { TokenVault } from '../../src/exchange/tokens/tokenVault.ts';
import { documentTokenErrors } from '../../bin/tokenLimits.ts';
import { findKey } from '../../src/config/keys.ts';
import { createAuthority } from '../support/authority.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import {
  openTokenServer,
  type TokenFault,
  type TokenServerOptions,
  tokenOptions,
} from '../support/tokenServer.ts';

t.setTimeout(300_000);
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
  const watched = watchRequests(clock);
  const surroundings = { clock: watched.clock, log, vault: NO_VAULT, random: () => 0.5 };
  const client = createTokenClient(settings, surroundings);
  t.teardown(() => client.close());
  const token = async (rejected?: string): Promise<TokenAnswer> => {
    const answer = await client.token(never, rejected);
    const { token: _, ...told } = { token: '', ...answer };
    written.push(JSON.stringify(told), JSON.stringify(client.status()));
    return answer;
  };
  const { isAsking, passWaits } = watched;
  return { server, clock, client, token, written, asked, isAsking, passWaits };
}

/**
 * A clock that knows of requests under way by their deadline. `passWaits` moves `clock` until a promise is settled, but never while a
 * request is: the network takes the machine's time, and on a busy one the deadline would pass before the answer is there.
 */
function watchRequests(clock: TestClock) {
  const requests = new Set<Timer>();
  const after: Clock['after'] = (delayMs, run) => {
    if (delayMs !== REQUEST_DEADLINE_MS) return clock.after(delayMs, run);
    const timer = clock.after(delayMs, run);
    requests.add(timer);
    return {
      clear: () => {
        requests.delete(timer);
        timer.clear();
      },
    };
  };
  const isAsking = () => requests.size > 0;
  const passWaits = async (promise: Promise<unknown>) => {
    while (await isPending(promise)) if (!isAsking()) clock.advance(100);
  };
  return { clock: { ...clock, after }, isAsking, passWaits };
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

siteTest('without a new token the old one is used to its end', async (t, site) => {
  const { server, clock, token, isAsking } = site;
  const first = tokenOf(await token());
  clock.advance(56 * MINUTE_MS);
  server.order({ kind: 'status', status: 503, retryAfter: '3600' }, 20);
  t.equal(tokenOf(await token()), first);
  await settled(server, 2);
  await waitFor(() => !isAsking());
  clock.advance(4 * MINUTE_MS - LAST_USE_MS - 1);
  t.equal(tokenOf(await token()), first);
  clock.advance(1);
  t.match(await token(), { kind: 'unavailable', reason: /temporarily_unavailable/ });
  t.equal(server.requests.length, 2, 'the endpoint asked for an hour');
  clock.advance(HOUR_MS);
  t.match(await token(), { kind: 'unavailable' });
});

siteTest('trouble that passes is waited for within the call', async (t, site) => {
  const { server, clock, token, isAsking } = site;
  server.order({ kind: 'status', status: 429, retryAfter: '1' }, 2);
  const answer = token();
  for (const count of [1, 2]) {
    await settled(server, count);
    await waitFor(() => !isAsking() && clock.pendingTimers === 1);
    t.equal(server.requests.length, count);
    clock.advance(2 * SECOND_MS);
  }
  t.match(await answer, { kind: 'token' });
  t.equal(server.requests.length, 3);
  t.ok(clock.monotonic() <= 4 * SECOND_MS, `${clock.monotonic()} ms`);
});

siteTest('waits grow, and nobody asks within them', async (t, { server, clock, token, passWaits }) => {
  server.order({ kind: 'status', status: 500, retryAfter: 'Thu, 15 Jan 2026 10:00:30 GMT' }, 100);
  // The endpoint's clock is this machine's, so that the date has passed: our own waits count.
  const waits: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    const before = server.requests.length;
    const answer = token();
    await passWaits(answer);
    const { kind, retryAfterMs = 0 } = { retryAfterMs: 0, ...(await answer) };
    t.equal(kind, 'unavailable');
    t.ok(server.requests.length > before);
    waits.push(retryAfterMs);
    const asked = server.requests.length;
    t.match(await token(), { kind: 'unavailable', retryAfterMs });
    clock.advance(retryAfterMs - 1);
    t.match(await token(), { kind: 'unavailable', retryAfterMs: 1 });
    t.equal(server.requests.length, asked);
    clock.advance(1);
  }
  t.ok(
    waits.every((wait, index) => index === 0 || wait >= (waits[index - 1] ?? 0)),
    waits.join(' '),
  );
  t.equal(waits.at(-1), WAIT_LIMIT_MS);
});

siteTest('a refusal is asked for once, until something changes', async (t, site) => {
  const { server, clock, client, token, asked, written } = site;
  asked.secret = 'another-secret-that-is-wrong';
  const refused = await token();
  t.match(refused, {
    kind: 'refused',
    reason: /the client secret is wrong.*AADSTS7000215.*correlation id/,
    advice: /relay secret cloud/,
  });
  for (let second = 0; second < 60; second += 1) {
    clock.advance(SECOND_MS);
    t.same(await token(), refused);
  }
  t.equal(server.requests.length, 1, 'one request in a minute');
  t.equal(written.filter((line) => line.includes('exchange.token.denied')).length, 1, 'one line in the log');
  t.match(client.status(), { state: 'refused', advice: /relay secret cloud/ });
  clock.advance(REFUSAL_REST_MS);
  t.match(await token(), { kind: 'refused' });
  t.equal(server.requests.length, 2, 'and one after the rest, as a held relay is probed');
  client.release();
  t.match(await token(), { kind: 'refused' });
  t.equal(server.requests.length, 3, 'and one when an administrator says so');
  asked.secret = SECRET;
  t.match(await token(), { kind: 'token' }, 'and at once when the secret is another one');
  t.match(client.status(), { state: 'good', reason: undefined });
});

siteTest('what is missing is told without a request', async (t, { server, token, asked }) => {
  asked.secret = undefined;
  t.match(await token(), {
    kind: 'refused',
    reason: 'there is no client secret',
    advice: /hauspost relay secret cloud/,
  });
  t.equal(server.requests.length, 0);
  asked.secret = SECRET;
  t.match(await token(), { kind: 'token' });
});

siteTest('a token that is rejected is renewed once for all, and a second one is told', async (t, site) => {
  const { server, clock, token } = site;
  const first = tokenOf(await token());
  const answers = await Promise.all(Array.from({ length: 20 }, () => token(first)));
  const [second] = new Set(answers.map(tokenOf));
  t.not(second, first);
  t.equal(server.requests.length, 2);
  t.equal(tokenOf(await token(first)), second, 'who comes late is given the new one');
  t.match(await token(second), { kind: 'refused', reason: /two new tokens/, advice: /relay test cloud/ });
  t.match(await token(), { kind: 'refused' });
  t.equal(server.requests.length, 2);
  clock.advance(30 * SECOND_MS);
  const third = tokenOf(await token());
  t.notOk([first, second].includes(third));
  clock.advance(MINUTE_MS);
  const again = JSON.stringify({ token_type: 'Bearer', expires_in: '3600', access_token: third });
  server.order({ kind: 'body', body: again });
  t.match(await token(third), { kind: 'refused' }, 'one that comes again is never handed out');
});

siteTest('whatever comes in place of an answer is trouble that passes', async (t, site) => {
  const { server, client, token, passWaits } = site;
  const table: readonly (readonly [TokenFault, RegExp])[] = [
    [{ kind: 'cut' }, /asking localhost:\d+ failed/],
    [{ kind: 'huge', octets: 1_000_000 }, /longer than 262144 octets/],
    [{ kind: 'html', status: 403 }, /answers 403 with text\/html.*gateway/],
    [{ kind: 'html', status: 200 }, /answers 200 with text\/html/],
    [{ kind: 'redirect', to: 'https://evil.example/' }, /redirects \(307\), which is not followed/],
    [{ kind: 'body', body: '{}' }, /no bearer token/],
    [{ kind: 'body', body: '[]' }, /not in JSON/],
    [{ kind: 'body', body: '{"token_type":"Bearer","access_token":"a\\u0001b"}' }, /no bearer token/],
    [{ kind: 'body', body: '{"token_type":"mac","access_token":"abc"}' }, /no bearer token/],
    [{ kind: 'status', status: 400, error: 'temporarily_unavailable' }, /temporarily_unavailable/],
  ];
  for (const [fault, reason] of table) {
    server.order(fault, 3);
    client.release();
    const answer = token();
    await passWaits(answer);
    t.match(await answer, { kind: 'unavailable', reason }, fault.kind);
    // Should it not have met them all.
    server.withdrawOrders();
    await passWaits(token());
  }
});

siteTest('a try asks for a new token; where none comes, the one that is held stays', async (t, site) => {
  const { server, client, token, asked } = site;
  const first = await token();
  const renewed = await client.renew(never);
  t.equal(renewed.kind, 'token');
  t.not(renewed.kind === 'token' && renewed.token, first.kind === 'token' && first.token);
  t.same(await token(), renewed);
  asked.secret = 'a wrong one';
  t.match(await client.renew(never), { kind: 'refused' });
  t.same(await token(), renewed);
  t.equal(server.requests.length, 3);
});

siteTest('silence ends at a deadline, an abort at once, and closing ends all', async (t, site) => {
  const { server, clock, client, token } = site;
  server.order({ kind: 'silent' }, 5);
  const aborting = new AbortController();
  const aborted = client.token(aborting.signal);
  const other = token();
  await settled(server, 1);
  aborting.abort(new Error('enough'));
  await t.rejects(aborted, { message: 'enough' });
  clock.advance(REQUEST_DEADLINE_MS);
  t.match(await other, { kind: 'unavailable', reason: /did not answer within 20 s/ });
  client.release();
  const last = token();
  await settled(server, 2);
  client.close();
  t.match(await last, { kind: 'unavailable' });
  t.equal(clock.pendingTimers, 0);
});

siteTest('an error text has no secret in it, whoever wrote it there', async (t, site) => {
  const { server, client, token } = site;
  const tokenLike = `eyJ${'a1'.repeat(50)}`;
  for (const text of [
    SECRET,
    encodeURIComponent(SECRET),
    Buffer.from(SECRET).toString('base64'),
    tokenLike,
  ]) {
    client.release();
    server.order({
      kind: 'refuse',
      error: 'invalid_client',
      code: 7000215,
      text: `you sent <${text}>\u0000\u001b[2J`,
    });
    const answer = await token();
    t.match(answer, { kind: 'refused', reason: /you sent <…/ });
    t.notMatch(JSON.stringify(answer), /\\u00/);
    t.notOk(JSON.stringify(answer).includes(text));
  }
});

siteTest('the wall clock changes nothing, and is told of when it is off', async (t, site) => {
  const { server, clock, client, token, written } = site;
  clock.setCalendar(unixMs(Date.now()));
  const first = tokenOf(await token());
  for (const hours of [2, -2, 0]) {
    clock.setCalendar(unixMs(Date.now() + hours * HOUR_MS));
    clock.advance(10 * MINUTE_MS);
    t.equal(tokenOf(await token()), first);
  }
  t.equal(server.requests.length, 1);
  t.notMatch(written.join(''), /clock.differs/);
  const setAtMs = Date.now();
  clock.setCalendar(unixMs(setAtMs + 2 * HOUR_MS));
  t.not(tokenOf(await token(first)), first);
  // The calendar stands still while the endpoint's goes on, whose Date has whole seconds.
  const lateMs = Date.now() - setAtMs;
  const [, ahead] = /"aheadSeconds":(\d+),"event":"exchange\.clock\.differs"/.exec(written.join('')) ?? [];
  t.ok(Number(ahead) <= 7201 && Number(ahead) >= 7199 - lateMs / 1000, `${ahead} seconds, ${lateMs} ms late`);
  const aheadMs = client.status().clockAheadMs - 2 * HOUR_MS;
  t.ok(aheadMs < 5000 && aheadMs > -5000 - lateMs, `${aheadMs} ms`);
});

t.test('an application shows its certificate, whatever our clock says', async (t) => {
  const authority = await createAuthority('Application Root');
  const pair = await authority.issue({ commonName: 'relay', algorithm: 'RSA' });
  const other = await authority.issue({ commonName: 'other', algorithm: 'RSA' });
  const elliptic = await authority.issue({ commonName: 'elliptic' });
  const passphrase = 'planted passphrase of the key';
  const encrypted = createPrivateKey(pair.keyPem)
    .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase })
    .toString();
  const directory = t.testdir({
    'c.pem': pair.pem,
    'k.pem': pair.keyPem,
    'encrypted.pem': encrypted,
    'other.pem': other.keyPem,
    'ec.pem': elliptic.keyPem,
    'ec-c.pem': elliptic.pem,
    'junk.pem': 'no key',
    'large.pem': 'x'.repeat(100_000),
  });
  const given = { passphrase: undefined as string | undefined };
  const grant = (certificate: string, key: string, algorithm?: 'PS256' | 'RS256'): TokenGrant => ({
    kind: 'clientCertificate',
    certificateFile: join(directory, certificate),
    keyFile: join(directory, key),
    passphrase: async () => given.passphrase,
    algorithm,
  });
  const open = async (chosen: TokenGrant) => {
    const site = await openSite(t, {}, chosen);
    site.server.issuer.clients.set(CLIENT, {
      clientId: CLIENT,
      certificate: pair.pem,
      mailbox: 'app@contoso.example',
    });
    return site;
  };
  for (const algorithm of [undefined, 'PS256', 'RS256'] as const) {
    const { token, server, clock } = await open(grant('c.pem', 'k.pem', algorithm));
    clock.setCalendar(unixMs(Date.now()));
    t.match(await token(), { kind: 'token' }, algorithm ?? 'unsaid');
    const [header] = (server.requests[0]?.form.get('client_assertion') ?? '').split('.');
    t.match(JSON.parse(Buffer.from(header ?? '', 'base64url').toString()), {
      alg: algorithm ?? 'PS256',
      typ: 'JWT',
    });
    t.equal(server.requests.length, 1);
  }
  for (const hours of [-2, 2]) {
    const { token, server, clock } = await open(grant('c.pem', 'k.pem'));
    clock.setCalendar(unixMs(Date.now() + hours * HOUR_MS));
    const first = await token();
    t.match(first, { kind: 'token' }, `${hours} h off`);
    t.equal(server.requests.length, 2, 'the first answer has told the time');
    t.match(await token(tokenOf(first)), { kind: 'token' });
    t.equal(server.requests.length, 3);
  }
  const wrong: readonly (readonly [TokenGrant, string | undefined, RegExp])[] = [
    [grant('c.pem', 'encrypted.pem'), undefined, /is encrypted, and the passphrase is missing/],
    [grant('c.pem', 'encrypted.pem'), 'wrong passphrase', /is encrypted, and the passphrase is wrong/],
    [grant('c.pem', 'other.pem'), undefined, /do not belong together/],
    [grant('ec-c.pem', 'ec.pem'), undefined, /has to be RSA/],
    [grant('c.pem', 'junk.pem'), undefined, /holds no private key/],
    [grant('junk.pem', 'k.pem'), undefined, /holds no certificate/],
    [grant('c.pem', 'large.pem'), undefined, /larger than/],
    [grant('c.pem', 'absent.pem'), undefined, /cannot be read \(ENOENT\)/],
  ];
  const texts: string[] = [];
  const { server, clock } = await openSite(t);
  for (const [chosen, phrase, reason] of wrong) {
    given.passphrase = phrase;
    const client = createTokenClient(tokenOptions(server, CLIENT, chosen), {
      clock,
      log: silentLog,
      vault: NO_VAULT,
    });
    const answer = await client.token(never);
    t.match(answer, { kind: 'refused', reason, advice: /Mend/ });
    texts.push(JSON.stringify(answer));
  }
  t.equal(server.requests.length, 0);
  given.passphrase = passphrase;
  const { token, written } = await open(grant('c.pem', 'encrypted.pem'));
  t.match(await token(), { kind: 'token' });
  t.notMatch([...texts, ...written].join('\n'), /passphrase of the key|wrong passphrase|PRIVATE KEY/);
});

t.test('a certificate that is not trusted, another name, no https: nothing is sent', async (t) => {
  const server = await openTokenServer(t);
  const { clock, passWaits } = watchRequests(createTestClock());
  const secret: TokenGrant = { kind: 'clientSecret', secret: async () => SECRET };
  const settings = tokenOptions(server, CLIENT, secret);
  const table = [
    [{ certificateAuthorities: undefined }, /certificate of localhost:\d+ is not trusted .*gateway/],
    [
      { authority: server.origin.replace('localhost', '127.0.0.1') },
      /certificate of 127\.0\.0\.1:\d+ is not trusted/,
    ],
    [{ authority: server.origin.replace('https', 'http') }, /begins with https/],
    [{ authority: 'https://user:pass@localhost' }, /has no login/],
    [{ authority: 'https://localhost:1' }, /asking localhost:1 failed: ECONNREFUSED/],
  ] as const;
  for (const [changed, reason] of table) {
    const client = createTokenClient(
      { ...settings, ...changed },
      { clock, log: silentLog, vault: NO_VAULT, random: () => 0 },
    );
    const answer = client.token(never);
    await passWaits(answer);
    t.match(await answer, { kind: 'unavailable', reason });
  }
  t.equal(server.requests.length, 0);
});

t.test('every refusal in the table has words for the administrator, filled in', async (t) => {
  const place = {
    relay: 'cloud',
    authority: 'https://login.example',
    tenant: 'tenant.example',
    clientId: 'the-client',
  };
  const codes = [...AADSTS_ROWS, ...OAUTH_ROWS].map(({ code }) => code);
  t.equal(new Set(codes).size, codes.length, 'each once');
  for (const { code, reason, advice, source } of [...AADSTS_ROWS, ...OAUTH_ROWS]) {
    const told =
      typeof code === 'number'
        ? meaningOfTokenError('invalid_grant', [code], place)
        : meaningOfTokenError(code, [], place);
    t.equal(told.reason, reason, String(code));
    t.match(told.advice, /^[A-Z{].*\.$/);
    t.notMatch(told.advice, /[{}]/);
    t.ok(advice.length > 10 && source.length > 3);
  }
  t.match(
    meaningOfTokenError('invalid_client', [1, 7000222], place).reason,
    /expired/,
    'the first number that is known',
  );
  t.match(meaningOfTokenError('something_new', [1], place), {
    reason: /refuses/,
    advice: /login\.microsoftonline\.com\/error/,
  });
  t.match(
    meaningOfTokenError('x', [65001], place).advice,
    /https:\/\/login\.example\/tenant\.example\/adminconsent\?client_id=the-client/,
  );
});

siteTest('how long a token is good for is read as it comes', async (t, { server, client, token }) => {
  const table = [
    ['"7200"', 2 * HOUR_MS],
    ['7200.5', 7_200_500],
    ['1e9', LIFETIME_LIMIT_MS],
    ['null', UNSAID_LIFETIME_MS],
    ['-1', UNSAID_LIFETIME_MS],
    ['"soon"', UNSAID_LIFETIME_MS],
  ] as const;
  let last: string | undefined;
  for (const [given, endsInMs] of table) {
    const body = `{"token_type":"bearer","access_token":"t${given.length}${endsInMs}","expires_in":${given}}`;
    server.order({ kind: 'body', body });
    client.release();
    last = tokenOf(await token(last));
    t.equal(client.status().endsInMs, endsInMs, given);
  }
});

t.test('docs/OAUTH.md has the table of refusals, and names keys that exist', async (t) => {
  const text = readFileSync(new URL('../../docs/OAUTH.md', import.meta.url), 'utf8');
  t.ok(text.includes(documentTokenErrors()), 'run `npm run docs` and commit the result');
  for (const [, key = ''] of text.matchAll(/^(\w+) = "/gm)) t.ok(findKey(`relays[].${key}`), key);
});

/** Waits until the server has had `count` requests and what they lead to has been done. */
async function settled(server: { readonly requests: readonly unknown[] }, count: number): Promise<void> {
  await waitFor(() => server.requests.length >= count);
  for (let turn = 0; turn < 50; turn += 1) await nextTurn();
}

async function waitFor(isThere: () => boolean): Promise<void> {
  for (const until = Date.now() + 60_000; !isThere() && Date.now() < until; ) await nextTurn();
}

/** Whether `promise` is still pending after some turns of the event loop. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  void promise.then(
    () => {
      isOver = true;
    },
    () => {
      isOver = true;
    },
  );
  for (let turn = 0; turn < 20 && !isOver; turn += 1) await nextTurn();
  return !isOver;
}
