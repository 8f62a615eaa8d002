/**
 * Exchange Online's door, from the outside: a stand-in with certificate, names, header block and verbs of Exchange delivers to a whole
 * appliance through each level and into each refusal; what is stored, reported, counted and nowhere to be seen.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import t, { type Test } from 'tap';

import { formatMessageHeader, parseMessageHeader, withoutFields } from '../../src/wire/mime/messageHeader.ts';
import { headerEnd } from '../../src/wire/mime/header.ts';
import { addAccount, createSite, type RunningServer, type Site } from '../support/appliance.ts';
import { createAuthority, type Issued } from '../support/authority.ts';
import { makeSigningKey } from '../support/dkimSigner.ts';
import { openDnsServer } from '../support/dnsServer.ts';
import { type ExchangeMessage, makeExchangeMessage, type Tenant } from '../support/exchangeMessage.ts';
import { createExchangeOnline, type ExchangeOptions, type Outgoing } from '../support/exchangeOnline.ts';
import { RawPop3 } from '../support/rawPop3.ts';

t.setTimeout(300_000);

const NAME = 'mail.protection.outlook.com';
const SECRET = 'correct-horse-battery-staple';
const RECIPIENT = 'tickets@app.example.com';
const ours: Tenant = {
  id: '0a1b2c3d-1111-2222-3333-444455556666',
  domain: 'contoso.onmicrosoft.com',
  key: makeSigningKey('contoso.onmicrosoft.com', 'selector1-contoso'),
};
const theirs: Tenant = {
  id: 'ffffffff-1111-2222-3333-444455556666',
  domain: 'fabrikam.onmicrosoft.com',
  key: makeSigningKey('fabrikam.onmicrosoft.com', 'selector1-fabrikam'),
};

const dns = await openDnsServer(t);
for (const { key } of [ours, theirs]) dns.records.set(`${key.selector}._domainkey.${key.domain}`, key.record);
const root = await createAuthority('Test Root');
const cloud = await root.authority('Test Cloud Services CA-1');
// As public authorities issue them now: for servers alone.
const certificate = await cloud.issue({ commonName: NAME, names: [NAME, `*.${NAME}`], uses: ['serverAuth'] });
const foreign = await cloud.issue({ commonName: 'mail.example.net', names: ['mail.example.net'] });
const stranger = await (await createAuthority('Another Root')).issue({ commonName: NAME, names: [NAME] });
const tlsOf = ({ pem, keyPem }: Issued) => ({ cert: pem + cloud.pem, key: keyPem });

const LEVELS = ['ip', 'tls', 'tenant', 'secret', 'dkim'];
const site = openSite(t);
await addAccount(site, 'tickets');
const server = await site.serve();
const ports = server.ports as RunningServer['ports'] & Readonly<Record<string, number>>;
const log = () => server.program.printed();

function openSite(t: Test): Site {
  const listener = (name: string, door: readonly string[], more = '') =>
    `[[listeners]]\nname = "${name}"\nprotocol = "smtp"\nport = 0\ndoor = ${JSON.stringify(door)}\n${more}`;
  const site = createSite(
    [
      '[exchange]',
      'sourceRanges = ["127.40.0.0/16", "2a01:111:f400::/48"]',
      'rootCertificateFile = "roots.pem"',
      `tenantIds = ["${ours.id}"]`,
      'secretHeader = "X-Hauspost-Relay"',
      'secretFile = "secret"',
      `dkimDomains = ["${ours.domain}"]`,
      `dnsServers = ["${dns.address}"]`,
      listener('all', LEVELS),
      ...LEVELS.map((level) => listener(`only${level}`, [level])),
      listener('oldtls', ['ip'], 'tlsMaximumVersion = "TLSv1.2"\n'),
    ].join('\n'),
  );
  t.teardown(() => site.remove());
  writeFileSync(join(site.directory, 'roots.pem'), root.pem);
  writeFileSync(join(site.directory, 'secret'), `${SECRET}\n`);
  return site;
}

/** A message of our tenant through everything that it sets. */
async function make(message: Partial<ExchangeMessage> = {}): Promise<Outgoing> {
  const octets = await makeExchangeMessage({
    tenant: ours,
    number: made++,
    recipient: RECIPIENT,
    body: 'Grüße,\r\n.dots\r\n..and more\r\n\r\n',
    ruleField: ['X-Hauspost-Relay', SECRET],
    ...message,
  });
  return { to: [RECIPIENT], octets };
}
let made = 1;

