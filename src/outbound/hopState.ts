/**
 * How a hop stands: running, paused for a time, or held; and how many transactions it may have at a time. Pure.
 *
 * What goes wrong with a hop is not its messages' fault: they wait, and their attempts are not counted. Waits grow as long as
 * nothing succeeds. A hop that only an administrator can mend is held and tried with one message from time to time, since he may
 * have mended it elsewhere. What ends after the standing changed, but began before it, changes nothing but for the worse: ten
 * transactions that break at a time are one trouble.
 */

import type { UnixMs } from '../base/clock.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import type { HopTrouble } from '../transfer/relay.ts';

/** The first wait for a hop that is unreachable or throttles; each one after it is twice as long. */
const FIRST_PAUSE_MS = 30 * SECOND_MS;
/** The longest wait for a hop that cannot be reached. */
const UNREACHABLE_PAUSE_LIMIT_MS = 10 * MINUTE_MS;
/** The longest wait for a hop that throttles, unless it asks for more. */
const THROTTLED_PAUSE_LIMIT_MS = 15 * MINUTE_MS;
/** A hop that says how long to wait is believed up to a day. */
const RETRY_AFTER_LIMIT_MS = 24 * HOUR_MS;
/** How long a used-up ration is waited for before it is tried again. */
const QUOTA_PAUSE_MS = HOUR_MS;
/** How often one message tries a hop that is held for its trouble. */
const PROBE_PERIOD_MS = 15 * MINUTE_MS;
/** Successes in a row after which a throttled hop gets one more transaction at a time. */
const SUCCESSES_PER_STEP = 20;

/** Why a hop waits, as an administrator is told it. */
export interface HopReason {
  readonly reason: string;
  /** What to do about it, where there is something. */
  readonly advice?: string | undefined;
}

/** How a hop stands. Times are monotonic but for `since`. */
export type Standing =
  | { readonly kind: 'running' }
  | (HopReason & {
      readonly kind: 'paused';
      readonly cause: 'unreachable' | 'throttled' | 'quota' | 'day';
      readonly untilMs: number;
    })
  | (HopReason & {
      readonly kind: 'held';
      readonly by: 'administrator' | 'trouble';
      readonly since: UnixMs;
      /** When one message may try; undefined: never. */
      readonly probeAtMs: number | undefined;
    });

/** A hop's standing with what it has learned. */
export interface HopState {
  readonly standing: Standing;
  /** Counts standings: what began in an earlier one is known by it. */
  readonly epoch: number;
  /** Transactions at a time, as long as it throttles fewer than configured. */
  readonly concurrency: number;
  /** Pauses one after the other without a success, by cause. */
  readonly unreachablePauses: number;
  readonly throttledPauses: number;
  readonly successesInARow: number;
}

/** In which epoch an attempt began, and when it ended: monotonic, and by the calendar. */
export interface AttemptTimes {
  readonly epoch: number;
  readonly endedMs: number;
  readonly endedAt: UnixMs;
}

/** A hop of which nothing is known yet. */
export function freshHop(connections: number): HopState {
  return {
    standing: { kind: 'running' },
    concurrency: connections,
    epoch: 0,
    unreachablePauses: 0,
    throttledPauses: 0,
    successesInARow: 0,
  };
}

/** Transactions that the hop may have at a time now; 0 while it waits. */
export function transactionLimit(state: HopState, nowMs: number): number {
  const { standing } = state;
  switch (standing.kind) {
    case 'running':
      return state.unreachablePauses > 0 ? 1 : state.concurrency;
    case 'paused':
      if (standing.untilMs > nowMs) return 0;
      return standing.cause === 'throttled' || standing.cause === 'day' ? state.concurrency : 1;
    case 'held':
      return standing.probeAtMs !== undefined && standing.probeAtMs <= nowMs ? 1 : 0;
  }
}

/** When a hop that waits may be tried again (monotonic); undefined where nobody knows, or it does not wait. */
export function waitsUntilMs({ standing }: HopState): number | undefined {
  switch (standing.kind) {
    case 'running':
      return undefined;
    case 'paused':
      return standing.untilMs;
    case 'held':
      return standing.probeAtMs;
  }
}

/** After something went through. */
export function afterSuccess(state: HopState, connections: number, times: AttemptTimes): HopState {
  const { standing } = state;
  if (times.epoch !== state.epoch) return state;
  if (standing.kind === 'held' && standing.by === 'administrator') return state;
  const isChanged = standing.kind !== 'running';
  const successes = state.successesInARow + 1;
  const isStep = successes >= SUCCESSES_PER_STEP && state.concurrency < connections;
  return {
    standing: isChanged ? { kind: 'running' } : standing,
    concurrency: Math.min(connections, state.concurrency + (isStep ? 1 : 0)),
    epoch: state.epoch + (isChanged ? 1 : 0),
    unreachablePauses: 0,
    throttledPauses: 0,
    successesInARow: isStep ? 0 : successes,
  };
}

