/**
 * A directory as file systems of every kind have it: read name by name, made, and synced where that can be done.
 */

import { chmod, mkdir, open, opendir } from 'node:fs/promises';

import { errorCode } from './fileTrouble.ts';
import { LOOK_ENTRIES_LIMIT } from './limits.ts';

/** For the group too: readers are other users, and the umask of the service keeps its own files from them. */
const DIRECTORY_MODE = 0o770;

/** What a file system says that cannot sync a directory (FUSE, SMB), or change a mode (SMB, FAT). */
const UNABLE: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOTTY']);

/** Whether an error only says that this file system has no such thing. */
export function isUnable(error: unknown): boolean {
  return UNABLE.has(errorCode(error));
}

/** Names in `directory`, in no order, of `limit` entries. Directories in it are left out. Errors: the system's. */
export async function* namesIn(directory: string, limit = LOOK_ENTRIES_LIMIT): AsyncGenerator<string> {
  let left = limit;
  for await (const entry of await opendir(directory, { bufferSize: 256 })) {
    if (left === 0) return;
    left -= 1;
    if (!entry.isDirectory()) yield entry.name;
  }
}

/** Makes `directory` and what is missing above it. Errors: the system's. */
export async function makeDirectory(directory: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
  if (made !== undefined) await chmod(directory, DIRECTORY_MODE);
}

/**
 * Returns when the names in `directory` are on disk, as far as the file system can do that. Windows cannot, and NTFS keeps a rename in
 * its own log; untested there. Errors: the system's.
 */
export async function syncNames(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!isUnable(error)) throw error;
  } finally {
    await handle.close();
  }
}