function exchange(listener: string, options: Partial<ExchangeOptions> = {}) {
  return createExchangeOnline({ port: ports[listener] ?? 0, tls: tlsOf(certificate), ...options });
}

/** Delivers one message; answers how it ended. */
async function deliver(
  listener: string,
  message: Partial<ExchangeMessage> = {},
  options: Partial<ExchangeOptions> = {},
) {
  const [outcome] = await exchange(listener, options).deliver([await make(message)]);
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}

/** Fetches and deletes what has come, without our two trace fields. */
async function fetchAll(): Promise<Buffer[]> {
  const login = { address: RECIPIENT, password: 'pass word tickets' };
  const pop3 = await RawPop3.open(ports.pop3, login);
  const messages: Buffer[] = [];
  for (const number of (await pop3.list()).keys()) {
    messages.push(await pop3.retrieve(number));
    await pop3.command(`DELE ${number}`);
  }
  await pop3.quit();
  return messages.map((octets) => {
    const end = headerEnd(octets);
    const header = parseMessageHeader(octets.subarray(0, end), true);
    const own = { ...header, fields: header.fields.slice(2) };
    return Buffer.concat([formatMessageHeader(own), octets.subarray(end)]);
  });
}

/** What is to be stored of a message. */
function withoutSecret({ octets }: Outgoing): Buffer {
  const end = headerEnd(octets);
  const header = parseMessageHeader(octets.subarray(0, end), true);
  const kept = withoutFields(header, new Set(['x-hauspost-relay']));
  return Buffer.concat([formatMessageHeader(kept), octets.subarray(end)]);
}

const inOrder = (messages: readonly Buffer[]) => messages.map((octets) => octets.toString('latin1')).sort();

t.test('mail of our tenant comes in through all levels, as it was sent but for the secret', async (t) => {
  const messages: Outgoing[] = [];
  for (let count = 0; count < 8; count += 1) messages.push(await make());
  t.ok(headerEnd(messages[0]?.octets ?? Buffer.alloc(0)) > 13_000, 'a header block as long as Exchange’s');
  const chunked = exchange('all', { chunkOctets: 5000 });
  const byChunks = await chunked.deliver(messages.slice(0, 5), 2);
  const byData = await exchange('all', { chunkOctets: 0 }).deliver(messages.slice(5));
  for (const outcome of [...byChunks, ...byData]) t.match(outcome, { kind: 'delivered', tries: 1 });
  t.same(byChunks[0]?.verbs.slice(0, 4), ['MAIL', 'RCPT', 'BDAT', 'BDAT']);
  t.same(byData[0]?.verbs, ['MAIL', 'RCPT', 'DATA']);
  t.equal(chunked.connections.length, 2);
  t.same(inOrder(await fetchAll()), inOrder(messages.map(withoutSecret)));
});

