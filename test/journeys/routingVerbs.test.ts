/**
 * Routes, lists, forwards and rules by the command line, while the server takes mail; and that all of it is
 * still there after a restart, with and without a server. What becomes of mail by them is tested below test/transfer/plan/.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';

import { addAccount, createSite, type Site } from '../support/appliance.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(300_000);

const FROM = 'sender@elsewhere.example';

/** Messages that are handed over while a verb runs. */
const MESSAGES_PER_VERB = 5;

/** What the steps of the journey need. */
interface Journey {
  readonly site: Site;
  readonly address: string;
  /** What a verb says, while mail flows; rejects unless its exit code is 0. */
  told(...args: readonly string[]): Promise<string>;
}

async function replyTo(port: number, recipient: string): Promise<number> {
  const client = await RawSmtp.open(port);
  await client.command(`MAIL FROM:<${FROM}>`);
  const { code } = await client.command(`RCPT TO:<${recipient}>`);
  await client.quit();
  return code;
}

t.test(
  'routing objects are changed by the command line while mail flows, and outlive a restart',
  async (t) => {
    const site = createSite();
    t.teardown(() => site.remove());
    const { address } = await addAccount(site, 'in');
    await addAccount(site, 'other');
    let { ports, stop } = await site.serve();
    const client = await RawSmtp.open(ports.smtp);
    let taken = 0;
    const deliverSome = async () => {
      for (let left = MESSAGES_PER_VERB; left > 0; left -= 1) {
        const message = Buffer.from(`Subject: number ${taken}\r\n\r\nHello.\r\n`);
        const { code, text } = await client.deliver({ from: FROM, to: [address] }, message);
        if (code !== 250) throw new Error(text);
        taken += 1;
      }
    };
    /** What a verb says, while mail flows; rejects unless its exit code is 0. */
    const told = async (...args: readonly string[]) => {
      const [said] = await Promise.all([succeeded(site, args), deliverSome()]);
      return said;
    };

    await changeRoutes(t, { site, told, address });
    await changeLists(t, { site, told, address });
    await changeForwards(t, { site, told, address });
    await changeRules(t, { site, told, address });
    t.match(await told('queue', 'list'), 'Nothing waits in the queue.');
    t.equal(await replyTo(ports.smtp, 'in+news@app.example.com'), 250, 'a detail is left out');
    await told('domain', 'set', 'app.example.com', '--plus-separator', 'none');
    t.equal(await replyTo(ports.smtp, 'in+news@app.example.com'), 550, 'from the next message on');

    await client.quit();
    t.match(await site.cliJson(['account', 'show', address]), { messages: taken });
    await stop();
    const rules = await site.cliJson(['rule', 'list']);
    t.match(rules, [{ name: 'spam', isEnabled: false }, { name: 'invoices' }], 'without a server');
    t.match(await site.cliJson(['route', 'list']), [{ name: 'closed' }, { name: 'exchange', position: 2 }]);
    t.match(await site.cliJson(['list', 'show', 'team@app.example.com']), { memberCount: 2 });
    t.match(
      await succeeded(site, ['list', 'remove', 'team@app.example.com']),
      'Removed the distribution list',
    );
    ({ ports, stop } = await site.serve());
    t.same(await site.cliJson(['rule', 'list']), rules, 'after a restart');
    t.equal(await replyTo(ports.smtp, 'in+news@app.example.com'), 550);
    t.match(await succeeded(site, ['forward', 'show', 'other@app.example.com']), /State: +disabled/);
    await succeeded(site, ['account', 'remove', 'other@app.example.com']);
    t.match(await succeeded(site, ['forward', 'list']), 'No forwards.');
    t.match(await site.cliJson(['rule', 'list']), [{ name: 'spam' }], 'they went with their account');
    await succeeded(site, ['rule', 'remove', 'spam']);
  },
);

