/**
 * A file in a pickup directory is still there, in badmail, or sent exactly once, whatever moment the server dies at: it is killed again
 * and again while files arrive in all ways, by turns at a moment that chance chooses and at the delicate ones (claimed, committed and
 * not yet removed, removed, the reason written and the file not yet beside it). Files go on arriving while no server runs.
 *
 * HAUSPOST_KILL_ROUNDS makes it longer; HAUSPOST_KILL_SEED repeats a run. Negative controls: a server that removes files before the
 * commit loses some, and one that takes up a claimed file as a new one sends it twice.
 */

import { readdirSync, watch } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';

import type { RunningServer } from '../support/appliance.ts';
import { type KillMoment, killAt } from '../support/killAt.ts';
import { seededRandom } from '../support/killRig.ts';
import { createPatchedCopy, type Patch } from '../support/patchedCopy.ts';
import { pickupMessage } from '../support/pickupMessages.ts';
import { ALL_WELL, createPickupSite, type Outcome, type PickupSite } from '../support/pickupSite.ts';
import { WAYS, writeFileBy } from '../support/pickupWriters.ts';

const ROUNDS = Number(process.env.HAUSPOST_KILL_ROUNDS ?? 20);
const SEED = Number(process.env.HAUSPOST_KILL_SEED ?? 20261128);
const PRELOAD = fileURLToPath(new URL('../support/killAt.ts', import.meta.url));
/** Programs that write at a time, each in every way by turns. */
const WRITERS = 7;
/** Files that wait at most: writers rest while there are more. */
const WAITING_LIMIT = 25;
const REST_MS = 10;
/** Files after which a round ends whose moment does not come: then the product does things otherwise, and the test has to follow. */
const FILES_LIMIT = 400;
/** Events of the directory after which chance kills, at most; each file makes some six. */
const EVENTS_LIMIT = 200;
/** Within so many rounds a broken server must have shown it. */
const CONTROL_ROUNDS = 6;

const CLAIM = '\\.[0-9a-f]{16}\\.tmp$';
/** The delicate moments; counts come from the seed. */
const MOMENTS: readonly Omit<KillMoment, 'count'>[] = [
  { call: 'rename', path: CLAIM, when: 'after' },
  { call: 'unlink', path: CLAIM, when: 'before' },
  { call: 'unlink', path: CLAIM, when: 'after' },
  { call: 'open', path: '\\.reason\\.txt', when: 'after' },
  { call: 'link', path: CLAIM, when: 'before' },
  { call: 'link', path: CLAIM, when: 'after' },
];
/** The last moments are those of bad files, which are fewer. */
const BAD_FROM = 3;

t.setTimeout(Math.max(ROUNDS, 20) * 60_000);

t.test(`every file is there, in badmail or sent exactly once in ${ROUNDS} kills`, async (t) => {
  const rig = await createRig(t);
  for (let round = 0; round < ROUNDS; round += 1) {
    await rig.killOnce(round, round % 2 === 0 ? MOMENTS[(round / 2) % MOMENTS.length] : undefined);
  }
  const { counts, ...faults } = await rig.finish();
  t.same(faults, ALL_WELL, `seed ${SEED}`);
  t.same(rig.missed, [], 'every moment came');
  t.ok(counts.bad > 0 && counts.delivered > 0);
  t.comment(
    `${counts.delivered} files were sent, ${counts.bad} are in badmail, ${rig.broken()} were written too slowly to count`,
  );
});

/**
 * The file is gone before its message is anywhere, and a server that is to be killed dies right there, since a moment later the message
 * is safe.
 */
const REMOVED_EARLY: Patch = {
  file: 'pickup/takeFile.ts',
  from: 'const acceptance = await transfer.accept(',
  to: "(await import('node:fs')).unlinkSync(file.path);\n  if (process.env.HAUSPOST_KILL_AT) process.kill(process.pid, 'SIGKILL');\n  const acceptance = await transfer.accept(",
};
/** What is taken up again gets a new id. */
const FORGOTTEN: Patch = {
  file: 'pickup/claim.ts',
  from: 'handoverId: parts[2] as string',
  to: 'handoverId: newHandoverId()',
};

