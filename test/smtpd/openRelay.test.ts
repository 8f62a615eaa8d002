/**
 * No open relay, over sockets and the real store: generated configurations, every trick, both kinds of listeners; what stands in
 * the queue afterwards is the judge. Beside it the directory in memory, for which ten thousand configurations are planned
 * (test/transfer/plan/openRelay.test.ts), is held against the real one.
 */

import { domainToASCII } from 'node:url';
import t from 'tap';
import { silentLog } from '../../src/base/log.ts';
import type { QueueId } from '../../src/base/ids.ts';
import { createPlanning, createTransfer } from '../../src/transfer/transfer.ts';
import { createTestClock } from '../support/clock.ts';
import { anyAddress, anySubmitter, chanceOf, generateWorld } from '../support/generatedWorlds.ts';
import { installWorld } from '../support/installedWorld.ts';
import { outcomeIn } from '../support/planned.ts';
import { RawSmtp } from '../support/rawSmtp.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import { asRelayed, houseTargets, mayBeRelayed, relayTricks } from '../support/relayTricks.ts';
import { type RoutingWorld, route } from '../support/routingWorld.ts';
import { openSmtpSite } from './harness.ts';

const SEED = Number(process.env.HAUSPOST_SEED ?? 25);
const WORLDS = Number(process.env.HAUSPOST_RELAY_WORLDS ?? 12);
/** Commands of one session: more refusals than that may end it. */
const TRICKS_PER_SESSION = 8;

const smtp = await openSmtpSite(t);
const { site } = smtp;
await site.administration.ipRanges.set('My computer', { submission: 'login' });

t.setTimeout(300_000);

function transferIn(world: RoutingWorld, isRelaying = world.isRelaying ?? true) {
  return createTransfer({
    store: site.store,
    accounts: site.accounts,
    serverName: 'mail.example.com',
    sizeLimitOctets: 100_000,
    clock: createTestClock(),
    log: silentLog,
    isRelaying: () => isRelaying,
  });
}

/** Tries paths in sessions of their own, with a message to whoever was taken; answers the paths that were. */
async function tryPaths(port: number, paths: readonly string[], from: string): Promise<string[]> {
  const taken: string[] = [];
  for (let start = 0; start < paths.length; start += TRICKS_PER_SESSION) {
    const session = await RawSmtp.open(port);
    let isSomeTaken = false;
    await session.command(`MAIL FROM:<${from}> SMTPUTF8`);
    for (const path of paths.slice(start, start + TRICKS_PER_SESSION)) {
      const line = `RCPT TO:<${path}>\r\n`;
      await session.socket.write(line);
      for (const _ of line.matchAll(/\n/g)) {
        if ((await session.readReply()).code !== 250) continue;
        taken.push(path);
        isSomeTaken = true;
      }
    }
    if (isSomeTaken && (await session.command('DATA')).code === 354)
      await session.command('Subject: x\r\n\r\nx\r\n.');
    await session.socket.close();
  }
  return taken;
}

/** What was queued since the last time. */
function queueWatch(): () => Promise<readonly string[]> {
  let last: QueueId | undefined;
  return async () => {
    const items = await site.store.queue.list({}, 1000, last);
    last = items.at(-1)?.id ?? last;
    return items.map(({ recipient }) => recipient);
  };
}

function isLocal(world: RoutingWorld, path: string): boolean {
  const domain = domainToASCII(path.slice(path.lastIndexOf('@') + 1));
  const isOurs = world.domains.some(({ name, aliases = [] }) => [name, ...aliases].includes(domain));
  return isOurs || (world.routes ?? []).some(({ target }) => target.kind === 'local');
}

/** Tries all tricks in a world at an open server; answers a hole. */
async function holeIn(world: RoutingWorld, port: number, from: string): Promise<string | undefined> {
  const queued = queueWatch();
  await queued();
  const paths = [...relayTricks('one.example', 'near.example'), 'a@far.example', 'b@near.test', 'postmaster'];
  const taken = await tryPaths(port, paths, from);
  const wrong = taken.find(
    (path) => path.includes('@') && !isLocal(world, path) && !mayBeRelayed(world, path),
  );
  if (wrong !== undefined) return `RCPT takes ${JSON.stringify(wrong)}`;
  const allowed = new Set(taken.filter((path) => mayBeRelayed(world, path)).map(asRelayed));
  const house = houseTargets(world);
  const relayed = (await queued()).find(
    (recipient) => !house.has(recipient) && !allowed.has(recipient.toLowerCase()),
  );
  return relayed === undefined ? undefined : `relayed to ${relayed}`;
}

t.test(
  'whatever is tried at a relay-in listener, the queue holds only what an open route or the house sends',
  async (t) => {
    const chance = chanceOf(randomNumbers(SEED));
    for (let count = 0; count < WORLDS; count += 1) {
      const world = generateWorld(chance);
      const remove = await installWorld(site.store.directory, world);
      const server = await smtp.serve(t, { transfer: transferIn(world) });
      const from = chance.pick(['', 'a@one.example', 'x@evil.example']);
      t.equal(
        await holeIn(world, server.port, from),
        undefined,
        `${SEED}/${count}: ${JSON.stringify(world)}`,
      );
      await server.close(0);
      await remove();
    }
  },
);

t.test('at a submission listener nothing is taken before a login', async (t) => {
  const world = { ...generateWorld(chanceOf(randomNumbers(SEED))), isRelaying: true };
  const remove = await installWorld(site.store.directory, world);
  const server = await smtp.serve(t, { role: 'submission', transfer: transferIn(world) });
  t.same(await tryPaths(server.port, relayTricks('one.example', 'near.example'), 'a@one.example'), []);
  await remove();
});

t.test('a hole that is planted is found', async (t) => {
  const world: RoutingWorld = {
    domains: [{ name: 'one.example' }],
    accounts: [{ address: 'a@one.example' }],
    routes: [
      route({
        name: 'open',
        recipients: ['near.example'],
        isOpenTo: 'anyone',
        target: { kind: 'relay', relay: 'r' },
      }),
    ],
    isRelaying: false,
  };
  const remove = await installWorld(site.store.directory, world);
  const server = await smtp.serve(t, { transfer: transferIn(world, true) });
  t.match(await holeIn(world, server.port, 'x@evil.example'), /RCPT takes/);
  await remove();
});

t.test(
  'the directory in memory, for which thousands are planned, answers as the real one does',
  async (t) => {
    const chance = chanceOf(randomNumbers(SEED + 1));
    for (let count = 0; count < WORLDS; count += 1) {
      const world = generateWorld(chance);
      const remove = await installWorld(site.store.directory, world);
      const { postmaster, defaultDomain } = world;
      site.accounts.setOptions({ postmaster, defaultDomain });
      const real = createPlanning({
        store: site.store,
        accounts: site.accounts,
        log: silentLog,
        isRelaying: () => world.isRelaying ?? true,
      });
      for (let turn = 0; turn < 10; turn += 1) {
        const message = {
          to: [anyAddress(chance)],
          from: anyAddress(chance),
          submitter: anySubmitter(chance, world),
        };
        const { submitter } = message;
        const inMemory = await outcomeIn(world, message);
        const account =
          submitter.kind === 'account'
            ? await site.store.directory.findAccount(submitter.account.address)
            : undefined;
        const asReal = account === undefined ? submitter : { kind: 'account' as const, account };
        const inStore = await outcomeIn(world, { ...message, submitter: asReal }, real);
        t.same(inStore, inMemory, `${SEED}/${count}: ${JSON.stringify([message.to, message.from, world])}`);
      }
      await remove();
    }
    site.accounts.setOptions({});
  },
);
