/** Who may come in and who is kept out, on a server of its own that an administrator talks to from a second process. */

import { connect } from 'node:net';
import t, { type Test } from 'tap';

import { createSite, type Site } from '../support/appliance.ts';
import { clientOn } from '../support/sockets.ts';

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
