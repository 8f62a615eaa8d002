/**
 * What strace sees: at one connection a sync that is over between the end of each message and its 250, at fifty connections
 * fewer syncs than messages. A server whose 250 does not wait for the commit is noticed. And of a file in a pickup directory: the name of
 * its claim is on disk before the commit that remembers it.
 */

import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { createSite, type Site } from '../support/appliance.ts';
import { addAccounts } from '../support/manyAccounts.ts';
import { createPatchedCopy, EARLY_REPLY } from '../support/patchedCopy.ts';
import { peerTest } from '../support/peers.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

/** Small enough for one read. */
const MESSAGE = Buffer.from(`Subject: traced\r\n\r\n${`${'y'.repeat(76)}\r\n`.repeat(20)}`);
const MESSAGES = 20;
const REMOVAL_DEADLINE_MS = 120_000;
const LOOK_MS = 20;
/** Of a file: it was claimed, its directory was synced, the store was, it was removed. */
type FileEvent = 'claim' | 'directory' | 'store' | 'removal';
const FILE_CALLS = 'trace=rename,renameat,renameat2,unlink,unlinkat,fsync,fdatasync';
const FILE_EVENTS: readonly (readonly [pattern: RegExp, event: FileEvent])[] = [
  [/\brename.*\.[0-9a-f]{16}\.tmp"/, 'claim'],
  [/\bfsync\(\d+<[^>]*\/in>/, 'directory'],
  [/\bf(data)?sync\(\d+<[^>]*-wal>/, 'store'],
  [/\bunlink.*\.[0-9a-f]{16}\.tmp"/, 'removal'],
];
/** Nothing is done to put the name of a claim on disk. */
const UNSYNCED_CLAIM = {
  file: 'pickup/directoryKeeper.ts',
  from: 'createSharedSync(rules.directory)',
  to: '() => Promise.resolve()',
};
const CALLS = 'trace=fsync,fdatasync,read,write,writev';

/** What happened, in order: a message was read, a sync was over, a 250 was about to be written. */
type Event = 'message' | 'sync' | '250';

/** A call that another thread interrupts is told in two lines: what was read and that a sync is over stand in the second. */
const EVENTS: readonly (readonly [pattern: RegExp, event: Event])[] = [
  [/\bread(\(\d+,| resumed>) ?"Subject: traced/g, 'message'],
  [/\bf(data)?sync(\(\d+\)| resumed>\)) += 0/g, 'sync'],
  [/250 2\.0\.0 Queued/g, '250'],
];

t.setTimeout(300_000);

peerTest(t, ['strace'], 'at one connection each 250 has a sync between its message and itself', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const events = await traceDeliveries(site, 1);
  t.equal(count(events, '250'), MESSAGES);
  t.equal(count(events, 'message'), MESSAGES);
  t.equal(repliesWithoutSync(events), 0);
});

peerTest(t, ['strace'], 'a 250 that does not wait for the commit is noticed', async (t) => {
  const site = createSite('', createPatchedCopy(t, EARLY_REPLY));
  t.teardown(() => site.remove());
  const events = await traceDeliveries(site, 1);
  t.equal(count(events, '250'), MESSAGES);
  t.ok(repliesWithoutSync(events) > 0);
});

peerTest(t, ['strace'], 'at fifty connections one sync serves several messages', async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const events = await traceDeliveries(site, 50);
  const syncs = count(events.slice(events.indexOf('message'), events.lastIndexOf('250')), 'sync');
  t.equal(count(events, '250'), 50 * MESSAGES);
  t.ok(syncs > 0 && syncs < (50 * MESSAGES) / 2, `${syncs} syncs for ${50 * MESSAGES} messages`);
});

peerTest(t, ['strace'], 'the name of a claimed file is on disk before its message is', async (t) => {
  const events = await traceFile(t);
  const claim = events.indexOf('claim');
  const removal = events.indexOf('removal');
  t.ok(claim >= 0 && removal > claim, events.join(' '));
  const [first, ...others] = events.slice(claim + 1, removal);
  t.equal(first, 'directory');
  t.ok(others.includes('store'));
});

peerTest(t, ['strace'], 'a claim that is not put on disk is noticed', async (t) => {
  const events = await traceFile(t, createPatchedCopy(t, UNSYNCED_CLAIM));
  t.ok(events.includes('removal') && !events.includes('directory'), events.join(' '));
});

/** What a traced server does with one file. */
async function traceFile(t: Test, main?: string): Promise<readonly FileEvent[]> {
  const directory = join(t.testdir({ in: {} }), 'in');
  const site = createSite(`[[pickups]]\nname = "in"\ndirectory = ${JSON.stringify(directory)}\n`, main);
  t.teardown(() => site.remove());
  const output = join(site.directory, 'strace.txt');
  const server = await site.serve({ wrapper: ['strace', '-f', '-y', '-e', FILE_CALLS, '-o', output] });
  const [account] = await addAccounts(site, ['ticket']);
  const message = `From: <${account?.address}>\r\nTo: <${account?.address}>\r\n\r\nHello.\r\n`;
  writeFileSync(join(directory, 'a.tmp'), message);
  renameSync(join(directory, 'a.tmp'), join(directory, 'a.eml'));
  const begunMs = performance.now();
  while (readdirSync(directory).length > 0) {
    if (performance.now() - begunMs > REMOVAL_DEADLINE_MS) throw new Error('the file is never taken');
    await systemClock.sleep(LOOK_MS);
  }
  await server.stop();
  const lines = readFileSync(output, 'latin1').split('\n');
  return lines.flatMap((line) =>
    FILE_EVENTS.filter(([pattern]) => pattern.test(line)).map(([, event]) => event),
  );
}

/** Delivers MESSAGES messages on each of `connections` connections to a traced server, one after the other, and stops it. */
async function traceDeliveries(site: Site, connections: number): Promise<readonly Event[]> {
  const file = join(site.directory, 'strace.txt');
  const server = await site.serve({ wrapper: ['strace', '-f', '-s', '64', '-e', CALLS, '-o', file] });
  const [account] = await addAccounts(site, ['ticket']);
  const to = [account?.address ?? ''];
  const sessions = Array.from({ length: connections }, async (_none, index) => {
    const session = await RawSmtp.open(server.ports.smtp);
    for (let number = 0; number < MESSAGES; number += 1) {
      const reply = await session.deliver({ from: `a${index}-${number}@example.org`, to }, MESSAGE);
      if (reply.code !== 250) throw new Error(reply.text);
    }
    await session.quit();
  });
  await Promise.all(sessions);
  await server.stop();
  return readFileSync(file, 'latin1').split('\n').flatMap(eventsOf);
}

function eventsOf(line: string): Event[] {
  return EVENTS.flatMap(([pattern, event]) => Array.from(line.matchAll(pattern), () => event));
}

function count(events: readonly Event[], event: Event): number {
  return events.filter((each) => each === event).length;
}

/** 250s that have no sync between the message before them and themselves. */
function repliesWithoutSync(events: readonly Event[]): number {
  return events.filter((event, index) => {
    if (event !== '250') return false;
    const before = events.slice(0, index);
    return before.lastIndexOf('sync') < before.lastIndexOf('message');
  }).length;
}
