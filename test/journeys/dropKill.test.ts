/**
 * Nothing that was accepted is lost on its way into a drop directory, and nothing is there twice but what its reader took after it was
 * written and before its commit: the server is killed again and again, often at the moment in which a file has got its name, by turns
 * with a reader that takes files as they come and without one.
 * HAUSPOST_KILL_ROUNDS makes it longer; HAUSPOST_KILL_SEED repeats a run. Negative controls: a server that settles before the file is
 * there loses, and one whose names are new each time leaves doubles.
 */

import { join } from 'node:path';

import t, { type Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { FILES_AT_A_TIME } from '../../src/outbound/drop/limits.ts';
import { createSite, type Site } from '../support/appliance.ts';
import { loadAndKill, seededRandom } from '../support/killRig.ts';
import { callServer } from '../support/manyAccounts.ts';
import { createPatchedCopy, type Patch } from '../support/patchedCopy.ts';
import { type FoundInDrop, WatchedDrop } from '../support/watchedDrop.ts';

const ROUNDS = Number(process.env.HAUSPOST_KILL_ROUNDS ?? 6);
const SEED = Number(process.env.HAUSPOST_KILL_SEED ?? 20261128);
const CLIENTS = 4;
const FILES_LIMIT = 12;
/** Time between two looks at the queue. */
const LOOK_MS = 100;
/** Rounds within which a broken server must have shown it; about every other one does. */
const CONTROL_ROUNDS = 20;

/** Items are settled as if the file were there, which comes a while later: at once it would often be there before the commit. */
const SETTLED_EARLY: Patch = {
  file: 'outbound/attempt.ts',
  from: 'await Promise.race([relay.relay(message, ending.signal), givenUp.promise])',
  to: `(setTimeout(() => relay.relay(message, ending.signal), 30), {
    outcomes: message.recipients.map(() => ({ kind: 'relayed', reply: '', server: '', tellsSender: true }) as const),
  })`,
};
const NEW_NAMES: Patch = {
  file: 'outbound/drop/dropFile.ts',
  from: 'String(lowest)',
  to: 'String(lowest + Math.floor(Math.random() * 1e9))',
};

t.setTimeout(Math.max(ROUNDS, 20) * 30_000);

t.test(
  `what was accepted is there after ${ROUNDS} kills, twice only where its reader was in between`,
  async (t) => {
    const rig = await openRig(t);
    for (let round = 0; round < ROUNDS; round += 1) await rig.killOnce(round, round % 4 > 1);
    await rig.drain();
    const { lost, damaged, undoubted, extra } = rig.found();
    t.same(lost, [], `seed ${SEED}, lost`);
    t.equal(damaged, 0, 'every file was whole');
    t.same(undoubted, [], `seed ${SEED}, twice without a doubt`);
    t.ok(extra <= ROUNDS * FILES_AT_A_TIME);
    t.comment(`${rig.acknowledged.length} messages were accepted, ${extra} came twice in ${ROUNDS} kills`);
  },
);

t.test('the same check finds losses when items are settled before the file is there', async (t) => {
  const rig = await openRig(t, createPatchedCopy(t, SETTLED_EARLY));
  let lost: readonly string[] = [];
  for (let round = 0; round < CONTROL_ROUNDS && lost.length === 0; round += 1) {
    await rig.killOnce(round, false);
    await rig.drain();
    ({ lost } = rig.found());
  }
  t.ok(lost.length > 0, `lost: ${lost.join(', ')}`);
});

t.test('the same check finds doubles when names are new each time', async (t) => {
  const rig = await openRig(t, createPatchedCopy(t, NEW_NAMES));
  let undoubted: readonly string[] = [];
  for (let round = 0; round < CONTROL_ROUNDS && undoubted.length === 0; round += 1) {
    await rig.killOnce(round, false);
    await rig.drain();
    ({ undoubted } = rig.found());
  }
  t.ok(undoubted.length > 0, `twice: ${undoubted.join(', ')}`);
});

interface Rig {
  readonly acknowledged: readonly string[];
  /** Starts the server, gives it mail, with a reader or without, and kills it. */
  killOnce(round: number, hasReader: boolean): Promise<void>;
  /** Starts the server, waits until nothing waits any more, stops it, and reads what is there. */
  drain(): Promise<void>;
  found(): FoundInDrop;
}

async function openRig(t: Test, main?: string): Promise<Rig> {
  const site = createSite('[[drops]]\nname = "app"\ndirectory = "drop"\n', main);
  t.teardown(() => site.remove());
  const reader = new WatchedDrop(join(site.directory, 'drop'));
  const addRoute = () =>
    callServer(site, 'route.add', {
      name: 'out',
      recipients: ['example.org'],
      target: { kind: 'drop', directory: 'app' },
      isOpenTo: 'anyone',
    });
  const random = seededRandom(SEED);
  const acknowledged: string[] = [];
  let inDoubt: readonly string[] = [];
  return {
    acknowledged,
    killOnce: async (round, hasReader) => {
      const count = 1 + Math.floor(random() * FILES_LIMIT);
      const server = await site.serve();
      if (round === 0) await addRoute();
      const begun = reader.begin(hasReader, count);
      const outcome = await loadAndKill(
        server,
        { address: '', password: '' },
        {
          round,
          connections: CLIENTS,
          again: inDoubt,
          recipientOf: (name) => `${name}@example.org`,
          ...(round % 2 === 0 ? { replies: count } : { replies: Infinity, moment: begun }),
        },
      );
      reader.end();
      acknowledged.push(...outcome.acknowledged);
      inDoubt = outcome.inDoubt;
    },
    drain: async () => {
      const server = await site.serve();
      while ((await waitingAt(site)) > 0) await systemClock.sleep(LOOK_MS);
      await server.stop();
      reader.takeAll();
    },
    found: () => reader.found(acknowledged),
  };
}

async function waitingAt(site: Site): Promise<number> {
  const { counts } = (await callServer(site, 'queue.list', { limit: 1 })) as {
    readonly counts: readonly { readonly items: number }[];
  };
  return counts.reduce((sum, { items }) => sum + items, 0);
}
