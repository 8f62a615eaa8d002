/**
 * No open relay: in generated configurations, whatever an address looks like, nothing is relayed for somebody who has not logged
 * in but to a domain or address that an open route names, or where an administrator has written an address down.
 *
 * HAUSPOST_RELAY_WORLDS and HAUSPOST_SEED make other runs. test/smtpd/openRelay.test.ts does the same over sockets.
 */

import { domainToASCII } from 'node:url';
import t from 'tap';
import type { IpRange } from '../../../src/store/contract/directory.ts';
import type { Route } from '../../../src/store/contract/routing.ts';
import type { DirectoryPolicy, Submitter } from '../../../src/transfer/contract.ts';
import { anyAddress, anySubmitter, chanceOf, generateWorld } from '../../support/generatedWorlds.ts';
import { ANYONE, planIn, verdictIn } from '../../support/planned.ts';
import { randomNumbers } from '../../support/randomNumbers.ts';
import {
  asRelayed,
  houseTargets,
  mayBePickedUp,
  mayBeRelayed,
  mayBeSubmitted,
  relayTricks,
} from '../../support/relayTricks.ts';
import { type RoutingWorld, route } from '../../support/routingWorld.ts';

const SEED = Number(process.env.HAUSPOST_SEED ?? 5321);
const WORLDS = Number(process.env.HAUSPOST_RELAY_WORLDS ?? 10_000);
const PATHS_PER_WORLD = 3;

interface Tally {
  accepted: number;
  relayed: number;
  byHouse: number;
}

/** Why `path` is a hole in `world` as `asked` sees it; undefined where it is none. */
async function holeAt(
  world: RoutingWorld,
  asked: RoutingWorld,
  path: string,
  from: string,
  tally: Tally,
): Promise<string | undefined> {
  const verdict = await verdictIn(asked, path, { from, submitter: ANYONE });
  const planned = await planIn(asked, { to: [path], from, submitter: ANYONE }).catch(() => undefined);
  const domain = domainToASCII(path.slice(path.lastIndexOf('@') + 1));
  const isOurs = world.domains.some(({ name, aliases = [] }) => [name, ...aliases].includes(domain));
  const isLocal = isOurs || (world.routes ?? []).some(({ target }) => target.kind === 'local');
  const isAllowed = mayBeRelayed(world, path);
  const isPostmaster = path.toLowerCase() === 'postmaster';
  if (verdict === 'accepted') tally.accepted += 1;
  if (verdict === 'accepted' && !isLocal && !isAllowed && !isPostmaster) return 'RCPT takes it';
  const house = houseTargets(world);
  for (const { recipient } of planned?.queued ?? []) {
    if (house.has(recipient)) tally.byHouse += 1;
    else if (isAllowed && recipient.toLowerCase() === asRelayed(path)) tally.relayed += 1;
    else return `the plan relays to ${recipient}`;
  }
  return undefined;
}

/** Looks for a hole in so many worlds; `plant` may make one. */
async function search(
  worlds: number,
  plant: (world: RoutingWorld) => RoutingWorld,
): Promise<{ readonly hole: string | undefined; readonly tally: Tally }> {
  const chance = chanceOf(randomNumbers(SEED));
  const tally: Tally = { accepted: 0, relayed: 0, byHouse: 0 };
  for (let count = 0; count < worlds; count += 1) {
    const world = generateWorld(chance);
    const open = chance.pick(['far.example', 'near.example', 'near.test', 'sub.far.example']);
    const ours = chance.pick(['one.example', 'two.example', 'uno.example']);
    const tricks = relayTricks(ours, open);
    for (let turn = 0; turn < PATHS_PER_WORLD; turn += 1) {
      const path = turn === 0 ? anyAddress(chance) : chance.pick(tricks);
      const from = chance.pick(['', `a@${ours}`, anyAddress(chance), 'x@evil.example']);
      const hole = await holeAt(world, plant(world), path, from, tally);
      if (hole === undefined) continue;
      return { hole: `${hole}: ${JSON.stringify(path)} from ${from} in ${JSON.stringify(world)}`, tally };
    }
  }
  return { hole: undefined, tally };
}

