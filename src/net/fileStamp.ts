/**
 * What tells that files have changed without reading them: inode, size and time of change, through symbolic links.
 */

import { stat } from 'node:fs/promises';

/** A text that is another one once one of the files was written, replaced or removed. Never rejects. */
export async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
        () => 'missing',
      ),
    ),
  );
  return stamps.join(', ');
}
