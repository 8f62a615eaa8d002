/**
 * Nothing that was accepted is lost on its way to the next hop, and nothing is there twice but what the hop had when we died before
 * its answer was committed: the server is killed again and again while mail comes in and goes out to a sink that counts.
 * HAUSPOST_KILL_ROUNDS makes it longer; HAUSPOST_KILL_SEED repeats a run. Kills come by turns after a number of replies to clients,
 * and at the moment in which the sink has answered. Negative controls: a server that settles before the answer loses, and one that
 * never settles sends everything twice.
 */

import t, { type Test } from 'tap';

import { createSite, type Site } from '../support/appliance.ts';
import { loadAndKill, seededRandom, wholeName } from '../support/killRig.ts';
import { createPatchedCopy, type Patch } from '../support/patchedCopy.ts';
import { openScriptedHop, type ScriptedHop } from '../support/scriptedHop.ts';

const ROUNDS = Number(process.env.HAUSPOST_KILL_ROUNDS ?? 20);
const SEED = Number(process.env.HAUSPOST_KILL_SEED ?? 20261128);
const CLIENTS = 6;
/** Transactions at a time: as many messages at most are in doubt after a kill. */
const CONNECTIONS = 4;
const REPLIES_LIMIT = 25;
/** Rounds within which a broken server must have shown it. */
const CONTROL_ROUNDS = 6;

/** Items are settled as if the hop had taken them, while it is asked. */
const SETTLED_EARLY: Patch = {
  file: 'outbound/attempt.ts',
  from: 'await Promise.race([relay.relay(message, ending.signal), givenUp.promise])',
  to: `(void relay.relay(message, new AbortController().signal), {
    outcomes: message.recipients.map(() => ({ kind: 'relayed', reply: '', server: '', tellsSender: true }) as const),
  })`,
};
const NEVER_SETTLED: Patch = {
  file: 'outbound/sureSettling.ts',
  from: 'await settling.settle(results, use);',
  to: 'void [settling, results, use];',
};

t.setTimeout(Math.max(ROUNDS, 20) * 60_000);

t.test(
  `what was accepted reaches the next hop in ${ROUNDS} kills, twice only where it was in doubt`,
  async (t) => {
    const rig = await openRig(t);
    for (let round = 0; round < ROUNDS; round += 1) await rig.killOnce(round);
    await rig.drain();
    const { lost, damaged, undoubted, extra } = await rig.found();
    t.same(lost, [], `seed ${SEED}, lost`);
    t.equal(damaged, 0, 'every message came whole');
    t.same(undoubted, [], `seed ${SEED}, twice without a doubt`);
    t.ok(extra <= ROUNDS * CONNECTIONS);
    t.comment(`${rig.acknowledged.length} messages were accepted, ${extra} came twice in ${ROUNDS} kills`);
  },
);

t.test('the same check finds losses when items are settled before the answer', async (t) => {
  const rig = await openRig(t, createPatchedCopy(t, SETTLED_EARLY));
  let lost: readonly string[] = [];
  for (let round = 0; round < CONTROL_ROUNDS && lost.length === 0; round += 1) {
    await rig.killOnce(round);
    ({ lost } = await rig.found());
  }
  t.ok(lost.length > 0, `lost: ${lost.join(', ')}`);
});

t.test('the same check finds doubles when items are never settled', async (t) => {
  const rig = await openRig(t, createPatchedCopy(t, NEVER_SETTLED));
  let undoubted: readonly string[] = [];
  for (let round = 0; round < CONTROL_ROUNDS && undoubted.length === 0; round += 1) {
    await rig.killOnce(round);
    ({ undoubted } = await rig.found());
  }
  t.ok(undoubted.length > 0, `twice: ${undoubted.join(', ')}`);
});

interface Rig {
  readonly acknowledged: readonly string[];
  /** Starts the server, gives it mail, and kills it. */
  killOnce(round: number): Promise<void>;
  /** Starts the server, waits until everything has come that was accepted and nothing waits, and stops it. */
  drain(): Promise<void>;
  found(): Promise<Found>;
}

