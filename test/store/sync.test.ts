/**
 * The sync comes before the acknowledgement, one sync serves many deliveries, and I/O errors are answered, seen by strace.
 * The proof is tried on a process that acknowledges before the commit, which it must notice.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';

import { peerTest, runProgram } from '../support/peers.ts';
import { DELIVERER, storedHashes } from './stored.ts';

const SMALL = '5000';

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
  // One less than after which it kills itself (deliverer.ts).
  const events = await trace(t, ['1', '59', SMALL, 'early']);
  t.not(unsynced(events), 0);
});

for (const [calls, error, code] of [
  ['fsync,fdatasync', 'EIO', 'storeUnavailable'],
  ['pwrite64', 'EIO', 'storeUnavailable'],
  ['pwrite64', 'ENOSPC', 'diskFull'],
] as const)
  void peerTest(
    t,
    ['strace'],
    `${error} from ${calls} is ${code}, and nothing acknowledged is lost`,
    async (t) => {
      const directory = t.testdir();
      const when = calls === 'pwrite64' ? '300..330' : '20..22';
      const strace = ['-f', '-qq', '-o', join(directory, 'strace.txt'), '-e', `trace=${calls}`];
      const inject = ['-e', `inject=${calls}:error=${error}:when=${when}`];
      const deliverer = [process.execPath, DELIVERER, join(directory, 'data'), '5', '300', SMALL];
      const { exitCode, stdout } = await runProgram('strace', [...strace, ...inject, ...deliverer]);
      t.equal(exitCode, 0, 'the process lives on');
      const lines = stdout.toString().trimEnd().split('\n');
      const refusals = lines.filter((line) => line.startsWith('no '));
      t.same([...new Set(refusals)], [`no ${code}`]);
      t.ok(
        lines.findLastIndex((line) => line.startsWith('ack ')) > lines.lastIndexOf(`no ${code}`),
        'it recovers',
      );
      const stored = await storedHashes(t, join(directory, 'data'));
      const acknowledged = lines.filter((line) => line.startsWith('ack ')).map((line) => line.slice(4));
      t.equal(acknowledged.length + refusals.length, 300);
      t.same(
        acknowledged.filter((hash) => !stored.has(hash)),
        [],
      );
    },
  );

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
