/** Sessions of a relay by SMTP: TLS as each mode says, logins, failover, kept connections; and delivery straight to mail exchangers. */

import t from 'tap';

import type { AccessTokens, TokenAnswer } from '../../src/exchange/accessTokens.ts';
import type { RelayLogin, RelayTls, SmtpRelayOptions } from '../../src/outbound/contract.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { RelayCheck, RelayResult } from '../../src/transfer/relay.ts';
import { createDirectRelay } from '../../src/outbound/smtp/directRelay.ts';
import { type MailResolver, systemMailResolver } from '../../src/outbound/smtp/mailExchangers.ts';
import {
  ADDRESSES_PER_HOST,
  CONNECTION_AGE_MS,
  DNS_DEADLINE_MS,
  DNS_TRIES,
  DNS_TRY_MS,
  EXCHANGERS_KEPT_MS,
  HOST_REST_MS,
  HOSTS_PER_DOMAIN,
  IDLE_CONNECTION_MS,
  MESSAGES_PER_CONNECTION,
  QUIT_DEADLINE_MS,
  TLS_DEADLINE_MS,
} from '../../src/outbound/smtp/limits.ts';
import { createAuthority, type Issued } from '../support/authority.ts';
import { createTestClock } from '../support/clock.ts';
import { peerTest } from '../support/peers.ts';
import { openPostfix, POSTFIX_PROGRAMS } from '../support/postfix.ts';
import { openDnsServer } from '../support/dnsServer.ts';
import { HOP_KEYWORDS, type HopScript, openScriptedHop, type ScriptedHop } from '../support/scriptedHop.ts';
import { messageOf } from './relayedMessages.ts';
import { inShort, NEVER, NO_LIMITS, openRelay, SERVER_NAME } from './smtpHop.ts';

t.setTimeout(300_000);

const TEXT = 'Subject: a\r\n\r\nbody\r\n';
const AUTHORITY = await createAuthority('Test Root');
const STRANGER = await createAuthority('Strange Root');
const GOOD = await AUTHORITY.issue({ commonName: 'localhost', names: ['localhost'], uses: ['serverAuth'] });

function withTls(issued: Issued, more: Partial<NonNullable<HopScript['tls']>> = {}): HopScript {
  return { tls: { cert: issued.pem, key: issued.keyPem, ...more } };
}

function mode(of: RelayTls['mode'], more: Partial<RelayTls> = {}): Partial<RelayTls> & RelayTls {
  return { mode: of, minimumVersion: 'TLSv1.2', certificateAuthorities: AUTHORITY.pem, ...more };
}

function at(
  hop: Pick<ScriptedHop, 'port'>,
  tls: RelayTls,
  more: Partial<SmtpRelayOptions> = {},
): Partial<SmtpRelayOptions> {
  return { hosts: [{ host: 'localhost', port: hop.port }], tls, ...more };
}

