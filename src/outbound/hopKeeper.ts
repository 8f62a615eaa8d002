/**
 * Keeps how one hop stands: learns from attempts, tells log and status of changes, and has holds in the store, where they outlive a
 * restart and where an administrator sets and lifts them.
 *
 * The scheduler calls `keep` in each of its turns, so that reading and writing a hold never cross. An administrator's word counts
 * more than what was learned: the store keeps it, and it is read behind each writing.
 */

import { type Clock, type UnixMs, unixMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { NextHop } from '../store/contract/queue.ts';
import type { HopHold, QueueWork } from '../store/contract/queueWork.ts';
import type { AttemptEnd } from './attempt.ts';
import type { HopStanding } from './contract.ts';
import {
  afterChange,
  afterDayUsed,
  afterHoldSaid,
  afterNothing,
  afterSuccess,
  afterTrouble,
  freshHop,
  type HopReason,
  type HopState,
  type Standing,
  transactionLimit,
  waitsUntilMs,
} from './hopState.ts';

/** What a keeper needs. */
export interface HopKeeperOptions {
  readonly nextHop: NextHop;
  readonly queue: Pick<QueueWork, 'heldHops' | 'holdHopForTrouble'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A hold that the store has to learn of. */
interface UnsavedHold {
  readonly hold: Pick<HopHold, 'reason' | 'since'> | undefined;
}

/** The standing of a hop. */
export class HopKeeper {
  readonly #options: HopKeeperOptions;
  #connections: number;
  #state: HopState;
  #unsaved: UnsavedHold | undefined;
  #mustRead = true;

  constructor(options: HopKeeperOptions, connections: number) {
    this.#options = options;
    this.#connections = connections;
    this.#state = freshHop(connections);
  }

  /** Transactions that there may be now; 0 while the hop waits. */
  get limit(): number {
    return transactionLimit(this.#state, this.#options.clock.monotonic());
  }

  /** Transactions that there may be when it does not wait. */
  get concurrency(): number {
    return this.#state.concurrency;
  }

  /** Until when it waits (monotonic); undefined where nobody knows. */
  get waitsUntilMs(): number | undefined {
    return waitsUntilMs(this.#state);
  }

  /** What an attempt that begins now has to be known by at its end. */
  get epoch(): number {
    return this.#state.epoch;
  }

  /** After an attempt that began in `epoch`. */
  learn({ trouble, isAnswered, endedAt }: AttemptEnd, epoch: number): void {
    const times = { epoch, endedMs: this.#options.clock.monotonic(), endedAt };
    if (trouble !== undefined) this.#learned(afterTrouble(this.#state, trouble, times));
    else if (isAnswered) this.#learned(afterSuccess(this.#state, this.#connections, times));
    else this.#learned(afterNothing(this.#state, times));
  }

  /** Nothing more goes today. */
  dayUsed(waitMs: number, limit: number): void {
    this.#become(afterDayUsed(this.#state, waitMs, limit, this.#options.clock.monotonic()));
  }

  /** Everything is tried at once, with so many transactions at a time. */
  change(connections: number): void {
    this.#connections = connections;
    this.#become(afterChange(this.#state, connections, this.#options.clock.monotonic()));
  }

  /** The store may have another hold. */
  holdMayHaveChanged(): void {
    this.#mustRead = true;
  }

  /** Brings the store's hold and this one together. Errors: the store's. */
  async keep(): Promise<void> {
    const { queue, nextHop, clock } = this.#options;
    while (this.#unsaved !== undefined || this.#mustRead) {
      const unsaved = this.#unsaved;
      this.#mustRead = false;
      if (unsaved !== undefined) await queue.holdHopForTrouble(nextHop, unsaved.hold);
      const holds = await queue.heldHops();
      const stored = holds.find(
        (hold) => hold.nextHop.kind === nextHop.kind && hold.nextHop.name === nextHop.name,
      );
      if (this.#unsaved !== unsaved) continue;
      this.#unsaved = undefined;
      if (unsaved === undefined || stored?.by === 'administrator')
        this.#become(afterHoldSaid(this.#state, stored, clock.monotonic()));
    }
  }

  /** For an administrator. */
  standing(): HopStanding {
    const { standing } = this.#state;
    switch (standing.kind) {
      case 'running':
        return standing;
      case 'paused': {
        const { cause, reason, advice, untilMs } = standing;
        const until = this.#calendar(untilMs);
        // A pause that is over lasts until somebody tries.
        return until <= this.#options.clock.now()
          ? { kind: 'running' }
          : { kind: 'paused', cause, reason, advice, until };
      }
      case 'held': {
        const { by, reason, advice, since, probeAtMs } = standing;
        const probeAt = probeAtMs === undefined ? undefined : this.#calendar(probeAtMs);
        return { kind: 'held', by, reason, advice, since, probeAt };
      }
    }
  }

  /** What an administrator should read now. */
  alarm(): string | undefined {
    const { standing } = this.#state;
    const { kind, name } = this.#options.nextHop;
    if (standing.kind === 'held' && standing.by === 'trouble')
      return `${kind} ${name} is held: ${sentence(standing)}`;
    if (standing.kind === 'paused' && standing.cause === 'quota')
      return `${kind} ${name} takes nothing for a while: ${sentence(standing)}`;
    return undefined;
  }

  /** What an attempt has taught is for the store too, where it is a hold or the end of one. */
  #learned(state: HopState): void {
    const before = this.#state.standing;
    this.#become(state);
    const { standing } = state;
    if (standing.kind === 'held' && standing.by === 'trouble') {
      if (before.kind === 'held' && before.reason === standing.reason) return;
      this.#unsaved = { hold: { since: standing.since, reason: sentence(standing) } };
    } else if (before.kind === 'held' && standing.kind === 'running') this.#unsaved = { hold: undefined };
  }

  #become(state: HopState): void {
    const before = this.#state.standing;
    this.#state = state;
    if (state.standing !== before) this.#tell(before, state.standing);
  }

  #tell(before: Standing, standing: Standing): void {
    const { log, nextHop, clock } = this.#options;
    const named = { [nextHop.kind]: nextHop.name };
    switch (standing.kind) {
      case 'running':
        if (before.kind !== 'running') log.info('outbound.relay.running', named);
        return;
      case 'paused': {
        const seconds = Math.round((standing.untilMs - clock.monotonic()) / 1000);
        const { cause, reason, advice } = standing;
        log.warn('outbound.relay.paused', { ...named, cause, reason, advice, seconds });
        return;
      }
      case 'held':
        if (before.kind === 'held' && before.reason === standing.reason) return;
        if (standing.by === 'trouble')
          log.error('outbound.relay.held', { ...named, reason: standing.reason, advice: standing.advice });
        else log.info('outbound.relay.held', { ...named, by: standing.by, reason: standing.reason });
    }
  }

  #calendar(monotonicMs: number): UnixMs {
    const { clock } = this.#options;
    return unixMs(clock.now() + monotonicMs - clock.monotonic());
  }
}

function sentence({ reason, advice }: HopReason): string {
  return advice === undefined ? reason : `${reason}; ${advice}`;
}