t.test('each level alone lets in what it asks for, and reports all else in words of its own', async (t) => {
  const plain = { ruleField: undefined, isSigned: false, absent: ['x-ld-processed'] } as const;
  const signed = { ...plain, isSigned: true };
  const relayPool = { localAddress: '127.95.0.1' };
  const cross = (id: string) => `X-MS-Exchange-CrossTenant-Id: ${id}`;
  const secret = (value: string) => `X-Hauspost-Relay: ${value}`;
  const cases: [string, Partial<ExchangeMessage>, Partial<ExchangeOptions>, RegExp | undefined][] = [
    ['onlyip', plain, { tls: false }, undefined],
    [
      'onlyip',
      plain,
      relayPool,
      /^550 5\.7\.1 .*published addresses of Exchange Online; this came from 127\.95\.0\.1/,
    ],
    ['onlytls', plain, relayPool, undefined],
    ['onlytls', plain, { tls: false }, /^530 5\.7\.0 Must issue a STARTTLS/],
    ['onlytls', plain, { tls: {} }, /^550 5\.7\.1 .*none was presented/],
    ['onlytls', plain, { tls: tlsOf(foreign) }, /^550 5\.7\.1 .*is of mail\.example\.net/],
    ['onlytenant', plain, relayPool, undefined],
    ['onlytenant', { ...plain, tenant: theirs }, {}, /^550 5\.7\.1 .*Id of ffffffff-.*X-LD-Processed absent/],
    ['onlytenant', { ...plain, added: [cross(ours.id)] }, {}, /^550 5\.7\.1 .*Id more than once/],
    ['onlytenant', { ...plain, tenant: theirs, added: [cross(ours.id)] }, {}, /Id more than once/],
    ['onlysecret', { ...plain, ruleField: ['X-Hauspost-Relay', SECRET] }, { tls: false }, undefined],
    ['onlysecret', plain, {}, /^550 5\.7\.1 .*a mail flow rule of its tenant sets; seen: none/],
    [
      'onlysecret',
      { ...plain, added: [secret('a-guess-of-some-length')] },
      {},
      /seen: one with another value/,
    ],
    ['onlysecret', { ...plain, added: [secret('x'), secret(SECRET)] }, {}, /seen: more than one/],
    ['onlydkim', signed, relayPool, undefined],
    ['onlydkim', plain, {}, /^550 5\.7\.20 .*seen: no signature/],
    ['onlydkim', { ...signed, tenant: theirs }, {}, /seen: only of fabrikam\.onmicrosoft\.com/],
    ['onlydkim', { ...signed, added: ['Subject: another'] }, {}, /more subject fields than it signs/],
  ];
  let delivered = 0;
  for (const [listener, message, options, report] of cases) {
    const outcome = await deliver(listener, message, options);
    const what = `${listener}: ${outcome.reply}`;
    if (report === undefined) {
      delivered += 1;
      t.equal(outcome.kind, 'delivered', what);
      continue;
    }
    t.equal(outcome.kind, 'reported', what);
    t.match(outcome.reply, report, what);
    t.equal(outcome.report, `Remote server returned '${outcome.reply}'`);
    if (!/STARTTLS/.test(what)) t.match(outcome.report, /Exchange administrator: /);
  }
  t.equal((await fetchAll()).length, delivered, 'what was reported is not stored');
});

t.test('what passes is tried again: the DNS does not answer, and then it does', async (t) => {
  dns.isBroken = true;
  t.teardown(() => {
    dns.isBroken = false;
  });
  let reply = '';
  const onDeferred = (text: string) => {
    reply = text;
    dns.isBroken = false;
  };
  const outcome = await deliver('all', {}, { tries: 3, onDeferred });
  t.match(outcome, { kind: 'delivered', tries: 2 });
  t.match(reply, /^451 4\.4\.3 .*the DNS does not answer.*tried again/);
  t.equal((await fetchAll()).length, 1, 'once');
});

t.test('a certificate that cannot be checked is our affair: temporary', async (t) => {
  const outcome = await deliver('onlytls', {}, { tls: tlsOf(stranger) });
  t.match(outcome, {
    kind: 'deferred',
    reply: /^451 4\.7\.5 .*no certificate that is trusted here has issued it/,
  });
  t.same(await fetchAll(), []);
});

t.test('a client that resumes TLS sessions is taken, and shows its chain each time', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const sender = exchange('onlytls', { tls: { ...tlsOf(certificate), maxVersion } });
    for (let count = 0; count < 3; count += 1)
      t.match(await sender.deliver([await make()]), [{ kind: 'delivered' }], maxVersion);
    t.match(sender.connections, [{ protocol: maxVersion }, { isResumed: false }, { isResumed: false }]);
  }
  await fetchAll();
});

t.test('a listener that is held to TLS 1.2 sends no session tickets; others speak TLS 1.3', async (t) => {
  const old = exchange('oldtls');
  await old.deliver([await make()]);
  t.match(old.connections, [{ protocol: 'TLSv1.2', ticket: undefined }]);
  const usual = exchange('smtp');
  await usual.deliver([await make()]);
  t.match(usual.connections, [{ protocol: 'TLSv1.3' }]);
  await fetchAll();
});

t.test('bare line feeds come by BDAT, and unknown recipients are refused before the message', async (t) => {
  const odd = await make({ body: 'one\ntwo\r\n', isSigned: false });
  t.match(await exchange('onlysecret').deliver([odd]), [{ kind: 'delivered' }]);
  t.match((await fetchAll())[0]?.toString(), /one\r?\ntwo\r\n$/);
  const nobody = { ...(await make()), to: ['nobody@app.example.com'] };
  t.match(await exchange('all').deliver([nobody]), [
    { kind: 'reported', reply: /^550 5\.1\.1/, verbs: ['MAIL', 'RCPT'] },
  ]);
});

