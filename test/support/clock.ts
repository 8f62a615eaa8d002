/**
 * A clock that a test moves by hand: nothing waits, and a deadline of ten minutes passes in one call.
 *
 * `advance` runs what falls due, in order of time, before it returns; what those runs start with promises needs the event
 * loop to turn (await something) as always. Calendar and monotonic time move together but for `setCalendar`, which makes
 * the jump of an NTP step or of a paused machine.
 */

import { type Clock, sleepOn, type Timer, type UnixMs, unixMs } from '../../src/base/clock.ts';

/** A Clock in the hands of a test. */
export interface TestClock extends Clock {
  /** Moves both times forward by `ms` and runs every timer that falls due on the way. */
  advance(ms: number): void;
  /** Moves the calendar alone; timers do not notice. */
  setCalendar(now: UnixMs): void;
  /** Timers that are set and have neither run nor been cleared: 0 when everything was closed. */
  readonly pendingTimers: number;
}

/** Where a test clock starts: 2026-01-15T10:00:00Z. */
export const TEST_CLOCK_START = unixMs(Date.UTC(2026, 0, 15, 10, 0, 0));

/** A clock at TEST_CLOCK_START (or `start`) that stands still until it is advanced. */
export function createTestClock(start: UnixMs = TEST_CLOCK_START): TestClock {
  const pending = new Set<PendingTimer>();
  let elapsedMs = 0;
  let calendarOffsetMs: number = start;

  const set = (delayMs: number, periodMs: number | undefined, run: () => void): Timer => {
    const timer = { dueMs: elapsedMs + Math.max(0, delayMs), periodMs, run };
    pending.add(timer);
    return { clear: () => pending.delete(timer) };
  };
  const runNext = (untilMs: number): boolean => {
    const next = earliest(pending);
    if (next === undefined || next.dueMs > untilMs) return false;
    elapsedMs = Math.max(elapsedMs, next.dueMs);
    if (next.periodMs === undefined) pending.delete(next);
    else next.dueMs += next.periodMs;
    next.run();
    return true;
  };

  const clock: TestClock = {
    now: () => unixMs(calendarOffsetMs + elapsedMs),
    monotonic: () => elapsedMs,
    after: (delayMs, run) => set(delayMs, undefined, run),
    every: (periodMs, run) => set(periodMs, periodMs, run),
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
    advance: (ms) => {
      const untilMs = elapsedMs + ms;
      while (runNext(untilMs));
      elapsedMs = untilMs;
    },
    setCalendar: (now) => {
      calendarOffsetMs = now - elapsedMs;
    },
    get pendingTimers() {
      return pending.size;
    },
  };
  return clock;
}

interface PendingTimer {
  dueMs: number;
  readonly periodMs: number | undefined;
  readonly run: () => void;
}

/** The timer that falls due first; of two at the same time the one that was set first (a Set keeps that order). */
function earliest(pending: ReadonlySet<PendingTimer>): PendingTimer | undefined {
  let first: PendingTimer | undefined;
  for (const timer of pending) if (first === undefined || timer.dueMs < first.dueMs) first = timer;
  return first;
}
