/**
 * The legacy TLS profile of a listener, held with OpenSSL's own client: what old programs and devices speak (TLS 1.0 and 1.1, RSA
 * key exchange, AES-CBC-SHA, no SNI) goes through on the listeners that are set so and is refused on all others, from the
 * first octet and by STARTTLS, in all three protocols. It is warned about, and who needs it is in the log.
 */

import { copyFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { ensureSelfSigned } from '../../src/net/selfSigned.ts';
import { addAccount, createSite } from '../support/appliance.ts';
import { peerTest, runProgram } from '../support/peers.ts';

type Protocol = 'smtp' | 'pop3' | 'imap';

/** What each protocol is said by the client after the handshake, and what shows that it was served. */
const DIALOGUES: Readonly<Record<Protocol, readonly [said: string, heard: RegExp]>> = {
  smtp: ['EHLO scanner\r\nQUIT\r\n', /^221 /m],
  pop3: ['USER old@app.example.com\r\nPASS pass word old\r\nQUIT\r\n', /^\+OK Logged in/m],
  imap: ['a LOGIN old@app.example.com "pass word old"\r\nb LOGOUT\r\n', /^a OK /m],
};
const PROTOCOLS = Object.keys(DIALOGUES) as Protocol[];

/** How old programs speak, as options of s_client, and what is agreed on then. */
const OLD: readonly (readonly [options: readonly string[], version: string, cipher: RegExp])[] = [
  [['-tls1', '-cipher', 'ALL:@SECLEVEL=0'], 'TLSv1', /-SHA$/],
  [['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], 'TLSv1.1', /-SHA$/],
  [['-tls1', '-cipher', 'AES128-SHA:@SECLEVEL=0', '-noservername'], 'TLSv1', /^AES128-SHA$/],
  [['-tls1_2', '-cipher', 'AES256-SHA:@SECLEVEL=0', '-noservername'], 'TLSv1.2', /^AES256-SHA$/],
];

const listener = (name: string, protocol: Protocol, tls: string) =>
  `[[listeners]]\nname = "${name}"\nprotocol = "${protocol}"\ntls = "${tls}"\nport = 0\n`;
const site = createSite(
  PROTOCOLS.flatMap((protocol) => [
    `${listener(`old${protocol}`, protocol, 'starttls')}legacyTls = true\n`,
    `${listener(`old${protocol}s`, protocol, 'implicit')}legacyTls = true\n`,
    ...(protocol === 'smtp' ? [listener('smtps', protocol, 'implicit')] : []),
  ]).join('\n'),
);
t.teardown(() => site.remove());
const server = await site.serve();
await addAccount(site, 'old');

const portOf = (name: string) => Number((server.ports as Readonly<Record<string, number>>)[name]);

/** A session by `openssl s_client`: all it printed. */
async function session(name: string, protocol: Protocol, options: readonly string[]): Promise<string> {
  const startTls = name.endsWith('s') ? [] : ['-starttls', protocol];
  const port = String(portOf(name));
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-ign_eof', ...startTls, ...options];
  const { stdout, stderr } = await runProgram('openssl', args, { stdin: DIALOGUES[protocol][0] });
  return `${stdout.toString('latin1')}${stderr.toString('latin1')}`;
}

peerTest(t, ['openssl'], 'old TLS is taken by the listeners that are set so', async (t: Test) => {
  for (const protocol of PROTOCOLS) {
    for (const name of [`old${protocol}`, `old${protocol}s`]) {
      for (const [options, version, cipher] of OLD) {
        const printed = await session(name, protocol, options);
        const label = `${name} ${options.join(' ')}`;
        t.equal(/Protocol\s*: (\S+)/.exec(printed)?.[1], version, label);
        t.match(/Cipher\s*: (\S+)/.exec(printed)?.[1] ?? 'none', cipher, label);
        t.match(printed, DIALOGUES[protocol][1], label);
      }
      t.match(await session(name, protocol, ['-tls1_3']), /New, TLSv1\.3/, `${name} with what is new`);
    }
  }
});

peerTest(t, ['openssl'], 'TLS 1.0 and 1.1 are refused by all other listeners', async (t: Test) => {
  for (const protocol of PROTOCOLS) {
    for (const name of [protocol, `${protocol}s`]) {
      for (const [options] of OLD.filter(([, version]) => version !== 'TLSv1.2')) {
        const printed = await session(name, protocol, options);
        t.match(printed, /Cipher is \(NONE\)/, `${name} ${options.join(' ')}`);
        t.notMatch(printed, DIALOGUES[protocol][1], `${name} ${options.join(' ')}`);
      }
      const printed = await session(name, protocol, ['-tls1_2']);
      t.match(printed, DIALOGUES[protocol][1], `${name} with TLS 1.2`);
    }
  }
});

peerTest(
  t,
  ['openssl'],
  'who spoke old TLS is in the log, once for a listener and address',
  async (t: Test) => {
    await session('oldpop3s', 'pop3', OLD[0]?.[0] ?? []);
    await session('oldimap', 'imap', OLD[0]?.[0] ?? []);
    const lines = server.program.printed().split('\n');
    const told = lines.filter((line) => line.includes('"net.tls.old"')).map((line) => JSON.parse(line));
    t.same(told.map((line) => line.listener).sort(), [
      'oldimap',
      'oldimaps',
      'oldpop3',
      'oldpop3s',
      'oldsmtp',
      'oldsmtps',
    ]);
    t.match(told[0], { level: 'warn', remoteAddress: '127.0.0.1', version: 'TLSv1' });
  },
);

t.test('legacy TLS is warned about at the start, by config check and by status', async (t) => {
  const warning = /listener oldpop3s takes TLS 1\.0 and 1\.1/;
  const atStart = server.program.printed().split('\n');
  t.equal(atStart.filter((line) => line.includes('"main.config.warning"')).length, 6);
  t.ok(atStart.some((line) => warning.test(line)));
  t.match((await site.cli(['config', 'check'])).stderr.toString(), warning);
  const status = (await site.cli(['status'])).stdout.toString();
  t.match(status, warning);
  t.match(status, /^oldpop3s .* implicit, legacy /m);
  t.match(status, /^pop3s .* implicit {2,}\w+ {2,}\d/m);
});

peerTest(t, ['openssl'], 'a new certificate is shown to old clients after a reload', async (t: Test) => {
  const directory = join(site.directory, 'renewed');
  await mkdir(directory);
  const made = await ensureSelfSigned({ directory, hostName: 'renewed.example.com', clock: systemClock });
  const old = OLD[0]?.[0] ?? [];
  t.notMatch(await session('oldimaps', 'imap', old), /renewed\.example\.com/);
  copyFileSync(made.certificateFile, join(site.directory, 'self-signed.crt'));
  copyFileSync(made.keyFile, join(site.directory, 'self-signed.key'));
  t.match(await site.cli(['reload']), { exitCode: 0 });
  for (const name of ['oldimaps', 'oldpop3', 'oldsmtp']) {
    const protocol = name.replace(/^old|s$/g, '') as Protocol;
    t.match(await session(name, protocol, old), /renewed\.example\.com/, name);
  }
});