t.test(
  'TLS is as the mode says: required and implicit never go in clear or to a wrong certificate',
  async (t) => {
    const expired = await AUTHORITY.issue({
      commonName: 'localhost',
      names: ['localhost'],
      uses: ['serverAuth'],
      notBefore: new Date(Date.UTC(2020, 0)),
      notAfter: new Date(Date.UTC(2021, 0)),
    });
    const foreign = await STRANGER.issue({
      commonName: 'localhost',
      names: ['localhost'],
      uses: ['serverAuth'],
    });
    const named = await AUTHORITY.issue({
      commonName: 'other',
      names: ['other.example.org'],
      uses: ['serverAuth'],
    });
    const no454: HopScript = {
      ...withTls(GOOD),
      answer: ({ verb }) =>
        verb === 'STARTTLS' ? '454 4.7.0 TLS not available due to temporary reason' : undefined,
    };
    const noEhlo: HopScript = { answer: ({ verb }) => (verb === 'EHLO' ? '502 5.5.1 What?' : undefined) };
    const garbage: HopScript = { ...withTls(GOOD), speaksNoTls: true };
    const hidden: HopScript = {
      ...withTls(GOOD),
      answer: ({ verb, isSecure }) => (verb === 'EHLO' && !isSecure ? '250 hop' : undefined),
    };
    const clear = 'untried, (misconfigured)';
    const rows: readonly (readonly [
      string,
      HopScript,
      RelayTls,
      result: string,
      isSecure?: boolean | undefined,
      reason?: RegExp,
    ])[] = [
      ['required with a good certificate', withTls(GOOD), mode('required'), 'relayed', true],
      [
        'implicit with a good certificate',
        withTls(GOOD, { isImplicit: true }),
        mode('implicit'),
        'relayed',
        true,
      ],
      ['required without STARTTLS', {}, mode('required'), clear, undefined, /offers no STARTTLS/],
      [
        'required where HELO alone is known',
        noEhlo,
        mode('required'),
        clear,
        undefined,
        /offers no STARTTLS/,
      ],
      ['required where STARTTLS is hidden but there', hidden, mode('required'), 'relayed', true],
      ['required with 454', no454, mode('required'), 'untried, (unreachable)', undefined, /454 4.7.0/],
      [
        'required with an expired certificate',
        withTls(expired),
        mode('required'),
        clear,
        undefined,
        /expired/,
      ],
      [
        'required with an unknown authority',
        withTls(foreign),
        mode('required'),
        clear,
        undefined,
        /no authority that this relay trusts/,
      ],
      ['required with another name', withTls(named), mode('required'), clear, undefined, /another name/],
      [
        'required with the name that is said',
        withTls(named),
        mode('required', { serverName: 'other.example.org' }),
        'relayed',
        true,
      ],
      [
        'required with TLS too old',
        withTls(GOOD, { maxVersion: 'TLSv1.2' }),
        mode('required', { minimumVersion: 'TLSv1.3' }),
        clear,
        undefined,
        /older/,
      ],
      [
        'required with no TLS after STARTTLS',
        garbage,
        mode('required'),
        clear,
        undefined,
        /something else than TLS/,
      ],
      ['implicit on a port in clear', {}, mode('implicit'), clear, undefined, /something else than TLS/],
      [
        'implicit with an expired certificate',
        withTls(expired, { isImplicit: true }),
        mode('implicit'),
        clear,
        undefined,
        /expired/,
      ],
      ['opportunistic with an expired certificate', withTls(expired), mode('opportunistic'), 'relayed', true],
      ['opportunistic without STARTTLS', {}, mode('opportunistic'), 'relayed', false],
      ['opportunistic with 454', no454, mode('opportunistic'), 'relayed', false],
      ['opportunistic with a broken handshake', garbage, mode('opportunistic'), 'relayed', false],
      ['none where STARTTLS is offered', withTls(GOOD), mode('none'), 'relayed', false],
    ];
    for (const [what, script, tls, result, isSecure, reason] of rows) {
      const hop = await openScriptedHop(t, script);
      const relay = openRelay(t, hop, at(hop, tls));
      const found = await relay.relay(messageOf(TEXT), NEVER);
      t.equal(inShort(found), result, what);
      t.equal(hop.messages[0]?.isSecure, isSecure, what);
      if (reason !== undefined) t.match(found.trouble?.reason, reason, what);
      if (isSecure === undefined)
        t.notMatch(hop.lines.join('\n'), /^(MAIL|AUTH)/m, `${what}: nothing was said`);
    }
  },
);

t.test('a client certificate is shown where the hop asks for one', async (t) => {
  const client = await AUTHORITY.issue({ commonName: 'relay.example.com', uses: ['clientAuth'] });
  const hop = await openScriptedHop(t, withTls(GOOD, { asksCertificate: true }));
  const tls = mode('required', { clientCertificate: { certificate: client.pem, key: client.keyPem } });
  t.equal(inShort(await openRelay(t, hop, at(hop, tls)).relay(messageOf(TEXT), NEVER)), 'relayed');
  t.same(hop.clientNames, ['relay.example.com']);
});

