/**
 * What was acknowledged is there, after SIGKILL at any moment. The proof is tried on a process that acknowledges before the
 * commit, which it must notice. And a large message stays within the memory of the windows.
 */

import { join } from 'node:path';
import t from 'tap';

import { type RunningProgram, runProgram, startProgram } from '../support/peers.ts';
import { DELIVERER, storedHashes } from './stored.ts';

const ROUNDS = 4;

t.test(`nothing that was acknowledged is lost or changed by ${ROUNDS} times SIGKILL`, async (t) => {
  const directory = t.testdir();
  const acknowledged = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1)
    for (const line of await deliverUntilKilled(directory, 40 + round * 37, [])) acknowledged.add(line);
  const stored = await storedHashes(t, directory);
  t.ok(acknowledged.size > ROUNDS * 40, `${acknowledged.size} acknowledged, ${stored.size} stored`);
  t.same(
    [...acknowledged].filter((hash) => !stored.has(hash)),
    [],
  );
});

t.test('the kill is noticed when the acknowledgement comes before the commit', async (t) => {
  const directory = t.testdir();
  const acknowledged = await deliverUntilKilled(directory, 60, ['early']);
  const stored = await storedHashes(t, directory);
  t.not(acknowledged.filter((hash) => !stored.has(hash)).length, 0);
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
async function deliverUntilKilled(
  directory: string,
  acknowledgements: number,
  more: readonly string[],
): Promise<readonly string[]> {
  const program = await startProgram(process.execPath, [DELIVERER, directory, '20', '0', '0', ...more]);
  await program.waitFor(/ready/);
  await printedTimes(program, acknowledgements);
  program.signal('SIGKILL');
  const { stdout } = await program.ended;
  return [...stdout.toString().matchAll(/^ack ([0-9a-f]{64})$/gm)].map(([, hash]) => hash ?? '');
}

async function printedTimes(program: RunningProgram, times: number): Promise<void> {
  await program.waitFor(new RegExp(`(?:ack \\w+\\n){${times}}`));
}
