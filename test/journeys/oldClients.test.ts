/**
 * Old programs at work against the whole appliance: each leaves messages on the server and fetches nothing new the second time,
 * fetches and deletes, and is cut off in the middle, after which nothing is gone that it has not got, and it gets all of it.
 *
 * That each gets every octet of odd messages is the matter of bytes.test.ts. Here each message is made from its name.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import t from 'tap';
import type { Test } from 'tap';

import { createSite } from '../support/appliance.ts';
import { openCuttingProxy } from '../support/cuttingProxy.ts';
import { addAccounts } from '../support/manyAccounts.ts';
import { peerTest } from '../support/peers.ts';
import { type Login, RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';
import { type Job, messagesIn, newPlace, OLD_CLIENTS, type OldClient, type Visit } from './oldClients.ts';

t.setTimeout(600_000);

const NAMES = ['one', 'two', 'three', 'four', 'five'];
/** After so many octets each visit is cut off: in the greeting, in the first message, in the third. */
const CUTS = [10, 14_000, 80_000];

const directory = mkdtempSync(join(tmpdir(), 'hauspost-old-clients-'));
const site = createSite();
t.teardown(async () => {
  await site.remove();
  rmSync(directory, { recursive: true, force: true });
});
const server = await site.serve();
const visitors = OLD_CLIENTS.flatMap((client) =>
  client.protocols.map((protocol) => ({ client, protocol, name: `${client.name} ${protocol}` })),
);
const logins = await addAccounts(
  site,
  visitors.map((_none, index) => `visited${index}`),
);

t.test('every account gets the same five messages', deliverToAll);

for (const client of OLD_CLIENTS) {
  const title = `${client.name} keeps, deletes, and is cut off`;
  peerTest(t, client.programs, title, (t) => visitAll(t, client));
}

t.test('the server ends as if nothing had happened', async (t) => {
  const { exitCode, stdout } = await server.stop();
  t.equal(exitCode, 0);
  t.notMatch(stdout.toString(), /"level":"(error|warn)"/);
});

/** All visits of a client, by all its protocols, in one run. */
async function visitAll(t: Test, client: OldClient): Promise<void> {
  const stories = await Promise.all(client.protocols.map((protocol) => tellStory(t, client, protocol)));
  const visits = await client.work(stories.flatMap(({ jobs }) => jobs));
  for (const { protocol, jobs, judge } of stories) {
    await t.test(protocol, (t) => judge(t, visits.splice(0, jobs.length)));
  }
}

/** Jobs by one protocol, and what they must have come to. */
async function tellStory(t: Test, client: OldClient, protocol: Job['protocol']) {
  const login = logins[visitors.findIndex((it) => it.client === client && it.protocol === protocol)];
  if (login === undefined) throw new Error('no account');
  const [kept, deleted] = ['kept', 'deleted'].map((name) =>
    newPlace(directory, `${client.name}-${protocol}-${name}`),
  ) as [string, string];
  const left: number[] = [];
  const missing: string[] = [];
  const cutPort = await openCuttingProxy(t, {
    port: server.ports[protocol],
    cuts: CUTS,
    async afterCut() {
      const there = await namesThere(login);
      left.push(there.length);
      const got = new Set(messagesIn(deleted).map(nameOf));
      missing.push(...NAMES.filter((name) => !there.includes(name) && !got.has(name)));
    },
  });
  const visit = (mode: Job['mode'], place: string, port = server.ports[protocol]): Job => ({
    protocol,
    port,
    login,
    directory: place,
    mode,
  });
  const cutOff = CUTS.map(() => visit('delete', deleted, cutPort));
  const jobs = [visit('keep', kept), visit('keep', kept), ...cutOff, visit('delete', deleted, cutPort)];
  return {
    protocol,
    jobs,
    async judge(t: Test, visits: readonly Visit[]) {
      t.match(visits.slice(0, 2), [
        { isDone: true, fetched: NAMES.length },
        { isDone: true, fetched: 0 },
      ]);
      t.same(wholeIn(kept), NAMES);
      for (const cut of visits.slice(2, 2 + CUTS.length)) t.match(cut, { isDone: false }, 'was cut off');
      t.equal(left.length, CUTS.length);
      t.same(missing, [], 'what is gone was fetched');
      if (protocol === 'pop3' && client.isOneSession)
        t.same(
          left,
          CUTS.map(() => NAMES.length),
          'only QUIT deletes',
        );
      t.match(visits.at(-1), { isDone: true });
      // What was fetched and not yet deleted, some fetch again (mpop, fetchmail).
      t.same([...new Set(wholeIn(deleted))], NAMES);
      t.same(await namesThere(login), []);
    },
  };
}

async function deliverToAll(t: Test): Promise<void> {
  const smtp = await RawSmtp.open(server.ports.smtp);
  const to = logins.map(({ address }) => address);
  for (const name of NAMES) {
    const reply = await smtp.deliver({ from: 'sender@example.org', to }, Buffer.from(messageOf(name)));
    t.match(reply.text, /^250 /);
  }
  await smtp.quit();
}

/** Of 30 KB, ordinary in every way: no client changes more of it than the line ends. */
function messageOf(name: string): string {
  const header = `From: sender@example.org\r\nTo: in@app.example.com\r\nSubject: ${name}\r\n\r\n`;
  return header + Array.from({ length: 1500 }, (_none, index) => `${name}, line ${index}\r\n`).join('');
}

function nameOf(octets: Buffer): string {
  return /^Subject: (\w+)/m.exec(octets.toString('latin1'))?.[1] ?? 'none';
}

/** Names of the messages that a client has, whole ones alone, each as often as it has it. */
function wholeIn(place: string): string[] {
  const whole = messagesIn(place).filter((octets) => {
    const [, body = ''] = messageOf(nameOf(octets)).split('\r\n\r\n');
    return octets
      .toString('latin1')
      .replaceAll('\r\n', '\n')
      .endsWith(`\n\n${body.replaceAll('\r\n', '\n')}`);
  });
  return whole.map(nameOf).sort(inOrder);
}

function inOrder(one: string, other: string): number {
  return NAMES.indexOf(one) - NAMES.indexOf(other);
}

async function namesThere(login: Login): Promise<string[]> {
  const pop3 = await RawPop3.open(server.ports.pop3, login);
  const names: string[] = [];
  for (const number of (await pop3.list()).keys())
    names.push(nameOf(await pop3.multiline(`TOP ${number} 0`)));
  await pop3.quit();
  return names;
}
