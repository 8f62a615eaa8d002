/** Client certificates, held against names and roots by hand: what proves something, what does not, and that each handshake shows it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { type ConnectionOptions, rootCertificates, type TLSSocket } from 'node:tls';
import { X509Certificate } from 'node:crypto';

import t, { type Test } from 'tap';

import { systemClock, unixMs } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { DAY_MS } from '../../src/base/units.ts';
import {
  checkCertificate,
  type PresentedCertificate,
  presentedChain,
} from '../../src/net/clientCertificate.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import { openListener } from '../../src/net/listener.ts';
import { TlsContexts, type TlsProfile } from '../../src/net/tlsContext.ts';
import { openTrustRoots } from '../../src/net/trustRoots.ts';
import { createAuthority, type Issued } from '../support/authority.ts';
import { connectClient, createCertificate, secureClient } from '../support/sockets.ts';

const NAME = 'mail.protection.example.com';
const directory = mkdtempSync(join(tmpdir(), 'hauspost-roots-'));
t.teardown(() => rmSync(directory, { recursive: true }));
const root = await createAuthority('Root');
const below = await root.authority('Below');
const rootFile = join(directory, 'roots.pem');
writeFileSync(rootFile, `some text\n${root.pem}`);
const roots = await openTrustRoots(rootFile);
const right = await below.issue({ commonName: NAME, names: [NAME], uses: ['serverAuth'] });

function judge(chain: readonly Issued[], now = systemClock.now()): PresentedCertificate {
  return checkCertificate(
    chain.map(({ certificate }) => certificate),
    { names: ['other.example.com', NAME], roots, now },
  );
}

t.test('a certificate with the name and a chain to a root is proof, whatever its purpose', async (t) => {
  t.same(judge([right, below]), { kind: 'proved', name: NAME });
  const wild = await below.issue({
    commonName: 'x',
    names: ['*.protection.example.com'],
    uses: ['clientAuth'],
  });
  t.same(judge([wild, below]), { kind: 'proved', name: NAME });
  const bare = await root.issue({ commonName: NAME });
  t.same(judge([bare]), { kind: 'proved', name: NAME }, 'without names the common name counts');
});

t.test('whatever is wrong with a chain is told', async (t) => {
  const stranger = await createAuthority('Root');
  const forged = await stranger.issue({ commonName: NAME, names: [NAME] });
  const pretender = root.pretend(right);
  const byLeaf = await pretender.issue({ commonName: NAME, names: [NAME] });
  const mail = await below.issue({ commonName: NAME, names: [NAME], uses: ['emailProtection'] });
  const cases: [string, readonly Issued[], { kind: string; why?: RegExp }][] = [
    ['none', [], { kind: 'absent' }],
    [
      'another name',
      [await below.issue({ commonName: 'evil.example', names: ['evil.example'] }), below],
      { kind: 'otherName' },
    ],
    [
      'the issuer is missing',
      [right],
      { kind: 'unproved', why: /no certificate that is trusted here has issued it/ },
    ],
    ['a root of the same name', [forged, stranger], { kind: 'unproved', why: /trusted here/ }],
    [
      'issued by a certificate that is no authority',
      [byLeaf, right, below],
      { kind: 'unproved', why: /has issued it/ },
    ],
    ['not for TLS', [mail, below], { kind: 'unproved', why: /not a certificate for TLS/ }],
  ];
  for (const [what, chain, expected] of cases) t.match(judge(chain), expected, what);
  t.match(judge([right, below], unixMs(systemClock.now() + 40 * DAY_MS)), {
    why: /^it has expired on \d{4}-/,
  });
  t.match(judge([right, below], unixMs(systemClock.now() - 5 * DAY_MS)), { why: /^it is not valid before/ });
  const old = await root.issue({
    commonName: 'Old',
    isAuthority: true,
    notAfter: new Date(systemClock.now() - DAY_MS / 2),
    notBefore: new Date(0),
  });
  const belowOld = await root.pretend(old).issue({ commonName: NAME, names: [NAME] });
  t.match(judge([belowOld, old]), { why: /its issuer \(CN=Old\) has expired/ });
});

t.test('a certificate that is itself among the roots needs no issuer', async (t) => {
  const pinned = join(directory, 'pinned.pem');
  writeFileSync(pinned, right.pem);
  const demand = { names: [NAME], roots: await openTrustRoots(pinned), now: systemClock.now() };
  t.same(checkCertificate([right.certificate], demand), { kind: 'proved', name: NAME });
  const other = await root.pretend(right).issue({ commonName: NAME, names: [NAME] });
  t.match(checkCertificate([other.certificate, right.certificate], demand), { kind: 'unproved' });
});

t.test('what a certificate says is made printable and short', async (t) => {
  const odd = await below.issue({ commonName: `${'ä'.repeat(50)}\u2028`.padEnd(60, 'x') });
  const found = judge([odd, below]);
  t.match(found, { kind: 'otherName', subject: /^[\x20-\x7e]{1,80}$/ });
});

t.test(
  'Node’s own roots are among them, Microsoft’s newest too, and a file that holds none is refused',
  async (t) => {
    const bundled = await openTrustRoots(undefined);
    t.ok(bundled.includes(new X509Certificate(rootCertificates[0] ?? '')));
    const names = rootCertificates.map((pem) => new X509Certificate(pem).subject);
    t.ok(names.some((name) => name.includes('DigiCert Global Root G2')));
    const empty = join(directory, 'empty.pem');
    writeFileSync(empty, 'nothing\n');
    await t.rejects(openTrustRoots(empty), { code: 'invalid', message: /empty\.pem: holds no certificate/ });
    await t.rejects(openTrustRoots(join(directory, 'gone.pem')), { code: 'invalid' });
  },
);

/** A listener with TLS from the first octet that asks for certificates; answers what each connection presented. */
async function serve(t: Test, profile: TlsProfile) {
  const files = await createCertificate(t);
  const tlsContexts = await TlsContexts.open(files.source, profile);
  const found: PresentedCertificate[] = [];
  const listener = await openListener(
    {
      name: 'test',
      address: '127.0.0.1',
      port: 0,
      tls: 'implicit',
      tlsContexts,
      asksCertificate: true,
      caps: new ConnectionCaps({ total: 10, perAddress: 10 }),
      clock: systemClock,
      log: silentLog,
    },
    (socket: Socket) => {
      const chain = presentedChain(socket as TLSSocket);
      found.push(checkCertificate(chain, { names: [NAME], roots, now: systemClock.now() }));
      socket.end('done\r\n');
      socket.resume();
    },
  );
  t.teardown(() => listener.close(0));
  const connect = async (options: ConnectionOptions = {}) => {
    const plain = await connectClient(t, listener.port);
    const client = await secureClient(t, plain.socket, { rejectUnauthorized: false, ...options });
    const sessions: Buffer[] = [];
    client.socket.on('session', (session) => sessions.push(session));
    await client.until(/done/);
    const ticket = client.socket.getTLSTicket();
    await client.closed();
    return {
      isReused: client.socket.isSessionReused(),
      sessions,
      ticket,
      protocol: client.socket.getProtocol(),
    };
  };
  return { found, connect };
}

