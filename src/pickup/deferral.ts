/**
 * Growing waits, for files that cannot be taken for now and for directories where nothing works.
 *
 * They need no chance in them: nobody else waits for the same disk.
 */

import { RETRY_WAITS_MS } from './limits.ts';

/** How long to wait after so many attempts in vain, 1 or more. */
export function waitAfter(attempts: number): number {
  const last = RETRY_WAITS_MS.length - 1;
  return RETRY_WAITS_MS[Math.min(attempts - 1, last)] ?? RETRY_WAITS_MS[4];
}
