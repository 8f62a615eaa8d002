/**
 * Whether a file that stands in the way has the octets that were to be put there: then it is an earlier attempt's own.
 */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { KIB } from '../../base/units.ts';
import { errorCode } from './fileTrouble.ts';

const BLOCK_OCTETS = 256 * KIB;
/** Windows has neither. */
const LOOK =
  constants.O_RDONLY |
  ((constants.O_NOFOLLOW as number | undefined) ?? 0) |
  ((constants.O_NONBLOCK as number | undefined) ?? 0);
/** A symbolic link; no right to read, so no file of ours; gone: the reader took it in this moment. */
const OTHER: ReadonlySet<string> = new Set(['ELOOP', 'EACCES', 'EPERM', 'ENOENT']);

/**
 * Compares the file at `path` with the open one, and syncs it where they are the same. A symbolic link or a pipe is never the same.
 * Errors: the system's.
 */
export async function isSameContent(ours: FileHandle, path: string): Promise<boolean> {
  let other: FileHandle;
  try {
    other = await open(path, LOOK);
  } catch (error) {
    if (OTHER.has(errorCode(error))) return false;
    throw error;
  }
  try {
    const [mine, theirs] = [await ours.stat(), await other.stat()];
    if (!theirs.isFile() || mine.size !== theirs.size) return false;
    if (!(await haveSameOctets(ours, other, mine.size))) return false;
    if (process.platform !== 'win32') await other.sync();
    return true;
  } finally {
    await other.close();
  }
}

async function haveSameOctets(one: FileHandle, other: FileHandle, size: number): Promise<boolean> {
  const blocks = [Buffer.alloc(BLOCK_OCTETS), Buffer.alloc(BLOCK_OCTETS)] as const;
  for (let at = 0; at < size; ) {
    const wanted = Math.min(BLOCK_OCTETS, size - at);
    const counts = [await readAt(one, blocks[0], at, wanted), await readAt(other, blocks[1], at, wanted)];
    if (counts[0] !== wanted || counts[1] !== wanted) return false;
    if (!blocks[0].subarray(0, wanted).equals(blocks[1].subarray(0, wanted))) return false;
    at += wanted;
  }
  return true;
}

/** Fills the block as far as the file goes. */
async function readAt(file: FileHandle, block: Buffer, at: number, wanted: number): Promise<number> {
  let count = 0;
  while (count < wanted) {
    const { bytesRead } = await file.read(block, count, wanted - count, at + count);
    if (bytesRead === 0) break;
    count += bytesRead;
  }
  return count;
}