t.test('status tells each signal, each refusal and the last contact', async (t) => {
  const status = (await site.cliJson(['status'])) as { listeners: { name: string; exchange: unknown }[] };
  const of = (name: string) => status.listeners.find((listener) => listener.name === name)?.exchange;
  t.match(of('all'), {
    levels: LEVELS,
    messages: 10,
    refusals: { ip: 0, tls: 0, tenant: 0, secret: 0, dkim: 1 },
    signals: {
      sourceAddress: { present: 10, valid: 10 },
      heloName: { present: 10, valid: 10 },
      certificate: { present: 10, valid: 10, refused: 0 },
      crossTenantId: { present: 10, valid: 10 },
      ldProcessed: { present: 10, valid: 10 },
      originatorOrg: { present: 10, valid: 10 },
      secret: { present: 10, valid: 10 },
      dkim: { present: 10, valid: 9, refused: 0 },
    },
    lastContact: { remoteAddress: '127.40.92.1', isFromRanges: true, isNamedAsExchange: true },
  });
  t.match(of('onlytls'), { refusals: { tls: 4 }, signals: { certificate: { present: 7, valid: 7 } } });
  t.match(of('onlytenant'), {
    refusals: { tenant: 3 },
    signals: { crossTenantId: { present: 4, valid: 1, refused: 3 } },
  });
  t.match(of('smtp'), { levels: [], messages: 1 });
  t.equal(of('imap'), null);
  t.equal(of('submission'), null);
  const text = (await site.cli(['status'])).stdout.toString();
  t.match(text, /Exchange Online: listener all\nAsks for: +ip, tls, tenant, secret, dkim\n/);
  t.match(text, /DKIM of the tenant +10 +9 +0/);
});

t.test(
  'the secret is seen nowhere: not in log, protocol log, trace, configuration, or any file',
  async (t) => {
    await site.cli(['protocol-log', 'on', '--all']);
    t.equal((await deliver('all')).kind, 'delivered');
    t.equal((await deliver('onlysecret', { added: [`X-Hauspost-Relay: ${SECRET}`] })).kind, 'reported');
    const [message] = await fetchAll();
    t.notMatch(message?.toString('latin1'), new RegExp(`Hauspost-Relay|${SECRET}`));
    // What was refused just now is written a moment later.
    const newest = async () => (await site.cli(['trace', RECIPIENT, '--limit', '1'])).stdout.toString();
    while (!(await newest()).includes('seen: more than one'));
    const shown: string[] = [];
    for (const args of [
      ['protocol-log', 'show'],
      ['trace', RECIPIENT, '--json'],
      ['config', 'print'],
    ])
      shown.push((await site.cli(args)).stdout.toString());
    t.ok(
      shown.every((text) => text.length > 100),
      'each says something',
    );
    t.match(shown[1], /"reply": "550 5\.7\.1 Mail is taken here only with the header field/);
    for (const text of [...shown, log()]) t.notMatch(text, SECRET);
    const files = readdirSync(site.directory, { recursive: true, withFileTypes: true }).filter(
      (file) => file.isFile() && file.name !== 'secret',
    );
    const holding = files.filter((file) => readFileSync(join(file.parentPath, file.name)).includes(SECRET));
    t.same(
      holding.map(({ name }) => name),
      [],
    );
    t.ok(files.length > 4);
  },
);

t.test('the secret changes while the server runs, and both are taken meanwhile', async (t) => {
  const fresh = 'another-secret-of-some-length';
  const config = readFileSync(site.configFile, 'utf8');
  writeFileSync(join(site.directory, 'secret.new'), `${fresh}\n`);
  const setSecrets = async (lines: string) => {
    writeFileSync(site.configFile, config.replace('secretFile = "secret"', lines));
    t.match((await site.cliJson(['reload'])) as object, { problems: [] });
  };
  const kinds = async () => {
    const outcomes = [];
    for (const value of [SECRET, fresh])
      outcomes.push((await deliver('onlysecret', { ruleField: ['X-Hauspost-Relay', value] })).kind);
    return outcomes;
  };
  t.same(await kinds(), ['delivered', 'reported']);
  await setSecrets('secretFile = "secret.new"\npreviousSecretFile = "secret"');
  t.same(await kinds(), ['delivered', 'delivered']);
  await setSecrets('secretFile = "secret.new"');
  t.same(await kinds(), ['reported', 'delivered']);
});