/** After an attempt that the hop itself got in the way of. */
export function afterTrouble(state: HopState, trouble: HopTrouble, times: AttemptTimes): HopState {
  const { standing } = state;
  if (times.epoch !== state.epoch && severity(trouble.kind) <= severityOf(standing)) return state;
  if (standing.kind === 'held') return stillHeld(state, standing, trouble, times);
  const fresh = { ...state, epoch: state.epoch + 1, successesInARow: 0 };
  const pause = (cause: 'unreachable' | 'throttled' | 'quota', waitMs: number): Standing => ({
    kind: 'paused',
    cause,
    reason: trouble.reason,
    advice: 'advice' in trouble ? trouble.advice : undefined,
    untilMs: times.endedMs + waitMs,
  });
  switch (trouble.kind) {
    case 'unreachable': {
      const waitMs = grown(state.unreachablePauses, UNREACHABLE_PAUSE_LIMIT_MS);
      const unreachablePauses = state.unreachablePauses + 1;
      return { ...fresh, unreachablePauses, standing: pause('unreachable', waitMs) };
    }
    case 'throttled': {
      const asked = Math.min(trouble.retryAfterMs ?? 0, RETRY_AFTER_LIMIT_MS);
      const waitMs = asked > 0 ? asked : grown(state.throttledPauses, THROTTLED_PAUSE_LIMIT_MS);
      const concurrency = Math.max(1, Math.floor(state.concurrency / 2));
      const throttledPauses = state.throttledPauses + 1;
      return { ...fresh, concurrency, throttledPauses, standing: pause('throttled', waitMs) };
    }
    case 'quota':
      return { ...fresh, standing: pause('quota', QUOTA_PAUSE_MS) };
    case 'misconfigured':
      return { ...fresh, standing: heldForTrouble(trouble, times) };
  }
}

/** After an attempt that says nothing of the hop, because its message never got there. */
export function afterNothing(state: HopState, times: AttemptTimes): HopState {
  const { standing } = state;
  if (standing.kind !== 'held' || standing.by !== 'trouble' || times.epoch !== state.epoch) return state;
  return { ...state, standing: { ...standing, probeAtMs: times.endedMs + PROBE_PERIOD_MS } };
}

/** Until the day is over, because its recipients are used up. */
export function afterDayUsed(state: HopState, waitMs: number, limit: number, nowMs: number): HopState {
  if (state.standing.kind === 'held') return state;
  const reason = `the day's ${limit} recipients are used up`;
  const advice = 'what waits goes on tomorrow, or at once when a higher recipientsPerDay is in force';
  const untilMs = nowMs + waitMs;
  return {
    ...state,
    epoch: state.epoch + 1,
    standing: { kind: 'paused', cause: 'day', reason, advice, untilMs },
  };
}

/** As the store says: an administrator, or the trouble of an earlier run, holds the hop; undefined: nobody does. */
export function afterHoldSaid(
  state: HopState,
  hold:
    | { readonly by: 'administrator' | 'trouble'; readonly reason: string; readonly since: UnixMs }
    | undefined,
  nowMs: number,
): HopState {
  const { standing } = state;
  if (hold === undefined) {
    return standing.kind === 'held'
      ? { ...state, epoch: state.epoch + 1, standing: { kind: 'running' } }
      : state;
  }
  if (standing.kind === 'held' && standing.by === hold.by) return state;
  const probeAtMs = hold.by === 'trouble' ? nowMs : undefined;
  return { ...state, epoch: state.epoch + 1, standing: { kind: 'held', ...hold, probeAtMs } };
}

/** Everything forgotten but who holds it: the hop is tried at once, with as many transactions as configured. */
export function afterChange({ standing, epoch }: HopState, connections: number, nowMs: number): HopState {
  const fresh = { ...freshHop(connections), epoch: epoch + 1 };
  if (standing.kind !== 'held') return fresh;
  const probeAtMs = standing.by === 'trouble' ? nowMs : undefined;
  return { ...fresh, standing: { ...standing, probeAtMs } };
}

function stillHeld(
  state: HopState,
  standing: Standing & { readonly kind: 'held' },
  trouble: HopTrouble,
  times: AttemptTimes,
): HopState {
  if (standing.by === 'administrator') return state;
  const probeAtMs = times.endedMs + PROBE_PERIOD_MS;
  const told = trouble.kind === 'misconfigured' ? heldForTrouble(trouble, times) : standing;
  return { ...state, epoch: state.epoch + 1, standing: { ...told, since: standing.since, probeAtMs } };
}

function heldForTrouble({ reason, advice }: HopReason, { endedMs, endedAt }: AttemptTimes) {
  const probeAtMs = endedMs + PROBE_PERIOD_MS;
  return { kind: 'held', by: 'trouble', reason, advice, since: endedAt, probeAtMs } as const;
}

function grown(pauses: number, limitMs: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(pauses, 20), limitMs);
}

function severity(kind: HopTrouble['kind']): number {
  return ['unreachable', 'throttled', 'quota', 'misconfigured'].indexOf(kind);
}

function severityOf(standing: Standing): number {
  switch (standing.kind) {
    case 'running':
      return -1;
    case 'paused':
      return standing.cause === 'day' ? severity('quota') : severity(standing.cause);
    case 'held':
      return severity('misconfigured');
  }
}
