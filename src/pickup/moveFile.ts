/**
 * Moves a file to another name and never over a file that is there, also to another file system.
 *
 * link and unlink are one step each, and a crash between them leaves the file under both names; where there are no hard links
 * (FAT, some shares; files of other users by Linux's own rule), a look comes before the rename.
 */

import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';

import { systemErrorCode } from '../base/systemError.ts';
import { lookAt } from './fileLook.ts';
import { FileOctets, openFile } from './fileReading.ts';

const WITHOUT_LINKS: readonly unknown[] = [
  'EPERM',
  'EACCES',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EINVAL',
];

/** Moves `from` to `to`. Resolves to false, with nothing changed, when another file has the name. Errors: the system's. */
export async function moveFile(from: Buffer, to: Buffer): Promise<boolean> {
  try {
    await link(from, to);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return await endMove(from, to);
    if (code === 'EXDEV') return await copyAcross(from, to);
    if (WITHOUT_LINKS.includes(code)) return await renameToFree(from, to);
    throw error;
  }
  await unlink(from);
  return true;
}

/**
 * Ends a move to another file system that a crash ended before the file itself went: whether `to` is a whole copy of it. Errors: the
 * system's.
 */
export async function endCopy(from: Buffer, to: Buffer): Promise<boolean> {
  if (!(await isCopy(from, to))) return false;
  await unlink(besideOf(to)).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  await unlink(from);
  return true;
}

/** The code of a system's error, as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return systemErrorCode(error);
}

/** Whether a name is free. Errors: the system's. */
export async function isFree(path: Buffer): Promise<boolean> {
  try {
    await lookAt(path);
    return false;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
}

/** A crash came between the two steps of an earlier move: both names are one file. */
async function endMove(from: Buffer, to: Buffer): Promise<boolean> {
  const [one, other] = [await lookAt(from), await lookAt(to)];
  if (one.inode !== other.inode || one.links < 2 || one.changedNs !== other.changedNs) return false;
  await unlink(from);
  return true;
}

async function renameToFree(from: Buffer, to: Buffer): Promise<boolean> {
  if (!(await isFree(to))) return false;
  await rename(from, to);
  return true;
}

/** The copy is on disk under its name before the file itself goes. */
async function copyAcross(from: Buffer, to: Buffer): Promise<boolean> {
  if (!(await isFree(to))) return false;
  const beside = besideOf(to);
  const source = await openFile(from);
  try {
    const { mode, size } = await source.stat();
    await writeCopy(new FileOctets(source, size), beside, mode & 0o666);
  } finally {
    await source.close();
  }
  if (!(await moveFile(beside, to))) {
    await unlink(beside);
    return false;
  }
  await unlink(from);
  return true;
}

/** The name of a copy that is not whole yet. */
function besideOf(to: Buffer): Buffer {
  return Buffer.concat([to, Buffer.from('.part')]);
}

/** Whether two files have the same octets. Errors: the system's. */
export async function isCopy(from: Buffer, to: Buffer): Promise<boolean> {
  const [one, other] = [await lookAt(from), await lookAt(to)];
  if (other.form !== 'file' || one.octets !== other.octets) return false;
  const source = await openFile(from);
  try {
    const target = await openFile(to);
    try {
      const copied = new FileOctets(target, other.octets).blocks();
      for await (const block of new FileOctets(source, one.octets).blocks()) {
        const { value } = await copied.next();
        if (value === undefined || !block.equals(value)) return false;
      }
      return true;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function writeCopy(octets: FileOctets, path: Buffer, mode: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW = 0 } = constants;
  const target = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  try {
    for await (const block of octets.blocks()) await writeWhole(target, block);
    await target.sync();
  } catch (error) {
    await unlink(path).catch(() => {});
    throw error;
  } finally {
    await target.close();
  }
}

async function writeWhole(target: FileHandle, block: Buffer): Promise<void> {
  for (let written = 0; written < block.length; )
    written += (await target.write(block, written, block.length - written)).bytesWritten;
}
