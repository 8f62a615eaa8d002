/**
 * Waits for what other programs write into a directory: looked at whenever something in it changes, never by time.
 */

import { watch } from 'node:fs';

/** Resolves with the first answer of `look` that is not undefined, asked now and at each change in `directory`; rejects after `deadlineMs`. */
export function untilFiles<Found>(
  directory: string,
  look: () => Found | undefined,
  deadlineMs = 240_000,
): Promise<Found> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      watcher.close();
      clearTimeout(deadline);
      settle();
    };
    const lookNow = () => {
      try {
        const found = look();
        if (found !== undefined) end(() => resolve(found));
      } catch (error) {
        end(() => reject(error));
      }
    };
    const watcher = watch(directory, lookNow);
    const deadline = setTimeout(
      () => end(() => reject(new Error(`nothing of what was waited for has come into ${directory}`))),
      deadlineMs,
    );
    lookNow();
  });
}
