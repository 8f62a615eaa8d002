/**
 * Routing in the whole appliance: each kind of route, list, forward and rule is made by the command line, says by `route test`
 * what it would do, and then does it with a message by SMTP, as the trace, the queue, POP3 and IMAP show.
 */

import t from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import { callControlServer, controlSocketPath } from '../../src/admin/controlSocket.ts';
import type { RouteTestReport } from '../../src/admin/routeTesting.ts';
import type { QueueReport } from '../../src/admin/queueOperations.ts';
import type { MessageTrace } from '../../src/store/contract/trace.ts';
import { createSite } from '../support/appliance.ts';
import { RawImap } from '../support/rawImap.ts';
import { RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

const DOMAIN = 'app.example.com';
const SET_UP: readonly (readonly string[])[] = [
  [
    'list',
    'add',
    `team@${DOMAIN}`,
    '--member',
    `app@${DOMAIN}`,
    '--member',
    `boss@${DOMAIN}`,
    '--posters',
    'anyone',
  ],
  ['list', 'add', `closed@${DOMAIN}`, '--member', `app@${DOMAIN}`, '--posters', 'members'],
  ['forward', 'add', `boss@${DOMAIN}`, `archive@${DOMAIN}`],
  ['forward', 'add', `archive@${DOMAIN}`, 'vault@elsewhere.example', '--keep-copy', 'no'],
  [
    'rule',
    'add',
    'alarms',
    '--account',
    `app@${DOMAIN}`,
    '--if',
    'subject contains alarm',
    '--then',
    'fileInto Alarms/Red',
    '--then',
    'flag \\Flagged',
  ],
  ['rule', 'add', 'junk', '--if', 'header X-Junk is yes', '--then', 'delete'],
  [
    'rule',
    'add',
    'copy',
    '--account',
    `app@${DOMAIN}`,
    '--if',
    'sender endsWith @copied.example',
    '--then',
    `forward boss@${DOMAIN}`,
  ],
  ['route', 'add', 'closed', '*', '--senders', 'evil.example', '--to', 'refuse:We take no mail from you'],
  ['route', 'add', 'scans', `scan@${DOMAIN}`, '--to', 'drop:scans', '--open-to', 'anyone'],
  ['route', 'add', 'moved', `old@${DOMAIN}`, 'old@left.example', '--to', `local:app@${DOMAIN}`],
  ['route', 'add', 'exchange', '*', '--to', 'relay:exchange'],
];

t.setTimeout(300_000);

t.test('what route test says is what happens, by each kind of route, list, forward and rule', async (t) => {
  const site = createSite('[transfer]\nrelayRoutes = "on"\n');
  t.teardown(() => site.remove());
  const server = await site.serve();
  // A process of its own for each question would take most of the test's time.
  const call = async (operation: string, input: unknown): Promise<unknown> => {
    const path = controlSocketPath(site.directory);
    return (await callControlServer(path, systemClock, { operation, input }))?.result;
  };
  await call('domain.add', { name: DOMAIN });
  for (const name of ['app', 'boss', 'archive'])
    await call('account.add', { address: `${name}@${DOMAIN}`, password: 'secret' });
  for (const args of SET_UP) await site.cliJson(args);

  /** Asks, sends, and answers what was stored and queued, in the words of the trace. */
  const hold = async (to: string, expected: readonly string[], sent: Partial<Sent> = {}) => {
    const { from = 'x@sender.example', header = 'Subject: hello', isSubmitted = false } = sent;
    const octets = Buffer.from(`${header}\r\n\r\nbody\r\n`);
    const message = { start: octets.toString('base64'), octets: octets.length };
    const range = isSubmitted ? { range: 'My computer' } : {};
    const asked = await call('route.test', { sender: from, recipient: to, message, ...range });
    const smtp = await RawSmtp.open(isSubmitted ? server.ports.submission : server.ports.smtp);
    const reply = await smtp.deliver({ from, to: [to] }, octets);
    await smtp.quit();
    const id = /Queued as (\w+)/.exec(reply.text)?.[1];
    const words =
      id === undefined ? [reply.text] : wordsOfTrace(await call('trace', { subject: id, limit: 1 }));
    t.same(words, expected, `${from} to ${to}`);
    t.same(wordsOfReport(asked as RouteTestReport), expected, `route test ${from} ${to}`);
  };

  const inbox = (name: string) => `${name}@${DOMAIN} INBOX`;
  const vault = `vault@elsewhere.example by relay exchange`;
  await hold(`app@${DOMAIN}`, [inbox('app')]);
  await hold(`app+detail@${DOMAIN}`, [inbox('app')]);
  await hold(`team@${DOMAIN}`, [inbox('app'), inbox('boss'), vault]);
  await hold(`closed@${DOMAIN}`, ['550 5.7.1 This list does not take non-members']);
  await hold(`closed@${DOMAIN}`, [inbox('app')], { from: `app@${DOMAIN}` });
  await hold(`archive@${DOMAIN}`, [vault]);
  await hold(`archive@${DOMAIN}`, [inbox('archive')], { from: 'vault@elsewhere.example' });
  await hold(`app@${DOMAIN}`, [`app@${DOMAIN} Alarms/Red`], {
    header: 'Subject: =?utf-8?Q?Gro=C3=9F?= =?utf-8?Q?alarm?=',
  });
  await hold(`app@${DOMAIN}`, [], { header: 'X-Junk: YES' });
  await hold(`app@${DOMAIN}`, [inbox('app'), inbox('boss'), vault], { from: 'x@copied.example' });
  await hold(`app@${DOMAIN}`, ['550 5.7.1 We take no mail from you'], { from: 'x@evil.example' });
  await hold(`scan@${DOMAIN}`, [`scan@${DOMAIN} by drop scans`]);
  await hold('old@left.example', [inbox('app')]);
  await hold('x@far.example', ['550 5.7.1 Relaying denied']);
  await hold('x@far.example', ['x@far.example by relay exchange'], {
    from: `app@${DOMAIN}`,
    isSubmitted: true,
  });

  const pop3 = await RawPop3.open(server.ports.pop3, { address: `app@${DOMAIN}`, password: 'secret' });
  t.equal((await pop3.list()).size, 6, 'POP3 finds what came into the INBOX');
  await pop3.quit();
  const imap = await RawImap.open(server.ports.imap, { address: `app@${DOMAIN}`, password: 'secret' });
  t.equal(await imap.select('Alarms/Red'), 1);
  t.match(JSON.stringify(await imap.command('FETCH 1 (FLAGS)')), /Flagged/);
  await imap.logout();
  const { items } = (await site.cliJson(['queue', 'list'])) as QueueReport;
  const forwarded = items.filter(({ recipient }) => recipient === 'vault@elsewhere.example');
  t.equal(forwarded.length, 3);
  t.ok(forwarded.every(({ forwardedFor }) => forwardedFor === `archive@${DOMAIN}`));

  const { stdout } = await site.cli(['route', 'test', 'x@sender.example', 'x@far.example']);
  t.match(stdout.toString(), /the route exchange means it, but it is open to submitters only/);
  t.match(stdout.toString(), /550 5\.7\.1 Relaying denied/);
  await server.stop();
  const offline = await site.cli(['route', 'test', '<>', `team@${DOMAIN}`]);
  t.match(offline.stdout.toString(), /the list does not take reports, refused/, 'without a server too');
});

interface Sent {
  readonly from: string;
  readonly header: string;
  readonly isSubmitted: boolean;
}

function wordsOfTrace(found: unknown): string[] {
  const [trace] = found as readonly MessageTrace[];
  return (trace?.events ?? [])
    .flatMap(({ kind, fields }) => {
      if (kind === 'stored') return [`${fields.account} ${fields.mailbox}`];
      return kind === 'queued' ? [`${fields.to ?? fields.recipient} by ${fields.hop} ${fields.name}`] : [];
    })
    .sort();
}

function wordsOfReport({ recipientReply, dataReply, copies, queued }: RouteTestReport): string[] {
  for (const { code, status, text } of [recipientReply, dataReply])
    if (code >= 400) return [`${code} ${status} ${text}`];
  return [
    ...copies.map(({ account, mailbox }) => `${account} ${mailbox.join('/')}`),
    ...queued.map(({ recipient, nextHop }) => `${recipient} by ${nextHop.kind} ${nextHop.name}`),
  ].sort();
}