interface Found {
  /** Neither at the hop nor in the queue. */
  readonly lost: readonly string[];
  readonly damaged: number;
  /** Came again although nothing was in doubt. */
  readonly undoubted: readonly string[];
  /** Copies beyond the first ones. */
  readonly extra: number;
}

async function openRig(t: Test, main?: string): Promise<Rig> {
  const hop = await openScriptedHop(t);
  const site = createSite(
    `[[relays]]\nname = "sink"\nhosts = ["127.0.0.1:${hop.port}"]\ntls = "none"\nconnectionLimit = ${CONNECTIONS}\n`,
    main,
  );
  t.teardown(() => site.remove());
  await site.cliJson(['route', 'add', 'out', 'example.org', '--to', 'relay:sink', '--open-to', 'anyone']);
  const random = seededRandom(SEED);
  const acknowledged: string[] = [];
  /** How much the sink had after each kill. */
  const marks: number[] = [];
  let inDoubt: readonly string[] = [];
  return {
    acknowledged,
    killOnce: async (round) => {
      const count = 1 + Math.floor(random() * REPLIES_LIMIT);
      const server = await site.serve();
      const outcome = await loadAndKill(
        server,
        { address: '', password: '' },
        {
          round,
          connections: CLIENTS,
          again: inDoubt,
          recipientOf: (name) => `${name}@example.org`,
          ...(round % 2 === 0 ? { replies: count } : { replies: Infinity, moment: answered(hop, count) }),
        },
      );
      acknowledged.push(...outcome.acknowledged);
      inDoubt = outcome.inDoubt;
      while (hop.sessions.open > 0) await new Promise(setImmediate);
      marks.push(hop.messages.length);
    },
    drain: async () => {
      const server = await site.serve();
      await untilAll(hop, acknowledged);
      // What was in doubt waits as well: messages whose 250 no client has heard, and those that the hop had already.
      while ((await waitingAt(site)).length > 0);
      await server.stop();
    },
    found: async () => find(hop, acknowledged, new Set(await waitingAt(site)), marks),
  };
}

/** When the hop has answered so many more messages: its last answer is on its way. */
function answered(hop: ScriptedHop, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  hop.script = {
    answer: ({ verb }) => {
      if (verb === 'message') left -= 1;
      if (left === 0) setImmediate(resolve);
      return undefined;
    },
  };
  return promise;
}

async function untilAll(hop: ScriptedHop, names: readonly string[]): Promise<void> {
  const missing = new Set(names);
  let looked = 0;
  const look = () => {
    for (; looked < hop.messages.length; looked += 1) missing.delete(nameOf(hop, looked) ?? '');
    return missing.size === 0;
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  hop.script = {
    answer: ({ verb }) => {
      if (verb === 'message' && look()) resolve();
      return undefined;
    },
  };
  if (look()) return;
  await promise;
}

async function waitingAt(site: Site): Promise<readonly string[]> {
  const listed = (await site.cliJson(['queue', 'list', '--limit', '1000'])) as {
    readonly items: readonly { readonly recipient: string }[];
  };
  return listed.items.map(({ recipient }) => recipient.replace(/@.*/, ''));
}

function find(
  hop: ScriptedHop,
  acknowledged: readonly string[],
  waiting: ReadonlySet<string>,
  marks: readonly number[],
): Found {
  const places = new Map<string, number[]>();
  let damaged = 0;
  for (const index of hop.messages.keys()) {
    const name = nameOf(hop, index);
    if (name === undefined) damaged += 1;
    else places.set(name, [...(places.get(name) ?? []), index]);
  }
  // Commits come in the order of the answers, so that only the last ones before a kill can be without one.
  const isDoubtful = (index: number) => marks.some((mark) => index < mark && index >= mark - 2 * CONNECTIONS);
  const copies = [...places].filter(([, indexes]) => indexes.length > 1);
  return {
    lost: acknowledged.filter((name) => !places.has(name) && !waiting.has(name)),
    damaged,
    undoubted: copies.filter(([, indexes]) => !indexes.slice(0, -1).every(isDoubtful)).map(([name]) => name),
    extra: hop.messages.length - damaged - places.size,
  };
}

function nameOf(hop: ScriptedHop, index: number): string | undefined {
  const message = hop.messages[index];
  return message && wholeName(message.octets);
}
