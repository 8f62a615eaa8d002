/**
 * A deadline for something that is under way: whoever waits goes on after it, whatever becomes of the rest.
 */

import type { Clock } from './clock.ts';
import { MailError } from './error.ts';

/**
 * `promise`, or after `deadlineMs` a rejection with MailError('deadlineExceeded') that says `what` took too long. What was begun
 * goes on; nobody hears of its end.
 */
export function within<T>(clock: Clock, deadlineMs: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(deadlineMs, () =>
      reject(new MailError('deadlineExceeded', `${what} took longer than ${deadlineMs} ms`)),
    );
    promise.then(resolve, reject).finally(() => timer.clear());
  });
}
