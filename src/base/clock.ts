/**
 * The clock that every room is handed, and the only place (beside main.ts) that touches Date and timers.
 *
 * Two times exist: `now()` is the calendar (it may jump: NTP, an administrator, a paused VM) and is written into
 * messages and rows; `monotonic()` never goes back and measures every wait and age inside one process.
 * Tests hand in a clock that they move by hand.
 */

/** Milliseconds since 1970-01-01T00:00:00Z by the calendar. */
export type UnixMs = number & { readonly __brand: 'UnixMs' };

/** A timer that was set; `clear()` may be called any number of times. */
export interface Timer {
  clear(): void;
}

/** Time as a room sees it. Timers never keep the process alive on their own. */
export interface Clock {
  /** The calendar now. */
  now(): UnixMs;
  /** Milliseconds since some fixed point of this process; never goes back. */
  monotonic(): number;
  /** Runs `run` once after `delayMs` (0 to 2^31-1). */
  after(delayMs: number, run: () => void): Timer;
  /** Runs `run` every `periodMs` (1 to 2^31-1) until cleared. */
  every(periodMs: number, run: () => void): Timer;
  /** Resolves after `delayMs`, or rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now() as UnixMs,
  monotonic: () => performance.now(),
  after: (delayMs, run) => {
    const handle = setTimeout(run, delayMs).unref();
    return { clear: () => clearTimeout(handle) };
  },
  every: (periodMs, run) => {
    const handle = setInterval(run, periodMs).unref();
    return { clear: () => clearInterval(handle) };
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
};

/** `Clock.sleep` in terms of `Clock.after`, for every clock alike. */
export function sleepOn(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.clear();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** `when` as Unix milliseconds; the one place where a Date or a number from outside becomes a UnixMs. */
export function unixMs(when: Date | number): UnixMs {
  return Number(when) as UnixMs;
}
