/**
 * Syncs a directory, so that a file that was moved into it or renamed in it is there by that name after a power cut. Differs on
 * Windows, and is untested there: Windows has no way to sync a directory, and NTFS keeps a rename in its own log.
 */

import { open } from 'node:fs/promises';

/** Some network file systems have no sync of directories. */
const UNKNOWN_THERE: readonly unknown[] = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Resolves when the directory is on disk, or cannot be put there by itself. Errors: the system's. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!UNKNOWN_THERE.includes((error as NodeJS.ErrnoException).code)) throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Syncs a directory for many at a time: whoever asks while a sync is under way shares the one that follows, since what he did may
 * have come too late for it.
 */
export function createSharedSync(
  directory: string,
  sync: (directory: string) => Promise<void> = syncDirectory,
): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  let following: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    following = undefined;
    const begun = sync(directory).finally(() => {
      if (underWay === begun) underWay = undefined;
    });
    underWay = begun;
    return begun;
  };
  return () => {
    if (underWay === undefined) return begin();
    following ??= underWay.then(begin, begin);
    return following;
  };
}
