/**
 * Looks at files without following links: what lstat tells, as an observation needs it.
 *
 * Times are in nanoseconds, since a file may grow twice within a millisecond.
 */

import type { BigIntStats } from 'node:fs';
import { type FileHandle, lstat } from 'node:fs/promises';

import type { Look } from './observation.ts';

/** Looks at a path. Errors: the system's. */
export async function lookAt(path: Buffer | string): Promise<Look> {
  return lookOf(await lstat(path, { bigint: true }));
}

/** Looks at an open file. Errors: the system's. */
export async function lookAtHandle(handle: FileHandle): Promise<Look> {
  return lookOf(await handle.stat({ bigint: true }));
}

function lookOf(stats: BigIntStats): Look {
  return {
    form: formOf(stats),
    inode: stats.ino,
    octets: Number(stats.size),
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
    bornNs: stats.birthtimeNs,
    links: Number(stats.nlink),
  };
}

function formOf(stats: BigIntStats): Look['form'] {
  if (stats.isFile()) return 'file';
  if (stats.isSymbolicLink()) return 'link';
  return stats.isDirectory() ? 'directory' : 'other';
}
