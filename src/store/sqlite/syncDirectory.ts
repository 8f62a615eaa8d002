/**
 * Syncs a directory, so that a file that was renamed in it is there after a power cut. Differs on Windows, and is untested there:
 * Windows has no way to sync a directory, and NTFS keeps a rename in its own log.
 */

import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Returns when the directory is on disk. */
export function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
