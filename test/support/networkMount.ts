/**
 * A share of another machine, as a directory here: networkMount.py over a directory that stands for the other machine's disk.
 *
 * It needs root, /dev/fuse and Debian's python3-fusepy, which only the system's own Python finds.
 */

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { runProgram, startProgram } from './peers.ts';
import type { Teardown } from './sockets.ts';

const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('networkMount.py', import.meta.url));
const FUSE_MODULE = '/usr/lib/python3/dist-packages/fusepy.py';
const DEADLINE_MS = 10 * 60_000;

/** Calls that fail. */
export interface ShareFault {
  readonly operation:
    | 'getattr'
    | 'readdir'
    | 'open'
    | 'create'
    | 'read'
    | 'write'
    | 'fsync'
    | 'fsyncdir'
    | 'rename'
    | 'link'
    | 'unlink'
    | 'mkdir';
  /** As `EIO`. */
  readonly error: string;
  /** How many calls fail. */
  readonly times: number;
  /** A regular expression of Python, of one of the call's paths below the mount point. */
  readonly path: string;
  /** The call has its effect all the same: only the answer was lost. False unless said. */
  readonly isDone?: boolean;
}

/** A share's habits; without any it is as good as a disk but for its events. */
export interface ShareRules {
  readonly attributeCacheMs?: number;
  readonly listingCacheMs?: number;
  readonly timeStepMs?: number;
  readonly faults?: readonly ShareFault[];
}

/** A share. */
export interface NetworkMount {
  /** As the server here sees it. */
  readonly directory: string;
  /** As the other machines do, whose doings give no events here. */
  readonly backing: string;
  /** Gives it other habits; what was cached is forgotten. */
  setRules(rules: ShareRules): void;
  /** The other machine answers nothing any more, no error either, until it goes on. Whoever asks waits: ask nothing meanwhile. */
  stop(): void;
  goOn(): void;
}

/** Why no share can be mounted here, or false. */
export const networkMountSkip: string | false =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'a share can only be mounted as root on Linux'
    : existsSync('/dev/fuse') && existsSync(FUSE_MODULE)
      ? false
      : 'a share needs /dev/fuse and python3-fusepy';

/** Mounts a share that goes with the test. */
export async function createNetworkMount(t: Teardown, rules: ShareRules = {}): Promise<NetworkMount> {
  const root = mkdtempSync(join(tmpdir(), 'hauspost-share-'));
  const [backing, directory, control] = [join(root, 'backing'), join(root, 'mount'), join(root, 'control')];
  mkdirSync(backing);
  mkdirSync(directory);
  const setRules = (next: ShareRules) => {
    // Whole or not at all, since it is read at any time.
    writeFileSync(`${control}.new`, JSON.stringify(next));
    renameSync(`${control}.new`, control);
  };
  setRules(rules);
  const share = await startProgram(PYTHON, [SCRIPT, backing, directory, control], {
    deadlineMs: DEADLINE_MS,
  });
  t.teardown(async () => {
    share.signal('SIGCONT');
    await runProgram('umount', ['-l', directory]);
    share.signal('SIGKILL');
    await share.ended;
    rmSync(root, { recursive: true, force: true });
  });
  await share.waitFor(/^mounted$/m);
  const [stop, goOn] = [() => share.signal('SIGSTOP'), () => share.signal('SIGCONT')];
  return { directory, backing, setRules, stop, goOn };
}
