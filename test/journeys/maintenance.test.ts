/** Maintenance as an administrator and the clients see it: switched by verb, kept over a restart, mail waits at its sender, reading goes on. */

import t from 'tap';

import { addAccount, createSite } from '../support/appliance.ts';
import { RawImap } from '../support/rawImap.ts';
import { RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(300_000);

const MESSAGE = Buffer.from('Subject: hello\r\n\r\nworld\r\n');

t.test('mail waits while the switch is on, over a restart, and comes when it is off', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'box');
  t.match(await site.cliJson(['maintenance', 'on', '--text', 'Moving house']), { isKept: true, until: null });
  let server = await site.serve();
  const send = async () => {
    const smtp = await RawSmtp.open(server.ports.smtp);
    const reply = await smtp.deliver({ from: 'a@example.org', to: [box.address] }, MESSAGE);
    await smtp.quit();
    return reply.code;
  };
  await t.rejects(send(), /expected 220, got 421 4\.3\.2 \S+ Moving house/, 'set before the first start');
  const status = (await site.cli(['status'])).stdout.toString();
  t.match(status, /^Maintenance since [^\n]*until it is switched off: [^\n]*“Moving house”\.\n/);

  t.match(await site.cliJson(['maintenance', 'off']), { wasOn: true });
  t.equal(await send(), 250, 'a sender that comes again gets rid of it');
  t.match(await site.cliJson(['maintenance', 'on', '--minutes', '90']), { isKept: true });
  const pop3 = await RawPop3.open(server.ports.pop3, box);
  t.match((await pop3.multiline('RETR 1')).toString(), /world/);
  await pop3.quit();
  const imap = await RawImap.open(server.ports.imap, box);
  t.equal(await imap.select('INBOX', 'SELECT'), 1);
  await imap.append('INBOX', MESSAGE);
  await imap.command('STORE 1 +FLAGS (\\Deleted)');
  await imap.command('EXPUNGE');
  await imap.logout();

  const { stdout } = await server.stop();
  t.match(stdout.toString(), /"reason":"switched off","event":"admin\.maintenance\.ended"/);
  server = await site.serve();
  await t.rejects(send(), /421 4\.3\.2 \S+ Closed for maintenance/);
  t.match(server.program.printed(), /"event":"admin\.maintenance\.on"/);
});