t.setTimeout(600_000);

t.test('in generated configurations nobody who has not logged in is relayed for', async (t) => {
  const { hole, tally } = await search(WORLDS, (world) => world);
  t.equal(hole, undefined, `seed ${SEED}, ${WORLDS} configurations`);
  const { accepted, relayed, byHouse } = tally;
  t.ok(accepted > WORLDS / 20 && relayed > WORLDS / 100 && byHouse > WORLDS / 100, JSON.stringify(tally));
});

t.test('submitters are relayed for by routes that mean the address, and by nothing else', async (t) => {
  const chance = chanceOf(randomNumbers(SEED + 1));
  const range = { name: 'LAN' } as IpRange;
  let relayed = 0;
  for (let count = 0; count < WORLDS / 10; count += 1) {
    const world = generateWorld(chance);
    const known = anySubmitter(chance, world);
    const submitter: Submitter = known.kind === 'anyone' ? { kind: 'range', range } : known;
    for (let turn = 0; turn < PATHS_PER_WORLD; turn += 1) {
      const path = chance.pick(
        relayTricks('one.example', 'near.example').concat(anyAddress(chance), anyAddress(chance)),
      );
      const planned = await planIn(world, { to: [path], from: 'a@one.example', submitter }).catch(
        () => undefined,
      );
      const house = houseTargets(world);
      for (const { recipient } of planned?.queued ?? []) {
        relayed += 1;
        if (
          house.has(recipient) ||
          (recipient.toLowerCase() === asRelayed(path) && mayBeSubmitted(world, path))
        )
          continue;
        t.fail(`${recipient} for ${JSON.stringify(path)} in ${JSON.stringify(world)}`);
        return;
      }
    }
  }
  t.ok(relayed > WORLDS / 100, `${relayed} relayed`);
});

/** Why `path` is a hole for files of a directory with `policy`, as one with `asked` sees it; undefined where it is none. */
async function holeForFiles(
  world: RoutingWorld,
  policy: DirectoryPolicy,
  asked: DirectoryPolicy,
  path: string,
  tally: Tally,
): Promise<string | undefined> {
  const submitter: Submitter = { kind: 'directory', directory: asked };
  const from = 'a@one.example';
  const verdict = await verdictIn(world, path, { from, submitter });
  const planned = await planIn(world, { to: [path], from, submitter }).catch(() => undefined);
  const isMeant = mayBePickedUp(world, policy.recipients, path);
  if (verdict === 'accepted') tally.accepted += 1;
  if (verdict === 'accepted' && !isMeant) return 'it is accepted';
  if (planned !== undefined && !isMeant) return 'it is planned';
  const domain = domainToASCII(path.slice(path.lastIndexOf('@') + 1));
  const isOurs = world.domains.some(({ name, aliases = [] }) => [name, ...aliases].includes(domain));
  const isByRelay = policy.relay !== undefined && !isOurs && world.isRelaying !== false;
  const house = houseTargets(world);
  for (const { recipient, nextHop } of planned?.queued ?? []) {
    const isOwnRelay = nextHop.name === policy.relay;
    if (isOwnRelay && isOurs) return `the directory's relay takes ${recipient}, which is ours`;
    if (recipient.toLowerCase() === asRelayed(path) && (isOwnRelay ? isByRelay : mayBeSubmitted(world, path)))
      tally.relayed += 1;
    else if (house.has(recipient) && !isOwnRelay) tally.byHouse += 1;
    else return `the plan relays to ${recipient} by ${nextHop.name}`;
  }
  return undefined;
}

