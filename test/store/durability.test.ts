/**
 * What was acknowledged is there, after SIGKILL at any moment; the sync comes before the acknowledgement, and one sync serves
 * many deliveries. Each proof is tried on a process that acknowledges too early, which it must notice.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { peerTest, type RunningProgram, runProgram, startProgram } from '../support/peers.ts';
import { entriesOf } from './contract/house.ts';

const DELIVERER = fileURLToPath(new URL('deliverer.ts', import.meta.url));
const ROUNDS = 5;
const SMALL = '5000';

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

void peerTest(
  t,
  ['strace'],
  'one at a time, each acknowledgement comes after a sync of its own',
  async (t) => {
    const events = await trace(t, ['1', '60', SMALL]);
    t.equal(count(events, 'ack'), 60);
    t.equal(unsynced(events), 0);
  },
);

void peerTest(t, ['strace'], 'fifty at a time, one sync serves many', async (t) => {
  const events = await trace(t, ['50', '400', SMALL]);
  const syncs = count(events, 'sync');
  t.equal(count(events, 'ack'), 400);
  t.ok(syncs > 0 && syncs < 200, `${syncs} syncs for 400 deliveries`);
});

void peerTest(t, ['strace'], 'the trace notices an acknowledgement before its sync', async (t) => {
  const events = await trace(t, ['1', '60', SMALL, 'early']);
  t.not(unsynced(events), 0);
});

t.test(
  'a message of 150 MB takes no more memory than the windows allow',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const peak = async (octets: string) => {
      const args = [DELIVERER, join(t.testdir(), 'data'), '1', '2', octets];
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

/** The hashes of all messages, each read whole and hashed anew. */
async function storedHashes(t: Test, directory: string): Promise<ReadonlySet<string>> {
  const store = await openStore({ directory, clock: systemClock, log: silentLog });
  const hashes = new Set<string>();
  const account = await store.directory.findAccount('in@app.example');
  const inbox = account && (await store.mailboxes.find(account.id, ['INBOX']));
  if (inbox === undefined) throw new Error('the account is gone');
  const entries = await entriesOf(store, inbox.id);
  for (const { contentId } of entries) {
    const content = await store.contents.open(contentId);
    const hash = createHash('sha256');
    for await (const piece of content.read(0, content.octets)) hash.update(piece);
    const digest = hash.digest('hex');
    if (digest !== content.sha256.toString('hex')) t.fail(`content ${contentId} was changed`);
    hashes.add(digest);
  }
  t.equal((await store.mailboxes.status(inbox.id)).messages, entries.length);
  await store.close();
  return hashes;
}

/** Runs the deliverer to its end; answers its syncs and acknowledgements from `ready` on, in the order they happened. */
async function trace(t: Test, args: readonly string[]): Promise<readonly string[]> {
  const output = join(t.testdir({ data: {} }), 'strace.txt');
  const calls = ['-f', '-qq', '-e', 'trace=fsync,fdatasync,write', '-o', output];
  const command = [...calls, process.execPath, DELIVERER, join(t.testdirName, 'data'), ...args];
  const { exitCode, stderr } = await runProgram('strace', command);
  t.equal(exitCode, 0, stderr.toString());
  const lines = readFileSync(output, 'latin1').split('\n');
  return lines.slice(lines.findIndex((line) => line.includes('write(1, "ready'))).flatMap(eventOf);
}

/** A sync counts when it has ended, an acknowledgement when it begins. */
function eventOf(line: string): readonly string[] {
  if (/write\(1, "ack /.test(line)) return ['ack'];
  return /(fsync|fdatasync)(\(| resumed).*= 0$/.test(line) ? ['sync'] : [];
}

function count(events: readonly string[], kind: string): number {
  return events.filter((event) => event === kind).length;
}

/** Acknowledgements for which there was no sync: the n-th one needs n of them before it. */
function unsynced(events: readonly string[]): number {
  let syncs = 0;
  let acknowledgements = 0;
  return events.filter((event) => {
    if (event === 'sync') syncs += 1;
    else acknowledgements += 1;
    return event === 'ack' && syncs < acknowledgements;
  }).length;
}
