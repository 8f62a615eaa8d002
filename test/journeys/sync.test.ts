/**
 * What strace sees: at one connection a sync between each message and its 250, at fifty connections fewer syncs than messages.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { addAccount, createSite, type Site } from '../support/appliance.ts';
import { peerTest } from '../support/peers.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(180_000);

const MESSAGE = Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(76)}\r\n`.repeat(20));
/** A line of strace's file: time, call, the beginning of what was written. */
const LINE = /^\d+ +(fsync|fdatasync|write|writev)\((.*)$/;

async function tracedServer(site: Site) {
  const file = join(site.directory, 'strace.txt');
  const wrapper = ['strace', '-f', '-s', '64', '-e', 'trace=fsync,fdatasync,write,writev', '-o', file];
  const server = await site.serve({ wrapper });
  return {
    server,
    /** What happened, in order: `sync`, or `250` for each reply to a message. */
    events: () =>
      readFileSync(file, 'latin1')
        .split('\n')
        .flatMap((line) => {
          const [, call = '', rest = ''] = LINE.exec(line) ?? [];
          if (call.includes('sync')) return ['sync'];
          return Array.from(rest.match(/250 2\.0\.0 Queued/g) ?? [], () => '250');
        }),
  };
}

await peerTest(t, ['strace'], 'at one connection each 250 has a sync before it', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const { address } = await addAccount(site, 'ticket');
  const { server, events } = await tracedServer(site);
  const client = await RawSmtp.open(server.ports.smtp);
  for (let number = 0; number < 20; number += 1) {
    t.equal((await client.deliver({ from: 'a@example.org', to: [address] }, MESSAGE)).code, 250);
  }
  await client.quit();
  await server.stop();
  const seen = events();
  t.equal(seen.filter((event) => event === '250').length, 20);
  for (const [index, event] of seen.entries()) if (event === '250') t.equal(seen[index - 1], 'sync');
});

await peerTest(t, ['strace'], 'at fifty connections one sync serves several messages', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const { address } = await addAccount(site, 'ticket');
  const { server, events } = await tracedServer(site);
  const clients = await Promise.all(Array.from({ length: 50 }, () => RawSmtp.open(server.ports.smtp)));
  const before = events().filter((event) => event === 'sync').length;
  for (let round = 0; round < 4; round += 1) {
    await Promise.all(
      clients.map((client) => client.deliver({ from: 'a@example.org', to: [address] }, MESSAGE)),
    );
  }
  const syncs = events().filter((event) => event === 'sync').length - before;
  await Promise.all(clients.map((client) => client.quit()));
  await server.stop();
  t.equal(events().filter((event) => event === '250').length, 200);
  t.ok(syncs > 0 && syncs < 100, `${syncs} syncs for 200 messages`);
});
