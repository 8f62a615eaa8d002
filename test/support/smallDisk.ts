/**
 * A small file system of its own under a directory of a test: one that can be full, or read-only. It needs root on Linux.
 */

import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

import { findProgram, runProgram } from './peers.ts';
import type { Teardown } from './sockets.ts';

const isRoot = process.getuid?.() === 0;
const hasMount = findProgram('mount') !== undefined && findProgram('umount') !== undefined;

/** Why no small disk can be made here, or false. */
export const smallDiskSkip: string | false =
  isRoot && hasMount ? false : 'a small file system can only be mounted as root';

/** A small disk. */
export interface SmallDisk {
  /** Fills it up with ballast to the last page but `octets`. */
  leave(octets: number): void;
  /** Takes the ballast away. */
  empty(): void;
  /** Takes it from there, whoever has files open on it. */
  unmount(): Promise<void>;
  setReadOnly(isReadOnly: boolean): Promise<void>;
}

/** Mounts a disk on `directory`, an empty one, until the test ends; undefined where that is not allowed. */
export async function mountSmallDisk(
  t: Teardown,
  directory: string,
  mib: number,
): Promise<SmallDisk | undefined> {
  const options = ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', directory];
  const mounted = await runProgram('mount', options);
  if (mounted.exitCode !== 0) return undefined;
  const unmount = async () => {
    await runProgram('umount', ['-l', directory]);
  };
  t.teardown(unmount);
  const ballast = join(directory, '.ballast');
  const empty = () => rmSync(ballast, { force: true });
  return {
    empty,
    unmount,
    leave(octets) {
      empty();
      const { bavail, bsize } = statfsSync(directory);
      // The last page of the file system has to go as well.
      const count = Math.max(0, bavail * bsize - octets);
      try {
        writeFileSync(ballast, Buffer.alloc(count, 1));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    async setReadOnly(isReadOnly) {
      const mode = isReadOnly ? 'ro' : 'rw';
      const { exitCode, stderr } = await runProgram('mount', ['-o', `remount,${mode}`, directory]);
      if (exitCode !== 0) throw new Error(stderr.toString());
    },
  };
}