t.test('a handshake shows the chain, or that there is none, and goes on either way', async (t) => {
  const { found, connect } = await serve(t, { hasTickets: false });
  await connect({ cert: right.pem + below.pem, key: right.keyPem });
  await connect();
  const self = await createAuthority(NAME);
  await connect({ cert: self.pem, key: self.keyPem });
  t.match(found, [{ kind: 'proved' }, { kind: 'absent' }, { kind: 'unproved', why: /has issued it/ }]);
});

t.test('no handshake resumes a session of before, which would show no chain', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { found, connect } = await serve(t, { maxVersion, hasTickets: false });
    const cert = { cert: right.pem + below.pem, key: right.keyPem };
    const first = await connect(cert);
    t.equal(first.protocol, maxVersion);
    const [session] = first.sessions;
    const second = await connect(session === undefined ? cert : { ...cert, session });
    t.equal(second.isReused, false, maxVersion);
    t.match(found, [{ kind: 'proved' }, { kind: 'proved' }], maxVersion);
  }
});

t.test('TLS 1.2 without tickets sends none; a listener that has them sends one', async (t) => {
  for (const hasTickets of [true, false]) {
    const { connect } = await serve(t, { maxVersion: 'TLSv1.2', hasTickets });
    const { ticket, protocol } = await connect();
    t.equal(protocol, 'TLSv1.2');
    t.equal(ticket !== undefined, hasTickets);
  }
});
