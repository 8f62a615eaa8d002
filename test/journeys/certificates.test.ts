/**
 * Certificates change while the server runs: new handshakes get the new one, sessions go on with theirs, and a broken file
 * changes nothing but what the administrator is told. Held with OpenSSL's own client.
 */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { ensureSelfSigned } from '../../src/net/selfSigned.ts';
import { addAccount, createSite } from '../support/appliance.ts';
import { peerTest, runProgram } from '../support/peers.ts';
import { RawImap } from '../support/rawImap.ts';
import { RawPop3 } from '../support/rawPop3.ts';
import { asData, RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(300_000);

const site = createSite('[tls]\ncertificateFile = "mail.crt"\nkeyFile = "mail.key"\n');
t.teardown(() => site.remove());
const [certificateFile, keyFile] = [join(site.directory, 'mail.crt'), join(site.directory, 'mail.key')];

async function make(name: string) {
  const directory = join(site.directory, name);
  mkdirSync(directory);
  return ensureSelfSigned({ directory, hostName: `${name}.example.com`, clock: systemClock });
}

async function install(name: string): Promise<void> {
  const made = await make(name);
  copyFileSync(made.certificateFile, certificateFile);
  copyFileSync(made.keyFile, keyFile);
}

await install('old');
const box = await addAccount(site, 'box');
const server = await site.serve();

/** The common name that a listener shows to openssl. */
async function shown(name: keyof typeof server.ports): Promise<string> {
  const startTls = name.endsWith('s') ? [] : ['-starttls', name];
  const args = ['s_client', '-connect', `127.0.0.1:${server.ports[name]}`, ...startTls];
  const { stdout } = await runProgram('openssl', args, { stdin: '' });
  return /^subject=CN\s*=\s*(\S+)$/m.exec(stdout.toString())?.[1] ?? stdout.toString();
}

const LISTENERS = ['smtp', 'pop3', 'pop3s', 'imap', 'imaps'] as const;
const shownByAll = async () => [...new Set(await Promise.all(LISTENERS.map(shown)))];

peerTest(
  t,
  ['openssl'],
  'a new certificate ends no session, and a broken one changes nothing',
  async (t: Test) => {
    t.same(await shownByAll(), ['old.example.com']);
    const imap = await RawImap.open(server.ports.imaps, box, { isSecure: true });
    const pop3 = await RawPop3.open(server.ports.pop3s, box, { isSecure: true });
    const smtp = await RawSmtp.open(server.ports.smtp, { startsTls: true });
    t.equal((await smtp.beginData({ from: 'a@example.org', to: [box.address] })).code, 354);

    await install('new');
    t.match(await site.cliJson(['reload']), { renewed: [certificateFile], problems: [] });
    t.same(await shownByAll(), ['new.example.com']);

    copyFileSync((await make('other')).keyFile, keyFile);
    const half = await site.cli(['reload']);
    t.match([half.exitCode, half.stdout.toString()], [1, /the key does not belong to the certificate/]);
    writeFileSync(certificateFile, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    t.equal((await site.cli(['reload'])).exitCode, 1);
    t.match(
      (await site.cli(['status'])).stdout.toString(),
      /^warning: the certificate in use is an older one: .*mail\.crt/m,
    );
    t.same(await shownByAll(), ['new.example.com']);

    await install('third');
    process.kill(server.pid, 'SIGHUP');
    await server.program.waitFor(/"listener":"imaps"[^\n]*third\.example\.com[^\n]*certificate\.renewed"/);
    t.same(await shownByAll(), ['third.example.com']);
    const status = (await site.cli(['status'])).stdout.toString();
    t.match(
      status,
      /^CN=third\.example\.com +20\d\d-\d\d-\d\d +smtp, submission, submissions, pop3, pop3s, imap, imaps +\S+mail\.crt$/m,
    );
    t.notMatch(status, /^warning: the certificate/m);

    await smtp.socket.write(asData(Buffer.from('Subject: begun under the old one\r\n\r\nx\r\n')));
    t.match(await smtp.readReply(), { code: 250 });
    t.match(await pop3.command('NOOP'), /^\+OK/);
    t.equal(await imap.select(), 1);
    for (const { socket } of [imap, pop3, smtp]) {
      const tls = socket.socket;
      t.equal(tls instanceof TLSSocket && tls.getPeerCertificate().subject.CN, 'old.example.com');
    }
    await smtp.quit();
    await pop3.quit();
    await imap.logout();
  },
);

peerTest(t, ['openssl'], 'files of other names come into use by a reload, too', async (t: Test) => {
  await make('moved');
  const text = readFileSync(site.configFile, 'utf8');
  writeFileSync(
    site.configFile,
    text.replace('"mail.crt"', '"moved/self-signed.crt"').replace('"mail.key"', '"moved/self-signed.key"'),
  );
  t.match(await site.cliJson(['reload']), {
    changed: ['tls.certificateFile', 'tls.keyFile'],
    renewed: [/moved/],
    needRestart: [],
    problems: [],
  });
  t.same(await shownByAll(), ['moved.example.com']);
});