t.test('a handshake that hangs has its end', async (t) => {
  const clock = createTestClock();
  const hop = await openScriptedHop(t, {
    ...withTls(GOOD),
    answer: ({ verb }) => (verb === 'STARTTLS' ? { raw: '220 Go\r\n' } : undefined),
  });
  const relay = openRelay(t, hop, at(hop, mode('required')), clock);
  const relayed = relay.relay(messageOf(TEXT), NEVER);
  await hop.until(() => hop.lines.includes('STARTTLS'));
  for (let left = 50; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(TLS_DEADLINE_MS);
  t.match(await relayed, { trouble: { kind: 'unreachable', reason: /handshake took longer/ } });
});

/** Tokens one after the other, and what was asked for. */
function tokensOf(
  ...answers: readonly TokenAnswer[]
): AccessTokens & { readonly rejected: (string | undefined)[] } {
  const rejected: (string | undefined)[] = [];
  return {
    rejected,
    token: async (_signal, what) =>
      answers[rejected.push(what) - 1] ?? { kind: 'unavailable', reason: 'no more tokens' },
  };
}

function passwordOf(user: string, password: string | undefined, mechanism?: 'PLAIN' | 'LOGIN'): RelayLogin {
  return { kind: 'password', user, password: async () => password, mechanism };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A hop that takes `secret` by PLAIN and LOGIN, and as a token. */
function guarded(
  secret: string,
  mechanisms: string,
  refusal = '535 5.7.3 Authentication unsuccessful',
): HopScript {
  const plain = `AUTH PLAIN ${base64(`\0app\0${secret}`)}`;
  const token = `AUTH XOAUTH2 ${base64(`user=app\x01auth=Bearer ${secret}\x01\x01`)}`;
  return {
    ...withTls(GOOD),
    keywords: [...HOP_KEYWORDS, `AUTH ${mechanisms}`],
    answer: ({ verb, line }) => {
      if (verb === 'AUTH' && line === 'AUTH LOGIN') return '334 VXNlcm5hbWU6';
      if (verb === 'AUTH') return line === plain || line === token ? '235 2.7.0 Ok' : refusal;
      if (verb !== 'response') return undefined;
      if (line === base64('app')) return '334 UGFzc3dvcmQ6';
      return line === base64(secret) ? '235 2.7.0 Ok' : '535 5.7.3 Authentication unsuccessful';
    },
  };
}

t.test('logins by password go out as the hop offers them, and their refusal says what to do', async (t) => {
  const rows: readonly (readonly [
    HopScript,
    RelayLogin,
    result: string,
    said?: RegExp | undefined,
    advice?: RegExp,
  ])[] = [
    [guarded('secret', 'LOGIN PLAIN'), passwordOf('app', 'secret'), 'relayed', /^AUTH PLAIN /m],
    [guarded('secret', 'LOGIN PLAIN'), passwordOf('app', 'secret', 'LOGIN'), 'relayed', /^AUTH LOGIN$/m],
    [guarded('secret', 'LOGIN XOAUTH2'), passwordOf('app', 'secret'), 'relayed', /^AUTH LOGIN$/m],
    [guarded('p\u00e4ss', 'PLAIN'), passwordOf('app', 'p\u00e4ss'), 'relayed'],
    [guarded('secret', 'PLAIN'), passwordOf('app', 'hunter2'), 'untried, (misconfigured)', undefined, /MFA/],
    [guarded('secret', 'LOGIN'), passwordOf('app', 'hunter2'), 'untried, (misconfigured)', undefined, /MFA/],
    [
      guarded('secret', 'XOAUTH2'),
      passwordOf('app', 'secret'),
      'untried, (misconfigured)',
      undefined,
      /submission port/,
    ],
    [
      { ...withTls(GOOD) },
      passwordOf('app', 'secret'),
      'untried, (misconfigured)',
      undefined,
      /submission port/,
    ],
    [
      guarded('secret', 'PLAIN'),
      passwordOf('app', undefined),
      'untried, (misconfigured)',
      undefined,
      /relay secret/,
    ],
    [
      guarded('secret', 'PLAIN'),
      passwordOf('a\0b', 'secret'),
      'untried, (misconfigured)',
      undefined,
      /user name/,
    ],
    [
      guarded('secret', 'PLAIN', '454 4.7.0 Temporary authentication failure'),
      passwordOf('app', 'x'),
      'untried, (unreachable)',
    ],
    [
      guarded('secret', 'PLAIN', '535 5.7.139 SmtpClientAuthentication is disabled for the Tenant'),
      passwordOf('app', 'x'),
      'untried, (misconfigured)',
      undefined,
      /Set-CASMailbox/,
    ],
  ];
  for (const [script, login, result, said, advice] of rows) {
    const hop = await openScriptedHop(t, script);
    const found = await openRelay(t, hop, at(hop, mode('required'), { login })).relay(messageOf(TEXT), NEVER);
    t.equal(inShort(found), result);
    if (said !== undefined) t.match(hop.lines.join('\n'), said);
    if (advice !== undefined) t.match(found.trouble, { advice });
    t.notMatch(JSON.stringify(found), /"secret"|hunter2|p\u00e4ss/, 'no secret in what is told');
    if (!result.startsWith('relayed')) t.same(hop.messages, []);
  }
});

t.test('a hop that says our login back, whole or cut, has no secret told', async (t) => {
  const secret = 'a secret of a length';
  const tokens: AccessTokens = { token: async () => ({ kind: 'token', token: secret }) };
  const logins: readonly RelayLogin[] = [
    passwordOf('app', secret, 'PLAIN'),
    passwordOf('app', secret, 'LOGIN'),
    { kind: 'xoauth2', user: 'app', tokens },
  ];
  for (const login of logins)
    for (const length of [1000, 40]) {
      const script = guarded('another', 'PLAIN LOGIN XOAUTH2');
      const echo = (line: string) => `500 5.5.1 Command unrecognized: "${line.slice(0, length)}"`;
      const hop = await openScriptedHop(t, {
        ...script,
        answer: (asked) => {
          const answer = script.answer?.(asked);
          return typeof answer === 'string' && /^5/.test(answer) ? echo(asked.line) : answer;
        },
      });
      const found = await openRelay(t, hop, at(hop, mode('required'), { login })).relay(
        messageOf(TEXT),
        NEVER,
      );
      const told = JSON.stringify(found);
      t.match(told, /Command unrecognized/);
      const said = hop.lines.filter((line) => /^AUTH (PLAIN|XOAUTH2) /.test(line) || line === base64(secret));
      t.ok(said.length > 0);
      for (const line of said)
        t.notOk(told.includes(line.slice(line.lastIndexOf(' ') + 1).slice(0, 12)), told);
    }
});

t.test('a refused token is asked for anew, once', async (t) => {
  const token = (text: string): TokenAnswer => ({ kind: 'token', token: text });
  const refused: TokenAnswer = { kind: 'refused', reason: 'no consent', advice: 'give consent' };
  const away: TokenAnswer = { kind: 'unavailable', reason: 'the endpoint is away' };
  const slow: TokenAnswer = { kind: 'unavailable', reason: 'slow down', retryAfterMs: 5000 };
  const off = '535 5.7.139 SmtpClientAuthentication is disabled for the Mailbox';
  const rows: readonly (readonly [
    tokens: readonly TokenAnswer[],
    result: string,
    asked: readonly (string | undefined)[],
    refusal?: string,
  ])[] = [
    [[token('good')], 'relayed', [undefined]],
    [[token('old'), token('good')], 'relayed', [undefined, 'old']],
    [[token('old'), token('bad')], 'untried, (misconfigured)', [undefined, 'old']],
    [[token('old')], 'untried, (misconfigured)', [undefined], off],
    [[token('old'), refused], 'untried, (misconfigured)', [undefined, 'old']],
    [[refused], 'untried, (misconfigured)', [undefined]],
    [[away], 'untried, (unreachable)', [undefined]],
    [[slow], 'untried, (throttled)', [undefined]],
    [[token('old')], 'untried, (throttled)', [undefined], '432 4.3.2 Concurrent connections limit exceeded'],
  ];
  for (const [answers, result, asked, refusal] of rows) {
    const hop = await openScriptedHop(t, guarded('good', 'LOGIN XOAUTH2', refusal));
    const tokens = tokensOf(...answers);
    const login: RelayLogin = { kind: 'xoauth2', user: 'app', tokens };
    const found = await openRelay(t, hop, at(hop, mode('required'), { login })).relay(messageOf(TEXT), NEVER);
    t.equal(inShort(found), result);
    t.same(tokens.rejected, asked);
    t.notMatch(JSON.stringify(found), /"(old|good|bad)/);
  }
  // Google and Dovecot answer with a challenge first, which an empty line ends.
  const hop = await openScriptedHop(t, {
    ...guarded('good', 'XOAUTH2', '334 eyJzdGF0dXMiOiI0MDEifQ=='),
  });
  const login: RelayLogin = { kind: 'xoauth2', user: 'app', tokens: tokensOf(token('old'), token('good')) };
  t.equal(
    inShort(await openRelay(t, hop, at(hop, mode('required'), { login })).relay(messageOf(TEXT), NEVER)),
    'relayed',
  );
  t.ok(hop.lines.includes(''));
});

t.test('no password goes in clear, but to this machine itself', async (t) => {
  const hop = await openScriptedHop(t, { ...guarded('secret', 'PLAIN'), tls: undefined as never });
  const login = passwordOf('app', 'secret');
  t.equal(
    inShort(await openRelay(t, hop, at(hop, mode('none'), { login })).relay(messageOf(TEXT), NEVER)),
    'relayed',
  );
});

t.test(
  'the next host takes over from one that cannot be reached, and the first is left alone for a while',
  async (t) => {
    const clock = createTestClock();
    const away = await openScriptedHop(t);
    await away.goAway();
    const busy = await openScriptedHop(t, {
      answer: ({ verb }) => (verb === 'greeting' ? '421 4.3.2 Busy' : undefined),
    });
    const good = await openScriptedHop(t);
    const hosts = [away, busy, good].map(({ port }) => ({ host: '127.0.0.1', port }));
    const relay = openRelay(t, good, { hosts }, clock);
    t.equal(inShort(await relay.relay(messageOf(TEXT), NEVER)), 'relayed');
    t.equal(busy.sessions.opened, 1);
    clock.advance(IDLE_CONNECTION_MS);
    await good.until(() => good.sessions.open === 0);
    t.equal(inShort(await relay.relay(messageOf(TEXT), NEVER)), 'relayed');
    t.equal(busy.sessions.opened, 1, 'not asked again so soon');
    clock.advance(HOST_REST_MS);
    await away.comeBack({});
    await good.until(() => good.sessions.open === 0);
    t.equal(inShort(await relay.relay(messageOf(TEXT), NEVER)), 'relayed');
    t.equal(away.messages.length, 1, 'the first again');
    await Promise.all([good.goAway(), away.goAway(), busy.goAway()]);
    const { trouble } = await relay.relay(messageOf(TEXT), NEVER);
    t.match(trouble, {
      kind: 'unreachable',
      reason: new RegExp(hosts.map(({ port }) => `:${port} refuses`).join('.*|')),
    });
  },
);

t.test('a refused login is not tried at the other hosts', async (t) => {
  const hops = [
    await openScriptedHop(t, guarded('good', 'PLAIN')),
    await openScriptedHop(t, guarded('good', 'PLAIN')),
  ];
  const hosts = hops.map(({ port }) => ({ host: 'localhost', port }));
  const relay = openRelay(t, hosts[0] ?? { port: 0 }, {
    hosts,
    tls: mode('required'),
    login: passwordOf('app', 'bad'),
  });
  t.equal(inShort(await relay.relay(messageOf(TEXT), NEVER)), 'untried, (misconfigured)');
  t.same(
    hops.map(({ sessions }) => sessions.opened),
    [1, 0],
  );
});

t.test(
  'a kept connection carries further messages for a while, and one that is gone is no attempt',
  async (t) => {
    const clock = createTestClock();
    const hop = await openScriptedHop(t);
    const relay = openRelay(t, hop, {}, clock);
    const send = async () => t.equal(inShort(await relay.relay(messageOf(TEXT), NEVER)), 'relayed');
    for (let left = MESSAGES_PER_CONNECTION; left > 0; left -= 1) await send();
    t.equal(hop.sessions.opened, 1);
    await send();
    t.equal(hop.sessions.opened, 2, 'a new one after so many messages');
    clock.advance(IDLE_CONNECTION_MS);
    await hop.until(() => hop.lines.filter((line) => line === 'QUIT').length === 2);
    await send();
    t.equal(hop.sessions.opened, 3, 'a new one after a pause');
    for (let ageMs = 0; ageMs < CONNECTION_AGE_MS; ageMs += IDLE_CONNECTION_MS - 1) {
      clock.advance(IDLE_CONNECTION_MS - 1);
      await send();
    }
    await send();
    t.equal(hop.sessions.opened, 4, 'a new one after some minutes');
    // The hop says 421 to the next command, or is gone without a word: RFC 5321 section 4.5.3.2.7 lets it.
    hop.script = {
      answer: ({ verb, session }) => (verb === 'MAIL' && session === 4 ? '421 4.4.2 Idle' : undefined),
    };
    await send();
    hop.script = {
      answer: ({ verb, session }) => (verb === 'MAIL' && session === 5 ? { cut: true } : undefined),
    };
    await send();
    t.equal(hop.sessions.opened, 6);
    hop.script = { answer: ({ verb }) => (verb === 'MAIL' ? { cut: true } : undefined) };
    t.equal(
      inShort(await relay.relay(messageOf(TEXT), NEVER)),
      'untried, (unreachable)',
      'once, not for ever',
    );
    t.equal(hop.sessions.opened, 7);
  },
);

t.test('closing says QUIT and waits for its answer only so long', async (t) => {
  const clock = createTestClock();
  const hop = await openScriptedHop(t, {
    answer: ({ verb }) => (verb === 'QUIT' ? { silence: true } : undefined),
  });
  const relay = openRelay(t, hop, {}, clock);
  await relay.relay(messageOf(TEXT), NEVER);
  const closed = relay.close();
  await hop.until(() => hop.lines.includes('QUIT'));
  clock.advance(QUIT_DEADLINE_MS);
  await closed;
  await hop.until(() => hop.sessions.open === 0);
  t.equal(clock.pendingTimers, 0);
});

t.test('check tells each step, and leaves nothing open', async (t) => {
  const hop = await openScriptedHop(t, guarded('good', 'PLAIN'));
  const relay = openRelay(t, hop, at(hop, mode('required'), { login: passwordOf('app', 'good') }));
  await relay.relay(messageOf(TEXT), NEVER);
  const { isReady, steps } = await relay.check(NEVER);
  t.equal(isReady, true);
  t.match(steps, [
    /^connected to localhost \(.*port \d+\)$/,
    /^greeted: 220 hop.example.org ESMTP$/,
    /^TLSv1.3 with TLS_\w+, certificate of localhost until .*, verified$/,
    /offers PIPELINING, SIZE 200000000.*AUTH PLAIN/,
    'logged in as app',
  ]);
  await hop.until(() => hop.sessions.open === 0);
});

/** A DNS of the test's own; what is not in it does not exist. */
function dnsOf(records: Readonly<Record<string, unknown>>): MailResolver & { readonly asked: string[] } {
  const asked: string[] = [];
  const look = async (kind: string, name: string) => {
    asked.push(`${kind} ${name}`);
    const found = records[`${kind} ${name}`];
    if (typeof found === 'string') throw Object.assign(new Error(found), { code: found });
    if (found === undefined) throw Object.assign(new Error('none'), { code: 'ENODATA' });
    return found as never;
  };
  return {
    asked,
    resolveMx: (name) => look('MX', name),
    resolve4: (name) => look('A', name),
    resolve6: (name) => look('AAAA', name),
  };
}

t.test('mail goes straight to the exchangers of named domains, in their order', async (t) => {
  const hop = await openScriptedHop(t);
  const mx = (exchange: string, priority: number) => ({ exchange, priority });
  const HERE = ['127.0.0.1'];
  const records: Record<string, unknown> = {
    'MX two.example': [mx('second.two.example', 20), mx('first.two.example', 10)],
    'A first.two.example': HERE,
    'A second.two.example': HERE,
    'A plain.example': HERE,
    'MX gone.example': 'ENOTFOUND',
    'MX null.example': [mx('', 0)],
    'MX broken.example': 'ESERVFAIL',
    'MX loop.example': [mx(`${SERVER_NAME.toUpperCase()}.`, 10), mx('behind.loop.example', 20)],
    'A behind.loop.example': HERE,
    'MX before.example': [mx(SERVER_NAME, 20), mx('first.two.example', 10)],
    'MX nowhere.example': [mx('a.nowhere.example', 10)],
    'MX unsure.example': [mx('a.unsure.example', 10)],
    'A a.unsure.example': 'ETIMEOUT',
  };
  const rows: readonly (readonly [address: string, result: string, reply?: RegExp])[] = [
    ['a@two.example', 'relayed'],
    ['a@TWO.example', 'relayed'],
    ['a@plain.example', 'relayed'],
    ['a@before.example', 'relayed'],
    ['a@gone.example', 'failed 5.1.2', /does not exist/],
    ['a@null.example', 'failed 5.1.10', /null MX/],
    ['a@broken.example', 'deferred 4.4.3', /ESERVFAIL/],
    ['a@loop.example', 'failed 5.4.6', /back to this server/],
    ['a@nowhere.example', 'failed 5.4.4', /address/],
    ['a@unsure.example', 'deferred 4.4.3', /ETIMEOUT/],
    ['a@other.example', 'held', /not for the domain/],
    ['a@[127.0.0.1]', 'failed 5.1.3'],
    ['a@b@two.example', 'failed 5.1.3'],
  ];
  const domains = Object.keys(records).map((key) => key.split(' ')[1] ?? '');
  const resolver = dnsOf(records);
  const clock = createTestClock();
  const relay = createDirectRelay(
    {
      kind: 'direct',
      name: 'direct',
      domains,
      port: hop.port,
      tls: mode('opportunistic'),
      limits: NO_LIMITS,
    },
    { clock, log: silentLog, serverName: SERVER_NAME, resolver },
  );
  t.teardown(() => relay.close());
  for (const [address, result, reply] of rows) {
    const found = await relay.relay(messageOf(TEXT, [address]), NEVER);
    t.equal(inShort(found), result, address);
    if (reply !== undefined) t.match(JSON.stringify(found.outcomes), reply);
  }
  const [first] = (await relay.relay(messageOf(TEXT, ['a@two.example']), NEVER)).outcomes;
  t.match(first, { server: 'first.two.example' });
  t.equal(resolver.asked.filter((question) => question === 'MX two.example').length, 1, 'asked once');
  clock.advance(EXCHANGERS_KEPT_MS);
  hop.messages.length = 0;
  const mixed = ['a@two.example', 'b@plain.example', 'c@two.example', 'd@gone.example'];
  t.equal(
    inShort(await relay.relay(messageOf(TEXT, mixed), NEVER)),
    'relayed, relayed, relayed, failed 5.1.2',
  );
  t.equal(resolver.asked.filter((question) => question === 'MX two.example').length, 2, 'and again later');
  t.same(
    hop.messages.map(({ rcpts }) => rcpts.length),
    [2, 1],
    'a transaction for each domain',
  );
  await hop.goAway();
  t.equal(
    inShort(await relay.relay(messageOf(TEXT, ['a@two.example', 'b@plain.example']), NEVER)),
    'deferred 4.4.1, deferred 4.4.1',
    'a domain that cannot be reached holds up no other',
  );
});

t.test('of a domain with very many hosts and addresses only some are tried', async (t) => {
  const hop = await openScriptedHop(t);
  const closed = (count: number) => Array.from({ length: count }, (_, index) => `127.0.1.${index + 1}`);
  const hosts = Array.from({ length: HOSTS_PER_DOMAIN + 1 }, (_, index) => `mx${index}.hosts.example`);
  const records: Record<string, unknown> = {
    'MX hosts.example': hosts.map((exchange, priority) => ({ exchange, priority })),
    ...Object.fromEntries(hosts.map((host) => [`A ${host}`, closed(1)])),
    [`A ${hosts.at(-1)}`]: ['127.0.0.1'],
    'A last.example': [...closed(ADDRESSES_PER_HOST - 1), '127.0.0.1'],
    'A behind.example': [...closed(ADDRESSES_PER_HOST), '127.0.0.1'],
  };
  const domains = ['hosts.example', 'last.example', 'behind.example'];
  const direct = { kind: 'direct', name: 'direct', domains, port: hop.port, tls: mode('none') } as const;
  const resolver = dnsOf(records);
  const relay = createDirectRelay(
    { ...direct, limits: NO_LIMITS },
    { clock: systemClock, log: silentLog, serverName: SERVER_NAME, resolver },
  );
  t.teardown(() => relay.close());
  const message = messageOf(
    TEXT,
    domains.map((domain) => `a@${domain}`),
  );
  t.equal(inShort(await relay.relay(message, NEVER)), 'deferred 4.4.1, relayed, deferred 4.4.1');
  t.equal(resolver.asked.filter((question) => question.startsWith('A mx')).length, HOSTS_PER_DOMAIN);
});

t.test('a DNS that says nothing defers', async (t) => {
  const clock = createTestClock();
  const never = () => new Promise<never>(() => {});
  const resolver = { resolveMx: never, resolve4: never, resolve6: never };
  const relay = createDirectRelay(
    {
      kind: 'direct',
      name: 'direct',
      domains: ['two.example'],
      port: 25,
      tls: mode('opportunistic'),
      limits: NO_LIMITS,
    },
    { clock, log: silentLog, serverName: SERVER_NAME, resolver },
  );
  const relayed = relay.relay(messageOf(TEXT, ['a@two.example']), NEVER);
  clock.advance(DNS_DEADLINE_MS);
  t.equal(inShort(await relayed), 'deferred 4.4.3');
  const ending = new AbortController();
  const all = [relay.relay(messageOf(TEXT, ['a@two.example']), ending.signal), relay.check(ending.signal)];
  ending.abort();
  const [cut, checked] = (await Promise.all(all)) as [RelayResult, RelayCheck];
  t.equal(inShort(cut), 'untried', 'an abort waits for no answer');
  t.equal(checked.isReady, false);
});

t.test('the resolver asks a real name server, which may be out of order', async (t) => {
  const hop = await openScriptedHop(t);
  const dns = await openDnsServer(t);
  dns.hosts.set('two.example', { mx: [{ exchange: 'mx.two.example', priority: 10 }] });
  dns.hosts.set('mx.two.example', { a: ['127.0.0.1'] });
  dns.hosts.set('null.example', { mx: [{ exchange: '', priority: 0 }] });
  dns.hosts.set('plain.example', { a: ['127.0.0.1'] });
  const domains = ['two.example', 'null.example', 'plain.example', 'gone.example'];
  const open = () => {
    const relay = createDirectRelay(
      {
        kind: 'direct',
        name: 'direct',
        domains,
        port: hop.port,
        tls: mode('opportunistic'),
        limits: NO_LIMITS,
      },
      {
        clock: systemClock,
        log: silentLog,
        serverName: SERVER_NAME,
        resolver: systemMailResolver([dns.address]),
      },
    );
    t.teardown(() => relay.close());
    return relay;
  };
  const message = messageOf(
    TEXT,
    domains.map((domain) => `a@${domain}`),
  );
  t.equal(inShort(await open().relay(message, NEVER)), 'relayed, failed 5.1.10, relayed, failed 5.1.2');
  const checked = await open().check(NEVER);
  t.match(
    checked.steps.join('\n'),
    /two.example: connected to mx.two.example[\s\S]*gone.example: the domain/,
  );
  t.equal(checked.isReady, false);
  dns.isBroken = true;
  t.equal(
    inShort(await open().relay(message, NEVER)),
    'deferred 4.4.3, deferred 4.4.3, deferred 4.4.3, deferred 4.4.3',
  );
  dns.isBroken = false;
  dns.isSilent = true;
  dns.asked.length = 0;
  const begunMs = systemClock.monotonic();
  const [outcome] = (await open().relay(messageOf(TEXT, ['a@two.example']), NEVER)).outcomes;
  t.match(outcome, { status: '4.4.3', reply: /ETIMEOUT/ });
  t.equal(dns.asked.length, DNS_TRIES, 'a question without answer is asked again, so often');
  t.ok(systemClock.monotonic() - begunMs >= DNS_TRY_MS);
});

peerTest(
  t,
  POSTFIX_PROGRAMS,
  'Postfix takes what we send, octet by octet, each recipient with its parameters',
  async (t) => {
    const postfix = await openPostfix(t, { tls: GOOD });
    const relay = openRelay(t, postfix, at(postfix, mode('required')));
    const octets = 'Subject: a\r\n\r\n.dot\r\n..two\r\n\u00e4 8-bit\r\nFrom here\r\n.\r\nend\r\n';
    const recipients = [
      { address: 'a@example.org', notify: ['FAILURE'] as const, orcpt: 'rfc822;first+2Blast@example.net' },
      { address: '"b @ b"@example.org', notify: ['NEVER'] as const },
    ];
    const message = messageOf(octets, recipients, { envid: 'order+2B7', ret: 'HDRS' });
    for (let left = 2; left > 0; left -= 1)
      t.equal(inShort(await relay.relay(message, NEVER)), 'relayed, relayed');
    const taken = await postfix.taken(4);
    t.equal(taken.length, 4);
    for (const { sender, octets: kept } of taken) {
      t.equal(sender, 'sender@example.com');
      t.equal(kept, Buffer.from(octets).toString('latin1').replaceAll('\r\n', '\n'));
    }
  },
);
