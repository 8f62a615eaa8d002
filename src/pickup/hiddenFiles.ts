/**
 * Files with the names of unfinished ones (`x.tmp`, `x.part`): whoever renames one says that it is finished, and where no events tell
 * of the rename, its inode does.
 */

import { lookAt } from './fileLook.ts';
import { type FileName, pathOf } from './fileNames.ts';
import { HIDDEN_FILE_LIMIT } from './limits.ts';
import { isRenamed, type Look } from './observation.ts';

/** Files that hide in one directory. */
export class HiddenFiles {
  #names: FileName[] = [];
  #now: ReadonlyMap<bigint, Look> = new Map();
  #before: ReadonlyMap<bigint, Look> = new Map();

  /** A scan begins. */
  beginScan(): void {
    this.#names = [];
  }

  /** A scan has found a name. */
  meet(name: FileName): void {
    if (this.#names.length < HIDDEN_FILE_LIMIT) this.#names.push(name);
  }

  /** Looks at what the scan has found. */
  async look(directory: string): Promise<void> {
    const looks = new Map<bigint, Look>();
    for (const name of this.#names) {
      try {
        const look = await lookAt(pathOf(directory, name));
        if (look.form === 'file' && look.links === 1) looks.set(look.inode, look);
      } catch {
        // It is gone, or nobody may look at it: then nothing is known of it.
      }
    }
    this.#before = this.#now;
    this.#now = looks;
  }

  /** Whether a file that is new was seen here in the scan before. */
  was(look: Look): boolean {
    const before = this.#before.get(look.inode);
    return before !== undefined && !this.#now.has(look.inode) && isRenamed(before, look);
  }
}
