/**
 * What was acknowledged is there, after SIGKILL at any moment, and a report is there exactly when its item is settled. Both proofs are
 * tried on a process that has the fault. And a large message stays within the memory of the windows.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { runProgram, startProgram } from '../support/peers.ts';
import { entriesOf, octetsOf } from './contract/house.ts';
import { DELIVERER, storedHashes } from './stored.ts';

const SETTLER = fileURLToPath(new URL('./settler.ts', import.meta.url));

const ROUNDS = 4;

t.setTimeout(300_000);

t.test(`nothing that was acknowledged is lost or changed by ${ROUNDS} times SIGKILL`, async (t) => {
  const directory = t.testdir();
  const acknowledged = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1)
    for (const line of await deliverUntilKilled(directory, 40 + round * 37)) acknowledged.add(line);
  const stored = await storedHashes(t, directory);
  t.ok(acknowledged.size > ROUNDS * 40, `${acknowledged.size} acknowledged, ${stored.size} stored`);
  t.same(
    [...acknowledged].filter((hash) => !stored.has(hash)),
    [],
  );
});

t.test('the kill is noticed when the acknowledgement comes before the commit', async (t) => {
  const directory = t.testdir();
  const acknowledged = await runUntilKilled([DELIVERER, directory, '20', '0', '0', 'early']);
  const stored = await storedHashes(t, directory);
  t.not(acknowledged.filter((hash) => !stored.has(hash)).length, 0);
});

t.test('a report is there exactly when its item is settled, after SIGKILL at any moment', async (t) => {
  const directory = t.testdir();
  const acknowledged: string[] = [];
  for (const acknowledgements of [37, 81, 60]) {
    acknowledged.push(...(await runUntilKilled([SETTLER, directory], acknowledgements)));
    const { reported, queued } = await queueLeft(directory);
    t.equal(new Set(reported).size, reported.length, 'no report is there twice');
    t.same(
      acknowledged.filter((id) => !reported.includes(id)),
      [],
    );
    t.equal(new Set([...reported, ...queued]).size, 1_000, 'nothing is lost');
    t.equal(reported.length + queued.length, 1_000, 'and nothing both settled and queued');
  }
});

t.test('the kill is noticed when an item is settled apart from its report', async (t) => {
  const directory = t.testdir();
  await runUntilKilled([SETTLER, directory, 'apart']);
  const { reported, queued } = await queueLeft(directory);
  t.ok(reported.length + queued.length < 1_000);
});

t.test(
  'a message of 150 MB takes no more memory than the windows allow',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const peak = async (octets: string) => {
      const args = [DELIVERER, join(t.testdir(), 'data'), '1', '1', octets];
      const { stdout } = await runProgram(process.execPath, args);
      return Number(/^memory (\d+)$/m.exec(stdout.toString())?.[1]);
    };
    const small = await peak('10000000');
    const large = await peak('150000000');
    t.ok(large - small < 40_000, `${small} KiB with 10 MB, ${large} KiB with 150 MB`);
  },
);

/** Lets a process deliver, kills it in the middle of it after so many acknowledgements, and answers what was acknowledged. */
async function deliverUntilKilled(directory: string, acknowledgements: number): Promise<readonly string[]> {
  return runUntilKilled([DELIVERER, directory, '20', '0', '0'], acknowledgements);
}

/** Runs a program until it kills itself, or kills it after so many acknowledgements, and answers what was acknowledged. */
async function runUntilKilled(
  args: readonly string[],
  acknowledgements?: number,
): Promise<readonly string[]> {
  const program = await startProgram(process.execPath, args);
  if (acknowledgements !== undefined) {
    await program.waitFor(new RegExp(`(?:ack \\w+\\n){${acknowledgements}}`));
    program.signal('SIGKILL');
  }
  const { stdout, signal } = await program.ended;
  if (signal !== 'SIGKILL') throw new Error(`it was not killed: ${stdout}`);
  return [...stdout.toString().matchAll(/^ack (\w+)$/gm)].map(([, what]) => what ?? '');
}

/** Ids of the items whose report is stored, and of those that are queued. */
async function queueLeft(directory: string) {
  const store = await openStore({ directory, clock: systemClock, log: silentLog });
  const account = await store.directory.findAccount('in@app.example');
  const inbox = account && (await store.mailboxes.find(account.id, ['INBOX']));
  if (inbox === undefined) throw new Error('the account is gone');
  const reported: string[] = [];
  for (const { contentId } of await entriesOf(store, inbox.id))
    reported.push(/\d+/.exec((await octetsOf(store, contentId)).toString())?.[0] ?? '');
  const queued = (await store.queue.list({}, 1000)).map(({ id }) => String(id));
  await store.close();
  return { reported, queued };
}
