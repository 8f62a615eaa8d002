/**
 * A look at a drop directory: how many files wait for their reader, how old they are, and how much room there is.
 *
 * One look at a time is made of a directory, and one that does not come back is waited for no longer than its deadline: a share that is
 * away keeps a thread of Node as long as it pleases, and whoever asks for the status each minute must not use up all of them.
 */

import { lstat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { type Clock, type UnixMs, unixMs } from '../../base/clock.ts';
import type { HopTrouble } from '../../transfer/relay.ts';
import { namesIn } from './directory.ts';
import { isMessage } from './dropFile.ts';
import { errorCode, silentTrouble, troubleOf } from './fileTrouble.ts';
import { AGED_NAMES, LOOK_DEADLINE_MS } from './limits.ts';

/** What was seen. */
export type DropLook =
  | {
      readonly kind: 'seen';
      /** Files whose names end in `.eml`, whoever wrote them. */
      readonly files: number;
      /** When the oldest was written, of those with the lowest names; undefined where there is none. */
      readonly oldestAt: UnixMs | undefined;
      /** Undefined where the file system does not say. */
      readonly freeOctets: number | undefined;
    }
  /** `isSilent`: the file system does not answer, and must not be asked more. */
  | { readonly kind: 'unseen'; readonly isSilent: boolean; readonly trouble: HopTrouble };

/** Looks at `directory` each time it is called; while a look is under way its answer is everybody's. Never rejects. */
export function createDropLook(directory: string, clock: Clock): () => Promise<DropLook> {
  let underWay: Promise<DropLook> | undefined;
  return async () => {
    underWay ??= lookAt(directory)
      .catch((error: unknown): DropLook => {
        const trouble = troubleOf(directory, error);
        return { kind: 'unseen', isSilent: false, trouble };
      })
      .finally(() => {
        underWay = undefined;
      });
    const late = Promise.withResolvers<DropLook>();
    const deadline = clock.after(LOOK_DEADLINE_MS, () =>
      late.resolve({ kind: 'unseen', isSilent: true, trouble: silentTrouble(directory) }),
    );
    try {
      return await Promise.race([underWay, late.promise]);
    } finally {
      deadline.clear();
    }
  };
}

async function lookAt(directory: string): Promise<DropLook> {
  let files = 0;
  let lowest: string[] = [];
  for await (const name of namesIn(directory)) {
    if (!isMessage(name)) continue;
    files += 1;
    lowest.push(name);
    if (lowest.length >= 2 * AGED_NAMES) lowest = lowest.sort().slice(0, AGED_NAMES);
  }
  let oldestAt: UnixMs | undefined;
  for (const name of lowest.sort().slice(0, AGED_NAMES)) {
    const writtenAt = await writtenAtOf(join(directory, name));
    if (writtenAt !== undefined && (oldestAt === undefined || writtenAt < oldestAt)) oldestAt = writtenAt;
  }
  return { kind: 'seen', files, oldestAt, freeOctets: await freeOctetsOf(directory) };
}

/** When a file was written; undefined where the reader has taken it meanwhile. Errors: the system's. */
export async function writtenAtOf(path: string): Promise<UnixMs | undefined> {
  try {
    return unixMs(Math.trunc((await lstat(path)).mtimeMs));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function freeOctetsOf(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
