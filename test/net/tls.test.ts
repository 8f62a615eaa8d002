/**
 * Certificates: loaded, refused with the reason, reloaded under load, and made at the first start.
 */

import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SMTPServer } from 'smtp-server';
import t, { type Test } from 'tap';

import { systemClock, unixMs } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { DAY_MS, MIB } from '../../src/base/units.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import { openListener } from '../../src/net/listener.ts';
import { ensureSelfSigned, SELF_SIGNED_VALIDITY_MS } from '../../src/net/selfSigned.ts';
import { type CertificateSource, TLS_PROFILES, TlsContexts } from '../../src/net/tlsContext.ts';
import { explainTlsFailure } from '../../src/net/tlsFailure.ts';
import { createTestClock } from '../support/clock.ts';
import { connectClient, createCertificate, secureClient } from '../support/sockets.ts';

const first = await createCertificate(t);
const second = await createCertificate(t);
const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'net');

function temporary(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-tls-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

t.test('a certificate is loaded from PEM and from PFX, and says what it is', async (t) => {
  const { certificate } = first.contexts;
  t.equal(certificate.subject, 'CN=mail.example.com');
  t.match(certificate.alternativeNames, /DNS:mail\.example\.com, DNS:localhost, IP Address:127\.0\.0\.1/);
  t.ok(certificate.validTo > systemClock.now() + 3600 * DAY_MS);
  t.equal(certificate.fingerprint, new X509Certificate(first.pem).fingerprint256);

  const pfx = await TlsContexts.open({
    kind: 'pfx',
    pfxFile: join(FIXTURES, 'aes.pfx'),
    passphrase: 'geheim',
  });
  t.equal(pfx.certificate.subject, 'CN=pfx.example.com');
});

t.test('an encrypted key needs its passphrase', async (t) => {
  const keyFile = join(temporary(t), 'encrypted.key');
  const key = createPrivateKey(readFileSync(first.source.keyFile));
  writeFileSync(
    keyFile,
    key.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'geheim' }),
  );
  const source = { ...first.source, keyFile };
  t.equal(
    (await TlsContexts.open({ ...source, passphrase: 'geheim' })).certificate.subject,
    'CN=mail.example.com',
  );
  const wrong = { name: 'MailError', code: 'invalid', message: /the passphrase is wrong or missing/ };
  // One wrong passphrase in 256 decrypts to something with the right padding: 1,000 meet one but for 2 times in 100.
  for (let number = 0; number < 1000; number += 1) {
    const error = await TlsContexts.open({ ...source, passphrase: `falsch${number}` }).catch(
      (reason: unknown) => reason,
    );
    if (!(error instanceof Error) || !wrong.message.test(error.message)) t.match(error, wrong);
  }
  await t.rejects(TlsContexts.open(source), wrong);
});

t.test('files that are no certificate are refused with the reason and the name', async (t) => {
  const directory = temporary(t);
  const write = (name: string, content: string | Buffer) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };
  const { certificateFile, keyFile } = first.source;
  const pem = (certificate: string, key: string): CertificateSource => ({
    kind: 'pem',
    certificateFile: certificate,
    keyFile: key,
  });
  const pfx = (pfxFile: string, passphrase = 'geheim'): CertificateSource => ({
    kind: 'pfx',
    pfxFile,
    passphrase,
  });
  const junk = write('junk', 'hello');
  const table: [source: CertificateSource, message: RegExp][] = [
    [pem(join(directory, 'missing.crt'), keyFile), /missing\.crt: ENOENT/],
    [pem(directory, keyFile), /EISDIR|is a directory/],
    [pem(write('empty', ''), keyFile), /empty: is empty/],
    [pem(write('huge', Buffer.alloc(MIB + 1)), keyFile), /huge: is too large/],
    [pem(junk, keyFile), /junk.*the certificate is not PEM/],
    [pem(certificateFile, junk), /junk.*the key is not PEM/],
    [pem(keyFile, certificateFile), /the certificate is not PEM/],
    [pem(certificateFile, second.source.keyFile), /the key does not belong to the certificate/],
    [pfx(join(FIXTURES, 'aes.pfx'), 'falsch'), /the passphrase is wrong or missing/],
    [pfx(join(FIXTURES, 'rc2.pfx')), /export it again with AES256-SHA256/],
    [pfx(junk), /this is not a PFX file/],
  ];
  for (const [source, message] of table)
    await t.rejects(
      TlsContexts.open(source),
      { name: 'MailError', code: 'invalid', message },
      String(message),
    );
  await t.rejects(TlsContexts.open(first.source, { ciphers: 'NONSENSE' }), { message: /names no cipher/ });
});

