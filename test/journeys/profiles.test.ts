/**
 * Profiles from the configuration file and the command line to the wire: a listener's, an account's in its place, and what
 * status, config print and account show say of them.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';

import { addAccount, createSite } from '../support/appliance.ts';
import { peerTest } from '../support/peers.ts';
import { RawSmtp } from '../support/rawSmtp.ts';
import { connectClient } from '../support/sockets.ts';
import { REAL_CLIENTS } from './realClients.ts';

const PROFILES = ['hmailserver', 'exchange'] as const;
/** The listeners of each profile, by what is usual for their names. */
const USUAL = ['pop3', 'pop3s', 'imap', 'imaps'] as const;

const directory = mkdtempSync(join(tmpdir(), 'hauspost-profiles-'));
const site = createSite(
  [
    '[pop3]\nmarksSeen = true',
    ...PROFILES.flatMap((profile) =>
      USUAL.map((usual) => {
        const protocol = usual.replace('s', '');
        const tls = usual === protocol ? 'starttls' : 'implicit';
        return `[[listeners]]\nname = "${profile}${usual}"\nprotocol = "${protocol}"\nport = 0\ntls = "${tls}"\nprofile = "${profile}"`;
      }),
    ),
    '[[listeners]]\nname = "oldpop3"\nprotocol = "pop3"\nport = 0\nprofile = "hmailserver"\nretrMarksSeen = true',
    '[[listeners]]\nname = "oldimap"\nprotocol = "imap"\nport = 0\nprofile = "exchange"\nhierarchyDelimiter = "."',
  ].join('\n'),
);
t.teardown(async () => {
  await site.remove();
  rmSync(directory, { recursive: true, force: true });
});
t.setTimeout(600_000);
const server = await site.serve();
const { address, password } = await addAccount(site, 'erp');

/** A session whose lines are sent one after the other; all that came back. */
async function session(t: Test, name: string, lines: readonly string[]): Promise<string> {
  const port = (server.ports as Readonly<Record<string, number>>)[name] ?? 0;
  const client = await connectClient(t, port);
  await client.until(/\r\n/);
  client.send(lines.map((line) => `${line}\r\n`).join(''));
  return client.closed();
}

const POP3 = [`USER ${address}`, `PASS ${password}`, 'CAPA', 'QUIT'];
const IMAP = [`1 LOGIN ${address} "${password}"`, '2 NAMESPACE', '3 LOGOUT'];

t.test('listeners greet and tell as their profiles and keys say', async (t) => {
  const pop3 = await session(t, 'oldpop3', POP3);
  t.match(pop3, /^\+OK POP3\r\n/);
  t.match(pop3, /\r\nTOP\r\nUIDL\r\nUSER\r\n\.\r\n/);
  const imap = await session(t, 'oldimap', IMAP);
  t.match(imap, /^\* OK The Microsoft Exchange IMAP4 service is ready\.\r\n/);
  t.match(imap, '* NAMESPACE (("" ".")) NIL NIL\r\n');
  t.match(imap, /\[CAPABILITY IMAP4rev1 LITERAL\+ ID IDLE NAMESPACE CHILDREN UIDPLUS UNSELECT MOVE\]/);
  t.match(await session(t, 'pop3', POP3), /UTF8 USER\r\n/, 'the other listeners are as ever');
});

t.test('an account’s profile, set while the server runs, counts from the next login on', async (t) => {
  const set = await site.cli([
    'account',
    'set',
    address,
    '--profile',
    'default',
    '--pop3-sharing',
    'exclusive',
  ]);
  t.match(set.stdout.toString(), /^profile: +default$/m);
  t.match(set.stdout.toString(), /^pop3\.sharing: +exclusive$/m);
  t.match(set.stdout.toString(), /^imap\.delimiter: +as the server has it$/m);
  t.match(
    await session(t, 'oldpop3', POP3),
    /^\+OK POP3\r\n.*UTF8 USER\r\n/s,
    'the greeting is the listener’s',
  );
  t.match(await session(t, 'oldimap', IMAP), /^\* OK The Microsoft.*\(\("" "\/"\)\)/s);
  const taken = await site.cli(['account', 'set', address, '--profile', 'none', '--pop3-sharing', 'none']);
  t.match(taken.stdout.toString(), /^profile: +none: as its listener has it$/m);
  t.match(await session(t, 'oldimap', IMAP), /\(\("" "\."\)\)/);
  const wrong = await site.cli(['account', 'set', address, '--profile', 'outlook']);
  t.match(wrong.stderr.toString(), /profile cannot be “outlook”; allowed: default, hmailserver, exchange\./);
});

t.test('status and config print show the profiles and what they come to', async (t) => {
  const status = (await site.cli(['status'])).stdout.toString();
  t.match(status, /^oldpop3 .* hmailserver +\d/m);
  t.match(status, /^pop3 .* default +\d/m);
  t.match(status, /^smtp .* - +\d/m);
  const printed = (await site.cli(['config', 'print'])).stdout.toString();
  t.match(printed, /^profile = "hmailserver" # file$/m);
  t.match(printed, /^# {3}pop3\.greeting: POP3 \(listener profile\)$/m);
  t.match(printed, /^# {3}pop3\.marksSeen: true \(listener\)$/m);
  t.match(printed, /^# {3}pop3\.sharing: exclusive \(listener profile\)$/m);
  t.match(printed, /^# {3}imap\.delimiter: \. \(listener\)$/m);
  t.match(printed, /^# {3}imap\.literals: plus \(listener profile\)$/m);
  t.equal(
    printed.match(/In force with the profile/g)?.length,
    10,
    'listeners without a profile have no remark',
  );
});

t.test('real clients fetch every message from listeners with each profile', async (t) => {
  const smtp = await RawSmtp.open(server.ports.smtp);
  for (const subject of ['one', 'two', 'three']) {
    const octets = Buffer.from(`From: a@example.org\r\nSubject: ${subject}\r\n\r\n.${subject}\r\n`);
    await smtp.deliver({ from: 'a@example.org', to: [address] }, octets);
  }
  await smtp.quit();
  const named = server.ports as Readonly<Record<string, number>>;
  for (const profile of PROFILES) {
    const port = (usual: string) => named[profile + usual] ?? 0;
    const ports = { pop3: port('pop3'), pop3s: port('pop3s'), imap: port('imap'), imaps: port('imaps') };
    for (const { name, protocol, programs, fetch } of REAL_CLIENTS) {
      await peerTest(t, programs, `${name} by ${protocol}, ${profile}`, async (t) => {
        const own = join(directory, `${name}-${protocol}-${profile}`);
        mkdirSync(own);
        const fetched = await fetch({ address, password, ports, count: 3, directory: own });
        const texts = [...fetched.values()].map((octets) => /Subject: (\w+)/.exec(octets.toString())?.[1]);
        t.same(texts.sort(), ['one', 'three', 'two']);
      });
    }
  }
});
