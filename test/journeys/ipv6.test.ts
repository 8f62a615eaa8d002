/**
 * Listeners on IPv6: ::1 alone, and :: for both families, by real clients; ranges and caps hold for IPv4 clients of a listener for
 * both families as for those of an IPv4 one, since an IPv4-mapped address is its IPv4 address everywhere.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';

import { createSite } from '../support/appliance.ts';
import { addAccounts, callServer } from '../support/manyAccounts.ts';
import { peerTest, runProgram } from '../support/peers.ts';
import { RawImap } from '../support/rawImap.ts';
import { RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(300_000);

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
if (!hasIpv6) {
  t.pass('this machine has no IPv6');
  process.exit();
}

const site = createSite();
t.teardown(() => site.remove());
const text = readFileSync(site.configFile, 'utf8');
const addressOf: Readonly<Record<string, string>> = { smtp: '::', pop3: '::', imap: '::' };
writeFileSync(
  site.configFile,
  text.replace(
    /name = "(\w+)"\n/g,
    (line, name: string) => `${line}address = "${addressOf[name] ?? '::1'}"\n`,
  ),
);
const server = await site.serve();
const [box] = await addAccounts(site, ['box']);
if (box === undefined) throw new Error('no account');
const { address, password } = box;
const FAMILIES = ['::1', '127.0.0.1'] as const;
const messageFile = join(site.directory, 'message.eml');

peerTest(t, ['curl', 'python3'], 'real clients hand over and fetch by IPv6', async (t: Test) => {
  writeFileSync(messageFile, `From: ${address}\r\nTo: ${address}\r\nSubject: by IPv6\r\n\r\nhello\r\n`);
  const curl = (args: readonly string[]) => runProgram('curl', ['-sS', '-k', ...args]);
  const user = ['--user', `${address}:${password}`];
  const upload = ['--mail-from', address, '--mail-rcpt', address, '--upload-file', messageFile];
  const { ports } = server;
  t.match(await curl([`smtp://[::1]:${ports.smtp}`, ...upload]), { exitCode: 0 }, 'relay-in');
  const submitted = await curl([`smtps://[::1]:${ports.submissions}`, ...user, ...upload]);
  t.match(submitted, { exitCode: 0 }, 'submission');
  const script = [
    'import smtplib, sys',
    'with smtplib.SMTP("::1", int(sys.argv[1])) as smtp:',
    '    smtp.sendmail(sys.argv[2], [sys.argv[2]], "Subject: by Python\\r\\n\\r\\nhello\\r\\n")',
  ].join('\n');
  t.match(await runProgram('python3', ['-c', script, `${ports.smtp}`, address]), { exitCode: 0 });
  const fetched = (await curl([`pop3s://[::1]:${ports.pop3s}/1`, ...user])).stdout.toString();
  t.match(fetched, /^Received: from [^\n]*\(\[IPv6:::1\]\)/m);
  t.match(fetched, /Subject: by IPv6/);
  const read = await curl([`imaps://[::1]:${ports.imaps}/INBOX;MAILINDEX=3`, ...user]);
  t.match(read.stdout.toString(), /Subject: by Python/);
});

t.test(
  'a listener for both families serves both, and names an IPv4 client by its IPv4 address',
  async (t) => {
    for (const host of FAMILIES) {
      const smtp = await RawSmtp.open(server.ports.smtp, { host });
      const { code } = await smtp.deliver(
        { from: 'a@example.org', to: [address] },
        Buffer.from(`Subject: from ${host}\r\n\r\nx\r\n`),
      );
      t.equal(code, 250);
      await smtp.quit();
      await (await RawPop3.open(server.ports.pop3, box, { host })).quit();
    }
    const imap = await RawImap.open(server.ports.imap, box, { host: '127.0.0.1' });
    await imap.select();
    const last = (await imap.fetch('1:*')).map(({ octets }) => octets.toString()).slice(-2);
    t.match(last, [/\(\[IPv6:::1\]\).*from ::1/s, /\(\[127\.0\.0\.1\]\).*from 127\.0\.0\.1/s]);
    await imap.logout();
  },
);

t.test(
  'ranges hold for mapped addresses: IPv4 is kept off, IPv6 is not, and the other way round',
  async (t) => {
    for (const [barred, other] of [FAMILIES, [...FAMILIES].reverse()] as const) {
      const range = { name: 'barred', addresses: [barred], priority: 90, protocols: [] };
      await callServer(site, 'range.add', range);
      await t.rejects(
        RawSmtp.open(server.ports.smtp, { host: barred }),
        /554|closed|ended/,
        `${barred} is kept off`,
      );
      await (await RawSmtp.open(server.ports.smtp, { host: other })).quit();
      await callServer(site, 'range.remove', { name: 'barred' });
    }
    await (await RawSmtp.open(server.ports.smtp, { host: '127.0.0.1' })).quit();
  },
);