const DIRECTORY_RECIPIENTS = [
  '*',
  'local',
  'near.example',
  '*.far.example',
  '*.example',
  'b@far.example',
  'one.example',
  'a@one.example',
];

async function searchFiles(worlds: number, plant: (policy: DirectoryPolicy) => DirectoryPolicy) {
  const chance = chanceOf(randomNumbers(SEED + 2));
  const tally: Tally = { accepted: 0, relayed: 0, byHouse: 0 };
  for (let count = 0; count < worlds; count += 1) {
    const world = generateWorld(chance);
    const recipients = [chance.pick(DIRECTORY_RECIPIENTS), chance.pick(DIRECTORY_RECIPIENTS)];
    const relay = chance.once(2) ? { relay: 'own' } : {};
    const policy = { name: 'Orders', senders: ['*'], recipients, ...relay, limits: {} };
    for (let turn = 0; turn < PATHS_PER_WORLD; turn += 1) {
      const path = chance.pick([
        ...relayTricks('one.example', 'near.example'),
        anyAddress(chance),
        'postmaster',
      ]);
      const hole = await holeForFiles(world, policy, plant(policy), path, tally);
      if (hole === undefined) continue;
      const where = JSON.stringify({ path, policy, world });
      return { hole: `${hole}: ${where}`, tally };
    }
  }
  return { hole: undefined, tally };
}

t.test('files of a directory get to the recipients that it may send to, and to nobody else', async (t) => {
  const worlds = WORLDS / 10;
  const { hole, tally } = await searchFiles(worlds, (policy) => policy);
  t.equal(hole, undefined, `seed ${SEED}, ${worlds} configurations`);
  const { accepted, relayed, byHouse } = tally;
  t.ok(accepted > worlds / 20 && relayed > worlds / 100 && byHouse > worlds / 200, JSON.stringify(tally));
  const forAll = await searchFiles(worlds, (policy) => ({ ...policy, recipients: ['*'] }));
  t.match(forAll.hole, /it is accepted|it is planned/, 'a directory that may send to all');
});

t.test('a hole that is planted is found', async (t) => {
  const open = (change: (route: Route) => Route) => (world: RoutingWorld) => ({
    ...world,
    routes: (world.routes ?? []).map(change),
  });
  const forAnyone = await search(
    WORLDS,
    open((each) => ({ ...each, isOpenTo: 'anyone' })),
  );
  t.match(forAnyone.hole, /RCPT takes it|the plan relays/, 'routes of submitters open to anyone');
  const forSwitchedOff = await search(
    WORLDS,
    open((each) => ({ ...each, isEnabled: true })),
  );
  t.match(forSwitchedOff.hole, /RCPT takes it|the plan relays/, 'disabled routes in force');
  const forAll = await search(WORLDS, (world) => ({ ...world, isRelaying: true }));
  t.match(forAll.hole, /RCPT takes it|the plan relays/, 'relaying while it is switched off');
});

t.test('each trick is refused where an open route and a smarthost stand side by side', async (t) => {
  const world: RoutingWorld = {
    domains: [
      { name: 'one.example', aliases: ['uno.example'], plusSeparator: '+', catchAll: 'a@one.example' },
    ],
    accounts: [{ address: 'a@one.example' }],
    routes: [
      route({
        name: 'open',
        recipients: ['near.example'],
        isOpenTo: 'anyone',
        target: { kind: 'relay', relay: 'r' },
      }),
      route({ name: 'smarthost', recipients: ['*'], target: { kind: 'relay', relay: 's' } }, 2),
    ],
  };
  const tally: Tally = { accepted: 0, relayed: 0, byHouse: 0 };
  for (const path of relayTricks('one.example', 'near.example'))
    t.equal(await holeAt(world, world, path, 'x@evil.example', tally), undefined, JSON.stringify(path));
  t.match(tally, { byHouse: 0 });
  t.ok(tally.accepted > 5 && tally.relayed > 0, JSON.stringify(tally));
});
