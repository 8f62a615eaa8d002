/** Who may come in and who is kept out, on a server of its own that an administrator talks to from a second process. */

import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import t, { type Test } from 'tap';

import { addAccount, createSite, type Site } from '../support/appliance.ts';
import { clientOn } from '../support/sockets.ts';

t.setTimeout(300_000);

function siteOf(t: Test, extra = ''): Site {
  const site = createSite(extra);
  t.teardown(() => site.remove());
  return site;
}

function reach(t: Test, port: number, localAddress = '127.0.0.1') {
  return clientOn(t, connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true }));
}

t.test(
  'an IP range set by the command line counts from the next connection on, and after a restart',
  async (t) => {
    const site = siteOf(t);
    let { ports, stop } = await site.serve();
    const added = await site.cli([
      'range',
      'add',
      'Old hall',
      '127.0.0.2',
      '--priority',
      '50',
      '--protocols',
      'pop3',
    ]);
    t.match(added.stdout.toString(), /^Added the IP range Old hall\.\n.*127\.0\.0\.2/s);
    t.equal(
      await reach(t, ports.imap, '127.0.0.2').closed(),
      '* BYE [NOPERM] Your address may not use this service\r\n',
    );
    t.match(await reach(t, ports.pop3, '127.0.0.2').until(/\n/), /^\+OK/);
    t.match(await reach(t, ports.imap, '127.0.0.1').until(/\n/), /^\* OK/);
    t.match(await site.cliJson(['range', 'test', '127.0.0.2']), { name: 'Old hall', protocols: ['pop3'] });
    t.match(
      (await site.cli(['range', 'list'])).stdout.toString(),
      /Old hall[^\n]*\n.*My computer[^\n]*\n.*Internet/,
    );
    await site.cliJson(['range', 'set', 'old hall', '--tls', 'required']);
    const plain = reach(t, ports.pop3, '127.0.0.2');
    plain.send('USER a@b.example\r\nPASS secret\r\n');
    await plain.until(/^-ERR .*TLS/m);
    await stop();
    t.match(await site.cliJson(['range', 'show', 'Old hall']), { needsTls: true, priority: 50 });
    ({ ports, stop } = await site.serve());
    await reach(t, ports.imap, '127.0.0.2').closed();
    t.match((await site.cli(['range', 'remove', 'Internet'])).stderr.toString(), /always there/);
    t.match((await site.cli(['range', 'remove', 'Old hall'])).stdout.toString(), /Removed the IP range/);
    t.match(await reach(t, ports.imap, '127.0.0.2').until(/\n/), /^\* OK/);
  },
);

t.test(
  'a ban is seen and lifted by the command line while the server runs, and a restart forgets it',
  async (t) => {
    const site = siteOf(t, '[login]\nbanAfterFailures = 2\ndelayLimitSeconds = 0\n');
    const { address, password } = await addAccount(site, 'ticket');
    await site.cliJson(['range', 'add', 'Hall', '127.0.0.2', '--priority', '50', '--trusted', 'no']);
    let { ports, stop } = await site.serve();
    const logIn = async (word: string, localAddress = '127.0.0.2') => {
      const client = reach(t, ports.imap, localAddress);
      client.send(`a LOGIN ${address} "${word}"\r\n`);
      const answer = await client.until(/^a [^\n]*\n/m);
      client.socket.destroy();
      return /^a [^\r]*/m.exec(answer)?.[0];
    };
    t.match((await site.cli(['ban', 'list'])).stdout.toString(), 'No bans.');
    for (const word of ['one', 'two']) t.match(await logIn(word), /^a NO \[AUTHENTICATIONFAILED\]/);
    t.match(await logIn(password), /^a NO \[UNAVAILABLE\]/);
    t.match(await logIn(password, '127.0.0.1'), /^a OK/, 'this one stands in My computer, which is trusted');
    t.match(await site.cliJson(['ban', 'list']), [
      { kind: 'nameAndAddress', address: '127.0.0.2', loginName: address, protocol: 'imap', failures: 2 },
    ]);
    t.match(await site.cliJson(['status']), { bans: 1 });
    t.match(
      (await site.cli(['ban', 'remove', '127.0.0.2'])).stdout.toString(),
      `Lifted the ban of ${address} from 127.0.0.2.`,
    );
    t.match(await logIn(password), /^a OK/);
    t.match(await site.cli(['ban', 'remove', '127.0.0.2']), { exitCode: 1 });
    const settings = readFileSync(site.configFile, 'utf8');
    writeFileSync(site.configFile, settings.replace('banAfterFailures = 2', 'banAfterFailures = 1'));
    t.match(await site.cliJson(['reload']), { changed: ['login.banAfterFailures'], needRestart: [] });
    await logIn('one');
    t.match(await logIn('two'), /^a NO \[UNAVAILABLE\]/);
    t.match(await logIn(password), /^a OK/, 'a password that was right from there is not held up');
    await stop();
    t.match(await site.cli(['ban', 'clear']), { exitCode: 3 });
    ({ ports, stop } = await site.serve());
    t.match(await logIn('two'), /^a NO \[AUTHENTICATIONFAILED\]/);
  },
);