t.test('a reload takes the new files, and keeps the old context when they are bad', async (t) => {
  const directory = temporary(t);
  const source = {
    kind: 'pem',
    certificateFile: join(directory, 'server.crt'),
    keyFile: join(directory, 'server.key'),
  } as const;
  const install = (from: typeof first.source) => {
    copyFileSync(from.certificateFile, source.certificateFile);
    copyFileSync(from.keyFile, source.keyFile);
  };
  install(first.source);
  const contexts = await TlsContexts.open(source);
  let reloads = 0;
  const stop = contexts.onReload(() => {
    reloads += 1;
  });
  const before = contexts.current();

  copyFileSync(second.source.certificateFile, source.certificateFile);
  await t.rejects(contexts.reload(), {
    code: 'invalid',
    message: /the key does not belong to the certificate/,
  });
  t.equal(contexts.current(), before);
  t.equal(contexts.certificate.fingerprint, first.contexts.certificate.fingerprint);
  t.equal(reloads, 0);

  install(second.source);
  await contexts.reload();
  t.not(contexts.current(), before);
  t.equal(contexts.certificate.fingerprint, second.contexts.certificate.fingerprint);
  t.equal(reloads, 1);
  stop();
  await contexts.reload();
  t.equal(reloads, 1);
});

t.test('of two reloads at a time the later one counts, however long the earlier one reads', async (t) => {
  const slow = join(t.testdir(), 'slow.pem');
  const { source } = second;
  if (source.kind !== 'pem') throw new Error('the test needs PEM files');
  // Read in two pieces, while the other certificate takes one.
  const padding = '# padding\n'.repeat(90_000);
  writeFileSync(slow, padding + readFileSync(source.certificateFile, 'latin1'));
  const contexts = await TlsContexts.open(source);
  const earlier = contexts.reload({ ...source, certificateFile: slow });
  const later = contexts.reload(first.source);
  await Promise.all([earlier, later]);
  const expected = await TlsContexts.open(first.source);
  t.equal(contexts.certificate.fingerprint, expected.certificate.fingerprint);
});

t.test('a reload counts from the next connection on and leaves open ones alone', async (t) => {
  const directory = temporary(t);
  const certificateFile = join(directory, 'server.crt');
  const keyFile = join(directory, 'server.key');
  copyFileSync(first.source.certificateFile, certificateFile);
  copyFileSync(first.source.keyFile, keyFile);
  const contexts = await TlsContexts.open({ kind: 'pem', certificateFile, keyFile });
  const listener = await openListener(
    {
      name: 'test',
      address: '127.0.0.1',
      port: 0,
      tls: 'implicit',
      tlsContexts: contexts,
      caps: new ConnectionCaps({ total: 10, perAddress: 10 }),
      clock: createTestClock(),
      log: silentLog,
    },
    (socket: Socket) => void socket.pipe(socket),
  );
  t.teardown(() => listener.close(0));
  const open = async () => secureClient(t, (await connectClient(t, listener.port)).socket);
  const early = await open();
  copyFileSync(second.source.certificateFile, certificateFile);
  copyFileSync(second.source.keyFile, keyFile);
  await contexts.reload();
  const late = await open();
  t.equal(early.socket.getPeerCertificate().fingerprint256, first.contexts.certificate.fingerprint);
  t.equal(late.socket.getPeerCertificate().fingerprint256, second.contexts.certificate.fingerprint);
  early.send('still here');
  t.equal(await early.until(/here/), 'still here');
});