t.test('the same check finds losses when files are removed before the commit', async (t) => {
  const rig = await createRig(t, createPatchedCopy(t, REMOVED_EARLY));
  const faults = await rig.killUntil(MOMENTS[0], ({ lost }) => lost.length > 0);
  t.ok(faults.lost.length > 0, `lost: ${faults.lost.join(', ')}`);
});

t.test('the same check finds doubles when what is taken up again counts as new', async (t) => {
  const rig = await createRig(t, createPatchedCopy(t, FORGOTTEN));
  const faults = await rig.killUntil(MOMENTS[1], ({ doubled }) => doubled.length > 0);
  t.ok(faults.doubled.length > 0, `twice: ${faults.doubled.join(', ')}`);
});

interface Rig {
  /** Files that tell nothing, because their writers broke their promise. */
  broken(): number;
  /** Moments that did not come. */
  readonly missed: readonly unknown[];
  /** Starts the server, lets files come, and has it killed. */
  killOnce(round: number, moment: Omit<KillMoment, 'count'> | undefined): Promise<void>;
  /** Lets everything be taken and answers what became of all. */
  finish(): Promise<Outcome>;
  /** Kills at such a moment until something is wrong. */
  killUntil(
    moment: Omit<KillMoment, 'count'> | undefined,
    isWrong: (outcome: Outcome) => boolean,
  ): Promise<Outcome>;
}

async function createRig(t: Test, main?: string): Promise<Rig> {
  const pickup = await createPickupSite(t, main === undefined ? {} : { main });
  const random = seededRandom(SEED);
  const names: string[] = [];
  const broken = new Set<string>();
  const missed: unknown[] = [];
  const write = async (name: string, number: number) => {
    const way = WAYS[number % WAYS.length] ?? 'inPlace';
    const { isKept } = await writeFileBy(
      way,
      { ...pickup.writer, pauses: 2 },
      `${name}.eml`,
      pickupMessage(name).file,
    );
    if (isKept) names.push(name);
    else broken.add(name);
  };
  const finish = async () => {
    const server = await pickup.site.serve();
    await pickup.drain();
    const outcome = await pickup.findOutcome(server, names, broken);
    await server.stop();
    return outcome;
  };
  const killOnce: Rig['killOnce'] = async (round, moment) => {
    const isBad = moment !== undefined && MOMENTS.indexOf(moment) >= BAD_FROM;
    const count = 1 + Math.floor(random() * (isBad ? 2 : 12));
    const kill = moment === undefined ? {} : { preload: PRELOAD, env: killAt({ ...moment, count }) };
    const server = await pickup.site.serve(kill);
    if (moment === undefined) killByChance(pickup, server, 1 + Math.floor(random() * EVENTS_LIMIT));
    let isDead = false;
    const before = names.length;
    const ended = server.program.ended.then(() => {
      isDead = true;
    });
    const writers = Array.from({ length: WRITERS }, async (_none, writer) => {
      for (let number = 0; !isDead; number += 1) {
        await write(`r${round}-w${writer}-n${number}`, writer + number);
        if (names.length - before > FILES_LIMIT) await server.kill();
        while (!isDead && readdirSync(pickup.directory).length > WAITING_LIMIT) await pause(REST_MS);
      }
    });
    await Promise.all([ended, ...writers]);
    if (names.length - before > FILES_LIMIT) missed.push(moment);
  };
  return {
    broken: () => broken.size,
    missed,
    killOnce,
    finish,
    async killUntil(moment, isWrong) {
      for (let round = 0; ; round += 1) {
        await killOnce(round, moment);
        const outcome = await finish();
        if (isWrong(outcome) || round === CONTROL_ROUNDS) return outcome;
      }
    },
  };
}

/** Kills after so many events of the directory: claims, removals, and what the writers do. */
function killByChance({ directory }: PickupSite, server: RunningServer, events: number): void {
  let left = events;
  const watcher = watch(directory, () => {
    left -= 1;
    if (left !== 0) return;
    watcher.close();
    process.kill(server.pid, 'SIGKILL');
  });
}
