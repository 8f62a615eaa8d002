/**
 * The relays of a running server: their options, faulty files, files that change, what ends by the calendar, and token clients.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock, unixMs } from '../../src/base/clock.ts';
import type { Log } from '../../src/base/log.ts';
import { DAY_MS } from '../../src/base/units.ts';
import type { AccessTokens } from '../../src/exchange/accessTokens.ts';
import { RELAY_PRESETS } from '../../src/exchange/relayPresets.ts';
import type { TokenClient } from '../../src/exchange/tokens/tokenClient.ts';
import type { TokenOptions } from '../../src/exchange/tokens/options.ts';
import type { RelayOptions } from '../../src/outbound/contract.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problems.ts';
import type { RelayConfig } from '../../src/config/relayKeys.ts';
import { openRelays, RELAY_LOOK_PERIOD_MS, type Relays } from '../../src/admin/relays.ts';
import { withToken } from '../../src/admin/relayTokens.ts';
import { createAuthority, type Issued } from '../support/authority.ts';
import { createTestClock } from '../support/clock.ts';

const GUID = '01234567-89ab-cdef-0123-456789abcdef';
const XOAUTH2 = `[[relays]]\nname = "tokens"\npreset = "exchange-xoauth2"\nuser = "a@contoso.com"\ntenant = "contoso.com"\nclientId = "${GUID}"\n`;

interface Rig {
  readonly relays: Relays;
  readonly directory: string;
  readonly logged: [event: string, fields: object][];
  readonly made: TokenOptions[];
  readonly clock: ReturnType<typeof createTestClock>;
  write(name: string, text: string): void;
  read(toml: string): readonly RelayConfig[];
}

async function openRig(t: Test, toml: string, files: Readonly<Record<string, string>> = {}): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-relays-'));
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const read = (text: string): readonly RelayConfig[] => {
    write('h.toml', text);
    const loaded = loadConfig({
      file: join(directory, 'h.toml'),
      defaultDirectory: directory,
      environment: {},
      imapCapabilities: [],
      pop3Capabilities: [],
      relayPresets: RELAY_PRESETS,
    });
    if (loaded.kind === 'faulty') throw new Error(loaded.problems.map(formatProblem).join('\n'));
    return loaded.config.relays;
  };
  const logged: Rig['logged'] = [];
  const note = (event: string, fields: object = {}) => logged.push([event, fields]);
  const log = { debug: note, info: note, warn: note, error: note } as unknown as Log;
  const made: TokenOptions[] = [];
  const clock = createTestClock(systemClock.now());
  const relays = await openRelays(read(toml), {
    clock,
    log,
    secrets: { find: async ({ purpose, owner }) => `${purpose} of ${owner}` },
    createTokens: (options) => {
      made.push(options);
      return {
        close: () => {},
        token: async () => ({ kind: 'token', token: 'x' }),
      } as unknown as TokenClient;
    },
  });
  t.teardown(async () => {
    await relays.close();
    rmSync(directory, { recursive: true });
  });
  return { relays, directory, logged, made, clock, write, read };
}

function smtp(options: RelayOptions | undefined) {
  if (options?.kind !== 'smtp') throw new Error(`no smarthost but ${options?.kind}`);
  return options;
}

function client(issued: Issued): Record<string, string> {
  return { 'c.pem': issued.pem, 'c.key': issued.keyPem };
}

async function issue(
  days: number,
  clock: Rig['clock'] = createTestClock(systemClock.now()),
): Promise<Issued> {
  const authority = await createAuthority('Relay authority');
  const notAfter = new Date(clock.now() + days * DAY_MS + 1000);
  return authority.issue({ commonName: 'relay.contoso.com', uses: ['clientAuth'], notAfter });
}

const CONNECTOR =
  '[[relays]]\nname = "exchange"\npreset = "exchange-connector"\ntenantDomain = "contoso.com"\ncertificateFile = "c.pem"\nkeyFile = "c.key"\n';

t.test('the passphrase of an application`s key comes from its file at each request', async (t) => {
  const certificate = await issue(400);
  const { made, write, relays, read } = await openRig(
    t,
    `${XOAUTH2}grant = "certificate"\napplicationCertificateFile = "c.pem"\napplicationKeyFile = "c.key"\napplicationKeyPassphraseFile = "phrase"\n`,
    { ...client(certificate), phrase: 'first\n' },
  );
  const grant = made[0]?.grant;
  if (grant?.kind !== 'clientCertificate') throw new Error(`no certificate but ${grant?.kind}`);
  t.equal(await grant.passphrase?.(), 'first');
  write('phrase', 'second\n');
  t.equal(await grant.passphrase?.(), 'second');
  t.throws(
    () => read(`${XOAUTH2}applicationKeyPassphraseFile = "phrase"\n`),
    /applicationKeyPassphraseFile.*is for grant = "certificate"/,
  );
  t.strictSame(relays.warnings(), []);
});

t.test('a try tells what the token says and lacks, and nothing of one that cannot be read', async (t) => {
  const { relays } = await openRig(t, XOAUTH2);
  const relay = relays.configured('tokens');
  if (relay === undefined) throw new Error('no relay');
  const tried = { isReady: true, steps: ['It is ready'] };
  const steps = (token: string) => withToken(tried, relay, { kind: 'token', token }).steps;
  const claims = { aud: 'https://graph.microsoft.com', tid: 'T', appid: GUID, roles: ['Mail.Send'], exp: 0 };
  const token = `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;
  const said = steps(token);
  t.match(said, [
    'The token is for https://graph.microsoft.com, of the tenant T, with Mail.Send, until 1970-01-01T00:00:00.000Z.',
    /not for Office 365 Exchange Online/,
    /lacks the role SMTP\.SendAsApp/,
  ]);
  t.notMatch(said.join(), /signature/);
  t.strictSame(steps('opaque'), ['It is ready']);
  const refused = { kind: 'refused', reason: 'the secret is wrong', advice: 'Give it anew.' } as const;
  t.match(withToken(tried, relay, refused), {
    isReady: false,
    steps: ['It is ready', /no new one comes: the secret is wrong/, 'Give it anew.'],
  });
  const failing = { isReady: false, steps: ['the secret is wrong'] };
  t.equal(withToken(failing, relay, refused), failing, 'told once');
});

t.test('every way becomes the options that outbound knows, with its secrets to be asked for', async (t) => {
  const toml = [
    '[[relays]]\nname = "graph"\npreset = "exchange-graph"\nmailbox = "a@contoso.com"',
    `tenant = "contoso.com"\nclientId = "${GUID}"\nclientSecretFile = "secret"\nfallback = "smart"`,
    '[[relays]]\nname = "smart"\nhosts = ["one.example", "[::1]:2525", "192.0.2.1:26"]\nlogin = "password"\nuser = "u"',
    '[[relays]]\nname = "filed"\nhosts = ["a"]\ntls = "implicit"\nlogin = "password"\nuser = "u"\npasswordFile = "pw"',
    '[[relays]]\nname = "mx"\nway = "direct"\ndomains = ["Example.COM"]\ntls = "opportunistic"',
  ].join('\n');
  const { relays, made } = await openRig(t, toml, { secret: 'geheim\nmore\n', pw: '\uFEFFpass word\r\n' });
  const [graph, smart, filed, mx] = relays.options();
  t.match(smart, {
    hosts: [
      { host: 'one.example', port: 25 },
      { host: '::1', port: 2525 },
      { host: '192.0.2.1', port: 26 },
    ],
    tls: { mode: 'required', minimumVersion: 'TLSv1.2' },
    limits: { connections: 5, messagesPerMinute: 0, recipientsPerMessage: 100 },
  });
  t.match(filed, { hosts: [{ port: 465 }], tls: { mode: 'implicit' } });
  t.match(mx, { kind: 'direct', domains: ['example.com'], tls: { mode: 'opportunistic' } });
  t.match(graph, {
    kind: 'graph',
    application: GUID,
    mailbox: 'a@contoso.com',
    limits: { messagesPerMinute: 30 },
  });
  t.equal(graph?.kind === 'graph' && graph.fallback, smart, 'the smarthost itself is the fallback');
  const passwordOf = (options: RelayOptions | undefined) => {
    const { login } = smtp(options);
    return login?.kind === 'password' ? login.password() : undefined;
  };
  t.equal(await passwordOf(smart), 'relayPassword of smart');
  t.equal(await passwordOf(filed), 'pass word');
  t.match(made, [{ name: 'graph', scope: 'https://graph.microsoft.com/.default', tenant: 'contoso.com' }]);
  t.equal(made[0]?.grant.kind === 'clientSecret' && (await made[0].grant.secret()), 'geheim');
});

t.test(
  'a relay whose files cannot be used stays as it was, and that is told; the others change',
  async (t) => {
    const { relays, logged, write, read } = await openRig(
      t,
      `${CONNECTOR}[[relays]]\nname = "other"\nhosts = ["a"]\n`,
      client(await issue(90)),
    );
    const [before] = relays.options();
    write('c.key', 'no key');
    const problems = await relays.reload(read(`${CONNECTOR}[[relays]]\nname = "other"\nhosts = ["b"]\n`));
    t.match(problems, [
      /^relay exchange: certificateFile and keyFile .* cannot be used: .*; it stays as it was$/,
    ]);
    const [after, other] = relays.options();
    t.equal(after, before);
    t.match(other, { hosts: [{ host: 'b' }] });
    t.match(relays.warnings(), [/it stays as it was/]);
    t.match(
      logged.filter(([event]) => event === 'admin.relay.refused'),
      [['admin.relay.refused', { relay: 'exchange' }]],
    );
    await relays.reload(read(`${CONNECTOR}[[relays]]\nname = "other"\nhosts = ["b"]\n`));
    t.equal(logged.filter(([event]) => event === 'admin.relay.refused').length, 1, 'the log says it once');
  },
);

t.test('one that never could be used is not there; it comes once its files are right', async (t) => {
  const { relays, write, clock } = await openRig(t, CONNECTOR);
  t.strictSame(relays.options(), []);
  t.match(relays.warnings(), [/^relay exchange: certificateFile \(.*c\.pem\) cannot be used: ENOENT/]);
  const taken = Promise.withResolvers<readonly RelayOptions[]>();
  relays.follow(taken.resolve);
  for (const [name, text] of Object.entries(client(await issue(90)))) write(name, text);
  clock.advance(RELAY_LOOK_PERIOD_MS);
  t.match(await taken.promise, [{ name: 'exchange' }]);
  t.strictSame(relays.warnings(), []);
});

t.test(
  'a renewed certificate is taken up without a reload, and whatever has not changed stays itself',
  async (t) => {
    const toml = `${CONNECTOR}[[relays]]\nname = "other"\nhosts = ["a"]\n${XOAUTH2}`;
    const { relays, write, clock, made } = await openRig(t, toml, client(await issue(90)));
    const before = relays.options();
    const taken = Promise.withResolvers<readonly RelayOptions[]>();
    relays.follow(taken.resolve);
    const renewed = await issue(180);
    for (const [name, text] of Object.entries(client(renewed))) write(name, text);
    clock.advance(RELAY_LOOK_PERIOD_MS);
    const after = await taken.promise;
    t.equal(smtp(after[0]).tls.clientCertificate?.certificate, renewed.pem);
    t.equal(after[1], before[1]);
    t.equal(after[2], before[2]);
    t.equal(made.length, 1);
  },
);

t.test('what ends is told 30, 14 and 3 days before and at its end, in the log once each', async (t) => {
  const clock = createTestClock(systemClock.now());
  const ends = new Date(clock.now() + 31 * DAY_MS).toISOString().slice(0, 10);
  const {
    relays,
    logged,
    clock: now,
  } = await openRig(t, `${CONNECTOR}${XOAUTH2}secretExpires = "${ends}"\n`, client(await issue(40, clock)));
  const lines = () => logged.filter(([event]) => event === 'admin.relay.expiring').length;
  t.strictSame([lines(), relays.warnings()], [0, []]);
  const counts: number[] = [];
  for (let day = 1; day <= 41; day += 1) {
    now.setCalendar(unixMs(now.now() + DAY_MS));
    now.advance(RELAY_LOOK_PERIOD_MS);
    await relays.reload([...relays.options()].map(({ name }) => relays.configured(name) as RelayConfig));
    counts.push(lines());
  }
  t.equal(counts.at(-1), 8, 'four steps of two things that end');
  t.strictSame(
    relays.warnings().map((text) => text.replace(/\d{4}-\d\d-\d\d/, 'DAY')),
    [
      'relay exchange: its client certificate ended on DAY: nothing goes by it until there is a new one',
      'relay tokens: its client secret ended on DAY: nothing goes by it until there is a new one',
    ],
  );
});

t.test('a token client lives as long as what it asks for stays the same', async (t) => {
  const { relays, made, read } = await openRig(t, XOAUTH2);
  const tokensOf = (): AccessTokens | undefined => {
    const { login } = smtp(relays.options()[0]);
    return login?.kind === 'xoauth2' ? login.tokens : undefined;
  };
  const first = tokensOf();
  await relays.reload(read(`${XOAUTH2}connectionLimit = 1\n`));
  t.equal(tokensOf(), first);
  t.equal(relays.tokens('tokens'), first);
  await relays.reload(read(`${XOAUTH2}grant = "deviceCode"\n`));
  t.not(tokensOf(), first);
  t.match(made, [
    { grant: { kind: 'clientSecret' }, scope: 'https://outlook.office365.com/.default' },
    { grant: { kind: 'user' }, scope: 'https://outlook.office.com/SMTP.Send offline_access' },
  ]);
});