t.test('TLS 1.2 is the floor, a profile moves only what it names', async (t) => {
  t.match(first.contexts.tlsOptions(), {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    honorCipherOrder: true,
  });
  const capped = await TlsContexts.open(first.source, { maxVersion: 'TLSv1.2', ciphers: undefined });
  t.match(capped.tlsOptions(), { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
  t.equal('ciphers' in capped.tlsOptions(), false);
  const legacy = await TlsContexts.open(first.source, TLS_PROFILES.legacy);
  t.match(legacy.tlsOptions(), { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' });
});

t.test('smtp-server takes the options as they are, at its start and at a reload', async (t) => {
  const server = new SMTPServer({ ...first.contexts.tlsOptions(), logger: false });
  server.updateSecureContext(second.contexts.tlsOptions());
  const context = server.secureContext.get('*');
  t.same(
    new X509Certificate(context?.context.getCertificate()).fingerprint256,
    second.contexts.certificate.fingerprint,
  );
});

t.test('the first start makes a certificate, the next one keeps it', async (t) => {
  const directory = temporary(t);
  const options = { directory, hostName: 'mail.example.com', clock: systemClock };
  const made = await ensureSelfSigned(options);
  t.match(made, { kind: 'made', because: 'missing', isForHost: true });
  t.same(readdirSync(directory).sort(), ['self-signed.crt', 'self-signed.key'], 'no temporary file is left');
  if (process.platform !== 'win32') t.equal(statSync(made.keyFile).mode & 0o777, 0o600);
  t.equal('getMetadata' in Reflect, false, 'the polyfill is gone again');

  const certificate = new X509Certificate(readFileSync(made.certificateFile));
  t.ok(certificate.checkHost('mail.example.com') && certificate.checkHost('localhost'));
  t.ok(certificate.checkIP('127.0.0.1') && certificate.checkIP('::1'));
  t.equal(certificate.ca, false);
  t.ok(certificate.verify(createPublicKey(readFileSync(made.keyFile))), 'signed with its own key');
  t.equal(certificate.publicKey.asymmetricKeyType, 'rsa');
  t.ok(certificate.validFromDate.getTime() < Date.now() - 0.9 * DAY_MS);

  t.match(await ensureSelfSigned(options), {
    kind: 'reused',
    fingerprint: made.fingerprint,
    validTo: made.validTo,
  });
  t.match(
    await ensureSelfSigned({ ...options, hostName: 'other.example.com' }),
    { kind: 'reused', fingerprint: made.fingerprint, isForHost: false },
    'clients have imported it: a new name alone is no reason for a new certificate',
  );
  const clock = createTestClock(unixMs(made.validTo + 1));
  t.match(await ensureSelfSigned({ ...options, clock }), {
    kind: 'made',
    because: 'expired',
    validTo: unixMs(Math.floor((made.validTo + 1 + SELF_SIGNED_VALIDITY_MS) / 1000) * 1000),
  });
});

t.test(
  'a certificate that cannot be used is made anew, one that cannot be read or written is an error',
  async (t) => {
    const directory = temporary(t);
    const options = {
      directory,
      hostName: '192.0.2.7',
      clock: systemClock,
      certificateName: 'a.crt',
      keyName: 'a.key',
    };
    copyFileSync(first.source.certificateFile, join(directory, 'a.crt'));
    copyFileSync(second.source.keyFile, join(directory, 'a.key'));
    const made = await ensureSelfSigned(options);
    t.match(
      made,
      { kind: 'made', because: 'unusable', isForHost: true },
      'key and certificate of two starts',
    );
    writeFileSync(made.certificateFile, '');
    t.match(
      await ensureSelfSigned(options),
      { kind: 'made', because: 'unusable' },
      'an empty file after a power cut',
    );

    rmSync(made.certificateFile);
    mkdirSync(made.certificateFile);
    await t.rejects(ensureSelfSigned(options), {
      name: 'MailError',
      code: 'invalid',
      message: /a\.crt cannot be read/,
    });
    const elsewhere = { ...options, directory: join(directory, 'missing') };
    await t.rejects(ensureSelfSigned(elsewhere), {
      name: 'MailError',
      code: 'cannot',
      message: /cannot be written/,
    });
  },
);

t.test('a host name too long for a common name stands among the alternative names', async (t) => {
  const hostName = `${'a'.repeat(60)}.mail.example.com`;
  const made = await ensureSelfSigned({ directory: temporary(t), hostName, clock: systemClock });
  t.equal(made.isForHost, true);
  t.equal(new X509Certificate(readFileSync(made.certificateFile)).subject, 'CN=localhost');
});

t.test('a failed handshake is explained', async (t) => {
  const failure = (code: string) => explainTlsFailure(Object.assign(new Error('openssl text'), { code }));
  t.match(
    failure('ERR_SSL_UNSUPPORTED_PROTOCOL'),
    /legacy TLS profile would take it \(ERR_SSL_UNSUPPORTED_PROTOCOL\)/,
  );
  t.match(failure('ERR_SSL_NO_SHARED_CIPHER'), /no cipher in common/);
  t.match(failure('ERR_SSL_HTTP_REQUEST'), /something else than TLS/);
  t.match(failure('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), /does not trust the certificate/);
  t.match(failure('ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN'), /does not trust the certificate/);
  t.equal(failure('ECONNRESET'), 'the client broke off during the TLS handshake');
  t.equal(failure('ERR_SSL_SOMETHING_NEW'), 'openssl text');
  t.equal(explainTlsFailure('text'), 'text');
});
