/**
 * The sessions of one relay: hosts in order of preference, with failover, and connections kept for the next message for a moment.
 *
 * A connection is reused while it is idle for a short time, young, and has carried few messages (limits.ts). A host that could not
 * be reached stands behind the others for a while, so that not every message waits for it.
 */

import type { Timer } from '../../base/clock.ts';
import type { HopTrouble } from '../../transfer/relay.ts';
import type { HopAddress } from './connectSocket.ts';
import type { HopConnection } from './hopConnection.ts';
import {
  CONNECTION_AGE_MS,
  HOST_REST_MS,
  IDLE_CONNECTION_MS,
  MESSAGES_PER_CONNECTION,
  PROVEN_MS,
} from './limits.ts';
import { openSession, type SessionOptions } from './openSession.ts';

/** A session that was taken from the pool. */
export type TakenSession =
  | { readonly kind: 'open'; readonly connection: HopConnection; readonly isReused: boolean }
  | { readonly kind: 'failed'; readonly trouble: HopTrouble };

/** Opens and keeps sessions. Its owner calls close(). */
export class SessionPool {
  readonly #hosts: readonly HopAddress[];
  readonly #options: SessionOptions;
  readonly #idle: { readonly connection: HopConnection; readonly timer: Timer; forget(): void }[] = [];
  readonly #restUntilMs = new Map<HopAddress, number>();
  #provenUntilMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(hosts: readonly HopAddress[], options: SessionOptions) {
    this.#hosts = hosts;
    this.#options = options;
  }

  /** Whether a message was taken lately, so that the relay is set up well for some mail at least. */
  get isProven(): boolean {
    return this.#options.clock.monotonic() < this.#provenUntilMs;
  }

  /** A message was taken. */
  prove(): void {
    this.#provenUntilMs = this.#options.clock.monotonic() + PROVEN_MS;
  }

  /** An idle session, or a new one. `isFresh` leaves idle ones alone. Never rejects. */
  async take(signal: AbortSignal, isFresh = false): Promise<TakenSession> {
    if (!isFresh) {
      const connection = this.#takeIdle();
      if (connection !== undefined) return { kind: 'open', connection, isReused: true };
    }
    return this.#open(signal);
  }

  /** Takes a session back, for the next message or to be closed. */
  giveBack(connection: HopConnection): void {
    const ageMs = this.#options.clock.monotonic() - connection.openedAtMs;
    const isWorn = connection.messages >= MESSAGES_PER_CONNECTION || ageMs >= CONNECTION_AGE_MS;
    if (connection.lost !== undefined) return;
    if (isWorn || this.#isClosed) {
      void connection.quit();
      return;
    }
    const drop = () => {
      this.#idle.splice(this.#idle.indexOf(entry), 1);
      entry.timer.clear();
      entry.forget();
    };
    const entry = {
      connection,
      timer: this.#options.clock.after(IDLE_CONNECTION_MS, () => {
        drop();
        void connection.quit();
      }),
      forget: connection.onceLost(drop),
    };
    this.#idle.push(entry);
  }

  /** Ends idle sessions. */
  async closeIdle(): Promise<void> {
    const connections: HopConnection[] = [];
    for (let next = this.#takeIdle(); next !== undefined; next = this.#takeIdle()) connections.push(next);
    await Promise.all(connections.map((connection) => connection.quit()));
  }

  /** Ends idle sessions; those that are given back later end then. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.closeIdle();
  }

  #takeIdle(): HopConnection | undefined {
    const entry = this.#idle.pop();
    entry?.timer.clear();
    entry?.forget();
    return entry?.connection;
  }

  async #open(signal: AbortSignal): Promise<TakenSession> {
    const troubles: HopTrouble[] = [];
    for (const address of this.#inOrder()) {
      const result = await openSession(address, this.#options, signal);
      if (result.kind === 'open') {
        this.#restUntilMs.delete(address);
        return { kind: 'open', connection: result.connection, isReused: false };
      }
      troubles.push(result.trouble);
      if (result.isFinal || signal.aborted) break;
      this.#restUntilMs.set(address, this.#options.clock.monotonic() + HOST_REST_MS);
      if (this.#hosts.length > 1)
        this.#options.log.warn('outbound.host.failed', { host: address.host, reason: result.trouble.reason });
    }
    return { kind: 'failed', trouble: together(troubles) };
  }

  /** Hosts that were not reached lately come last. */
  #inOrder(): readonly HopAddress[] {
    const now = this.#options.clock.monotonic();
    const isResting = (address: HopAddress) => (this.#restUntilMs.get(address) ?? now) > now;
    return [
      ...this.#hosts.filter((address) => !isResting(address)),
      ...this.#hosts.filter((address) => isResting(address)),
    ];
  }
}

/** The trouble of all hosts as one: what passes by itself counts before what somebody must mend. */
function together(troubles: readonly HopTrouble[]): HopTrouble {
  const order = ['throttled', 'unreachable', 'quota', 'misconfigured'];
  const [first, ...others] = troubles.toSorted(
    (one, two) => order.indexOf(one.kind) - order.indexOf(two.kind),
  );
  if (first === undefined) return { kind: 'unreachable', reason: 'the relay has no host' };
  const reason = [first, ...others].map((trouble) => trouble.reason).join('; ');
  return { ...first, reason };
}
