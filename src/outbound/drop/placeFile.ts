/**
 * Puts a file into a directory so that whoever looks there sees all of it or none, also after a power cut: written beside under a
 * name that no reader takes, synced, renamed, and the directory synced.
 *
 * Nothing is overwritten: a name that is taken is looked at. A file of the same octets is what an earlier attempt has put there before
 * it could tell (a crash), and is the answer; another one is left alone, and the name gets a number. Between that look and the rename
 * nobody makes this name: it has the message's trace id, and one attempt at a time is made of a message. `link` would refuse to
 * overwrite by itself, but programs that wait for files to be moved in (inotify's IN_MOVED_TO) never hear of a link, and FAT and many
 * shares have none. On Windows rename overwrites as well; untested there.
 * The file is a new one in each attempt and never opened again: what a crash left may be in the hands of somebody.
 */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { isUnable, syncNames } from './directory.ts';
import { numberedName, unfinishedName } from './dropFile.ts';
import { errorCode } from './fileTrouble.ts';
import { OTHER_NAMES } from './limits.ts';
import { isSameContent } from './sameContent.ts';

/** Readable for the group whatever the umask: readers are other users. */
const FILE_MODE = 0o660;
/** Windows has no O_NOFOLLOW. */
const NEW_FILE =
  constants.O_RDWR |
  constants.O_CREAT |
  constants.O_EXCL |
  ((constants.O_NOFOLLOW as number | undefined) ?? 0);
const ATTEMPT_OCTETS = 8;

/** What is to be put where. */
export interface FileToPlace {
  readonly directory: string;
  readonly name: string;
  /** Errors of it end the placing. */
  readonly octets: AsyncIterable<Buffer>;
  readonly signal: AbortSignal;
  /** Called whenever the file system has answered. */
  progress(): void;
}

/** What came of it. */
export type Placing =
  /** It is there; `isRepeat`: it was before. */
  | { readonly kind: 'placed'; readonly name: string; readonly isRepeat: boolean }
  /** Nothing is there. */
  | { readonly kind: 'aborted' };

/** Places a file. Errors: the system's, and those of `octets`; then nothing is there under a name that readers take, or all of it is. */
export async function placeFile(file: FileToPlace): Promise<Placing> {
  const { directory, name, signal, progress } = file;
  const attempt = randomBytes(ATTEMPT_OCTETS).toString('hex');
  const unfinished = join(directory, unfinishedName(name, attempt));
  const handle = await open(unfinished, NEW_FILE, FILE_MODE);
  let isMoved = false;
  try {
    try {
      progress();
      await letGroupRead(handle);
      if (!(await writeAll(handle, file))) return { kind: 'aborted' };
      await handle.sync();
      progress();
      const free = await findName(directory, name, handle);
      progress();
      if (free.kind === 'taken') {
        await syncNames(directory);
        return { kind: 'placed', name: free.name, isRepeat: true };
      }
      if (signal.aborted) return { kind: 'aborted' };
      await rename(unfinished, join(directory, free.name));
      isMoved = true;
      progress();
      await syncNames(directory);
      return { kind: 'placed', name: free.name, isRepeat: false };
    } finally {
      await handle.close();
    }
  } finally {
    // Where even that fails, the sweep comes.
    if (!isMoved) await unlink(unfinished).catch(() => {});
  }
}

/** Writes all octets; false when it was aborted. */
async function writeAll(handle: FileHandle, { octets, signal, progress }: FileToPlace): Promise<boolean> {
  if (signal.aborted) return false;
  for await (const block of octets) {
    if (signal.aborted) return false;
    progress();
    await handle.writeFile(block);
    progress();
  }
  return !signal.aborted;
}

async function letGroupRead(handle: FileHandle): Promise<void> {
  try {
    await handle.chmod(FILE_MODE);
  } catch (error) {
    // Shares that have modes of their own say one or the other.
    if (!isUnable(error) && errorCode(error) !== 'EPERM') throw error;
  }
}

/** The first name that is free, or that has the content of `handle` already. */
async function findName(
  directory: string,
  name: string,
  handle: FileHandle,
): Promise<{ readonly kind: 'free' | 'taken'; readonly name: string }> {
  for (let number = 1; number <= OTHER_NAMES; number += 1) {
    const candidate = numberedName(name, number);
    const path = join(directory, candidate);
    if (!(await isThere(path))) return { kind: 'free', name: candidate };
    if (await isSameContent(handle, path)) return { kind: 'taken', name: candidate };
  }
  throw new Error(`${OTHER_NAMES} other files have the name ${name}`);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
