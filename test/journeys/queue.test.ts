/**
 * The queue by the command line: what waits is found, held, sent by another hop and deleted, with a running server and without one,
 * and the trace tells all of it.
 */

import t from 'tap';

import type { QueueItemReport, QueueReport } from '../../src/admin/queueOperations.ts';
import { createSite, type Site } from '../support/appliance.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(300_000);

const FROM = 'App@sender.example';

/** What the server must not send before it is stopped. */
const OTHER_RELAY = '[[relays]]\nname = "other"\nhosts = ["127.0.0.1:9"]\ntls = "none"\n';

async function said(site: Site, ...args: readonly string[]) {
  const { exitCode, stdout, stderr } = await site.cli(['queue', ...args]);
  return `${exitCode} ${stdout.toString()}${stderr.toString()}`;
}

async function send(port: number, from: string, to: readonly string[]): Promise<string> {
  const client = await RawSmtp.open(port);
  const { text } = await client.deliver({ from, to }, Buffer.from('Subject: queued\r\n\r\nHello.\r\n'));
  await client.quit();
  return /Queued as (\w+)/.exec(text)?.[1] ?? text;
}

t.test('what waits is found and changed, with a server and without', async (t) => {
  const site = createSite(OTHER_RELAY);
  t.teardown(() => site.remove());
  const { ports, stop } = await site.serve();
  await site.cliJson(['route', 'add', 'out', 'far.example', '--to', 'relay:unmade', '--open-to', 'anyone']);
  const many = Array.from({ length: 12 }, (_none, index) => `r${index}@far.example`);
  const traceId = await send(ports.smtp, FROM, ['first@far.example', 'second@far.example']);
  await send(ports.smtp, 'list@sender.example', many);
  const list = async (...args: readonly string[]) =>
    (await site.cliJson(['queue', 'list', ...args])) as QueueReport;

  const { items } = await list('--from', 'app@SENDER.example');
  t.match(items, [
    { recipient: 'first@far.example', traceId, state: 'waiting' },
    { recipient: 'second@far.example' },
  ]);
  const id = String(items[0]?.id);
  t.equal((await list('--recipient', '@far.example', '--older-than', '0m')).items.length, 14);
  t.equal((await list('--older-than', '1d')).items.length, 0);

  t.match(await said(site, 'hold', id), /^0 Held 1 item\.\n$/);
  t.match(await said(site, 'hold', '--trace', traceId), /^0 Held 1 item\.\n$/, 'the other one');
  t.match(await said(site, 'release'), /^2 .*say which: ids/s);
  t.match(await said(site, 'release', id, '--all'), /^2 .*--all means everything/s);
  t.match(
    await said(site, 'delete', '--from', 'list@sender.example'),
    /^1 .*more than 10 items fit.*--yes/is,
  );
  t.match(await said(site, 'delete', '--from', 'list@sender.example', '--yes'), /^0 Deleted 12 items\.\n$/);
  t.match(await said(site, 'prioritize', id, '--priority=-10'), /^0 Given the priority -10: 1 item\.\n$/);
  t.match(
    await said(site, 'show', id),
    /^0 Id: +\d+\nTrace: +\w+\nState: +held\nHop: +relay:unmade\nFrom: +<App@sender\.example>\n.*Priority: +-10\n.*What happened to it:\n.*waits for the relay unmade.*held before the relay unmade.*given the priority -10/s,
  );

  t.match(
    await said(site, 'reroute', id, '--to', 'relay:othre'),
    /^1 .*no relay “othre” in the configuration/s,
  );

  await stop();
  t.match(
    await said(site, 'reroute', '--all', '--to', 'relay:other'),
    /^0 Sent on to relay:other: 2 items\.\n$/,
  );
  t.match(await said(site, 'release', id), /^0 Released 1 item\.\n$/);
  t.match(await said(site, 'retry', '--state', 'waiting'), /^0 Made due at once: 1 item\.\n$/);
  t.match((await list()).counts, [
    { nextHop: { kind: 'relay', name: 'other' }, state: 'waiting', items: 1 },
    { nextHop: { kind: 'relay', name: 'other' }, state: 'held', items: 1 },
  ]);
  const { events } = (await site.cliJson(['queue', 'show', id])) as QueueItemReport;
  t.same(
    events.map(({ kind }) => kind),
    ['queued', 'held', 'prioritized', 'rerouted', 'released', 'retried'],
  );
  t.match(await said(site, 'delete', '--all'), /^0 Deleted 2 items\.\n$/, 'few need no --yes');
  t.match(await said(site, 'show', id), /^1 .*There is no item \d+ in the queue/s);
  t.match(await said(site, 'delete', id), /^0 Nothing was there to change\.\n$/);
  t.match(
    (await site.cli(['trace', traceId])).stdout.toString(),
    /taken out of the queue for the relay other, for <first@/,
  );
});
