/**
 * Waits for work on a file system as long as it makes progress. A share that is away answers nothing, no error either, and the thread that
 * asked it cannot be called back: then the work is given up, and told to end at its next step should it come back.
 */

import type { Clock } from '../../base/clock.ts';
import { ABORTED_STALL_DEADLINE_MS, STALL_DEADLINE_MS, STALL_LOOK_MS } from './limits.ts';

/** Work that tells whenever the file system has answered, and ends soon once the signal is aborted. It never rejects. */
export type WatchedWork<Result> = (progress: () => void, signal: AbortSignal) => Promise<Result>;

/** What came of it; `silent`: nothing for so long. `ended` is when the work comes back after all. */
export type Watched<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'silent'; readonly ended: Promise<unknown> };

/** Does the work. `signal` ends it, and shortens how long it may be silent. Never rejects. */
export async function whileItMoves<Result>(
  clock: Clock,
  signal: AbortSignal,
  work: WatchedWork<Result>,
): Promise<Watched<Result>> {
  let lastMs = clock.monotonic();
  const silent = Promise.withResolvers<'silent'>();
  const ending = new AbortController();
  const progress = () => {
    lastMs = clock.monotonic();
  };
  const working = work(progress, AbortSignal.any([signal, ending.signal]));
  const timer = clock.every(STALL_LOOK_MS, () => {
    const patienceMs = signal.aborted ? ABORTED_STALL_DEADLINE_MS : STALL_DEADLINE_MS;
    if (clock.monotonic() - lastMs >= patienceMs) silent.resolve('silent');
  });
  try {
    const result = await Promise.race([working, silent.promise]);
    return result === 'silent' ? { kind: 'silent', ended: working } : { kind: 'done', result };
  } finally {
    timer.clear();
    ending.abort();
  }
}