async function changeRoutes(t: Test, { site, told }: Journey): Promise<void> {
  t.match(
    await told(
      'route',
      'add',
      'exchange',
      'partner.example',
      '*.partner.example',
      '--to',
      'relay:exchange',
      '--open-to',
      'anyone',
    ),
    /^Added the route exchange\.\n.*Recipients: partner\.example, \*\.partner\.example\n.*To: +relay:exchange\nOpen to: +anyone/s,
  );
  await told(
    'route',
    'add',
    'scans',
    'scan@partner.example',
    '--to',
    'drop:scans',
    '--position',
    '1',
    '--senders',
    '<>,printer.example',
  );
  await told('route', 'add', 'closed', '*.closed.example', '--to', 'refuse:Not here', '--disable');
  t.match(
    await told('route', 'set', 'CLOSED', '--position', '2', '--enable'),
    /Position: +2\nState: +enabled/,
  );
  t.match(
    await told('route', 'list'),
    /^# +ROUTE.*\n1 +scans +enabled +submitters +drop:scans +<>, printer\.example +scan@partner\.example\n2 +closed +.*refuse:Not here.*\n3 +exchange/,
  );
  t.match(
    await failed(site, 'route', 'set', 'exchange', '*'),
    /“\*” cannot be open to anyone: strangers could send mail to the whole world/,
  );
  t.match(await told('route', 'show', 'EXCHANGE'), /Route: +exchange\nPosition: +3/);
  t.match(await told('route', 'remove', 'scans'), 'Removed the route scans.');
}

async function changeLists(t: Test, { site, told, address }: Journey): Promise<void> {
  const file = join(site.directory, 'members.txt');
  const members = Array.from({ length: 9_998 }, (_none, index) => `m${index}@elsewhere.example`);
  writeFileSync(file, `# all of them\n${members.join('\r\n')}\n\n`);
  t.match(
    await told(
      'list',
      'add',
      'team@app.example.com',
      '--member',
      address,
      '--member',
      'gone@app.example.com',
      '--members-file',
      file,
    ),
    /Members: +10000\n.*Nobody receives mail for gone@app\.example\.com at present/s,
  );
  const set = await site.cliJson([
    ...['list', 'set', 'team@app.example.com', '--member', address, '--add-member', 'b@elsewhere.example'],
    ...['--posters', 'boss@elsewhere.example'],
  ]);
  t.match(set, { memberCount: 2, members: ['b@elsewhere.example', address], danglingMembers: [] });
  t.match(
    await told('list', 'list'),
    /DISTRIBUTION LIST +STATE +MEMBERS +POSTERS\nteam@app\.example\.com +enabled +2 +boss@elsewhere\.example/,
  );
  t.match(
    await failed(site, 'account', 'add', 'team@app.example.com'),
    /“team@app\.example\.com” is a distribution list already/,
  );
}

async function changeForwards(t: Test, { told }: Journey): Promise<void> {
  t.match(
    await told('forward', 'add', 'other@app.example.com', 'x@elsewhere.example', '--keep-copy', 'no'),
    /Forwards to: +x@elsewhere\.example\nCopy: +none/,
  );
  await told('forward', 'set', 'other@app.example.com', '--disable', '--keep-copy', 'yes');
}

async function changeRules(t: Test, { told }: Journey): Promise<void> {
  t.match(
    await told(
      ...[
        'rule',
        'add',
        'invoices',
        '--account',
        'other@app.example.com',
        '--if',
        'subject contains Rechnung',
      ],
      ...[
        '--if',
        'size over 10MB',
        '--then',
        'fileInto Invoices/2026',
        '--then',
        'flag \\Seen',
        '--match',
        'any',
      ],
    ),
    /If: +subject contains Rechnung\nIf: +size over 10MB\nThen: +fileInto Invoices\/2026\nThen: +flag \\Seen\n/,
  );
  await told(
    'rule',
    'add',
    'spam',
    '--if',
    'header X-Spam-Flag is YES',
    '--then',
    'delete',
    '--ends-rules',
    'yes',
  );
  t.match(
    await told('rule', 'list'),
    /all +1 +spam +enabled +header x-spam-flag is YES +delete, end\nother@app\.example\.com +1 +invoices +enabled +subject contains Rechnung or size over 10MB +fileInto/,
  );
  t.match(
    await told('rule', 'set', 'spam', '--if', 'not sender endsWith @elsewhere.example'),
    /If: +not sender endsWith @elsewhere\.example\n/,
  );
  t.match(await told('rule', 'set', 'spam', '--disable'), /State: +disabled/);
  t.match(await told('rule', 'show', 'Spam'), /Account: +all\n.*State: +disabled/s);
}

async function succeeded(site: Site, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await site.cli(args);
  if (exitCode !== 0) throw new Error(`hauspost ${args.join(' ')}: ${stderr.toString()}`);
  return stdout.toString();
}

/** What a verb that is refused says. */
async function failed(site: Site, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await site.cli(args);
  if (exitCode === 0) throw new Error(`hauspost ${args.join(' ')} was taken: ${stdout.toString()}`);
  return stderr.toString();
}
