/**
 * How fast messages may go, by a token bucket on the monotonic clock: to one next hop, or out of one directory.
 *
 * No minute, wherever it begins, has more messages than `messagesPerMinute`.
 */

import { MINUTE_MS } from './units.ts';

/** Of a minute's messages so many may leave at once: an application that sends a few has no wait. */
const BURST_SHARE = 10;
/** Messages a minute. */
export class MessageRate {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #countedMs: number;

  /** `messagesPerMinute`: 0 is no limit. `nowMs` is monotonic, here and below. */
  constructor(messagesPerMinute: number, nowMs: number) {
    const burst = Math.max(1, Math.floor(messagesPerMinute / BURST_SHARE));
    this.#burst = messagesPerMinute === 0 ? Number.POSITIVE_INFINITY : burst;
    // Burst and refill of 60 seconds together are one minute's messages: the last one would come when the minute is over.
    this.#perMs = (messagesPerMinute - burst + 1) / MINUTE_MS;
    this.#tokens = this.#burst;
    this.#countedMs = nowMs;
  }

  /** How long it is until a message may leave; 0: now. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs);
  }

  /** Counts a message that leaves. */
  take(nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= 1;
  }

  #refill(nowMs: number): void {
    if (this.#burst === Number.POSITIVE_INFINITY) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#countedMs) * this.#perMs);
    this.#countedMs = nowMs;
  }
}
