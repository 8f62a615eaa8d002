/**
 * Takes away what a crash has left unfinished in a drop directory and, only where an administrator says so, messages that nobody has
 * fetched for so long. No file is touched whose name is not one of ours.
 */

import { unlink } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { namesIn } from './directory.ts';
import { isOurs, isUnfinished } from './dropFile.ts';
import { errorCode } from './fileTrouble.ts';
import { LEFTOVER_AGE_MS } from './limits.ts';
import { writtenAtOf } from './lookAtDrop.ts';

/** What is swept, and how. */
export interface Sweep {
  readonly directory: string;
  /** Age at which messages are deleted; 0: never. */
  readonly deleteAfterMs: number;
  readonly clock: Pick<Clock, 'now'>;
  /** With the drop's name. */
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Sweeps once. A directory that cannot be read is left for the next time. Never rejects. */
export async function sweepDrop({ directory, deleteAfterMs, clock, log, signal }: Sweep): Promise<void> {
  const isOlder = async (name: string, ageMs: number) => {
    const writtenAt = await writtenAtOf(join(directory, name));
    return writtenAt !== undefined && clock.now() - writtenAt > ageMs;
  };
  let deleted = 0;
  try {
    for await (const name of namesIn(directory)) {
      if (signal.aborted) break;
      if (isUnfinished(name) && (await isOlder(name, LEFTOVER_AGE_MS))) await remove(join(directory, name));
      if (deleteAfterMs === 0 || !isOurs(name) || !(await isOlder(name, deleteAfterMs))) continue;
      if (!(await remove(join(directory, name)))) continue;
      deleted += 1;
      log.warn('outbound.drop.deleted', { file: name, why: 'deleteAfterHours' });
    }
  } catch (error) {
    log.debug('outbound.drop.sweep', { error });
  }
  if (deleted > 0) log.warn('outbound.drop.swept', { files: deleted });
}

/** Whether it was there. */
async function remove(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
