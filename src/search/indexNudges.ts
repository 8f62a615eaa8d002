/**
 * Tells when the index should look for new contents: once after the start, after changes when the store has been quiet for a
 * moment (a burst of mail is taken in first), and now and then for what was deleted.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { ChangeFeed, Unsubscribe } from '../store/contract/feed.ts';
import { INDEX_QUIET_MS, INDEX_REST_MS, INDEX_WAIT_LIMIT_MS, SWEEP_PERIOD_MS } from './limits.ts';

/** The index's ear at the change feed, until `end`. */
export class IndexNudges {
  readonly #clock: Clock;
  readonly #nudge: () => void;
  readonly #unsubscribe: Unsubscribe;
  readonly #sweeping: Timer;
  #timer: Timer | undefined;
  #resting: Timer | undefined;
  #firstMs = 0;
  #lastMs = 0;

  constructor(feed: ChangeFeed, clock: Clock, nudge: () => void) {
    this.#clock = clock;
    this.#nudge = nudge;
    this.#unsubscribe = feed.subscribe((change) => {
      if (change.kind === 'mailbox') this.#noteChange();
    });
    this.#sweeping = clock.every(SWEEP_PERIOD_MS, () => this.#tell());
    this.#noteChange();
  }

  /** The thread died, maybe of what it indexed: the index is left alone for a while. */
  rest(): void {
    this.#resting?.clear();
    this.#resting = this.#clock.after(INDEX_REST_MS, () => {
      this.#resting = undefined;
      this.#nudge();
    });
  }

  end(): void {
    this.#resting?.clear();
    this.#unsubscribe();
    this.#sweeping.clear();
    this.#timer?.clear();
  }

  #noteChange(): void {
    this.#lastMs = this.#clock.monotonic();
    if (this.#timer !== undefined) return;
    this.#firstMs = this.#lastMs;
    this.#wait();
  }

  #wait(): void {
    this.#timer = this.#clock.after(INDEX_QUIET_MS, () => {
      const now = this.#clock.monotonic();
      const isQuiet = now - this.#lastMs >= INDEX_QUIET_MS;
      if (!isQuiet && now - this.#firstMs < INDEX_WAIT_LIMIT_MS) return this.#wait();
      this.#timer = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    if (this.#resting === undefined) this.#nudge();
  }
}
