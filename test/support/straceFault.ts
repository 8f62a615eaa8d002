/**
 * System calls that fail in a server that runs, for as long as a test wants: strace joins its threads, makes calls fail before the
 * kernel sees them, and leaves again.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { startProgram } from './peers.ts';
import type { Teardown } from './sockets.ts';

const DEADLINE_MS = 5 * 60_000;
const MET_DEADLINE_MS = 60_000;
const LOOK_MS = 20;

/** Which calls fail, and how. */
export interface CallFault {
  /** Names of system calls, as `rename,renameat2`. */
  readonly calls: string;
  /** As `EACCES`. */
  readonly error: string;
  /** strace's `when`: `3` the third call of each thread, `1+2` every other; every call unless given. */
  readonly when?: string;
  /** Only calls that name one of these paths; all unless given. */
  readonly paths?: readonly string[];
}

/** A fault that is on. */
export interface RunningFault {
  /** How many calls have failed. */
  count(): number;
  /** Resolves when so many calls have failed; rejects after a minute. */
  untilMet(count?: number): Promise<void>;
  /** The calls of the server that begin from now on succeed. */
  end(): Promise<void>;
}

/** Begins a fault in the process `pid` and all its threads. */
export async function beginFault(t: Teardown, pid: number, fault: CallFault): Promise<RunningFault> {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-strace-'));
  const output = join(directory, 'calls');
  const { calls, error, when, paths = [] } = fault;
  const inject = `inject=${calls}:error=${error}${when === undefined ? '' : `:when=${when}`}`;
  const strace = await startProgram(
    'strace',
    [
      ...['-f', '-p', String(pid), '-o', output, '-e', `trace=${calls}`, '-e', inject],
      ...paths.flatMap((path) => ['-P', path]),
    ],
    { deadlineMs: DEADLINE_MS },
  );
  await strace.waitFor(/attached/);
  const end = async () => {
    strace.signal('SIGINT');
    await strace.ended;
  };
  t.teardown(async () => {
    await end();
    rmSync(directory, { recursive: true, force: true });
  });
  const count = () => readFileSync(output, 'latin1').split('(INJECTED)').length - 1;
  return {
    count,
    end,
    async untilMet(wanted = 1) {
      const begunMs = performance.now();
      while (count() < wanted) {
        if (performance.now() - begunMs > MET_DEADLINE_MS) throw new Error(`no ${calls} was tried`);
        await pause(LOOK_MS);
      }
    },
  };
}
