/**
 * How often an address may connect: a bucket of one minute's connections for each, which fills again evenly.
 *
 * It answers who opens and closes connections without end, which caps on open ones do not see. What is full again is
 * forgotten, so that memory is bounded by the addresses that came within the last minute, and by ADDRESSES_LIMIT.
 */

import { MINUTE_MS } from '../base/units.ts';

/** Addresses that are remembered; beyond it the one that came first is forgotten, and may begin anew. Some 2 MB. */
export const RATED_ADDRESSES_LIMIT = 20_000;

/** What an address has left. */
interface Bucket {
  left: number;
  atMs: number;
}

/** Connections of addresses within a minute. */
export class ConnectionRates {
  /** In the order in which they were touched, the one that was not touched for longest in front. */
  readonly #buckets = new Map<string, Bucket>();

  /** Addresses that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one connection of `key`; false where it has none left. One that is refused costs nothing. */
  take(key: string, perMinute: number, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? { left: perMinute, atMs: nowMs };
    const refilled = ((nowMs - bucket.atMs) / MINUTE_MS) * perMinute;
    bucket.left = Math.min(perMinute, bucket.left + refilled);
    bucket.atMs = nowMs;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#forget(nowMs);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  /** Drops those that were not touched for a minute, for they are full again, and the first beyond the limit. */
  #forget(nowMs: number): void {
    for (const [key, { atMs }] of this.#buckets) {
      if (nowMs - atMs < MINUTE_MS && this.#buckets.size <= RATED_ADDRESSES_LIMIT) return;
      this.#buckets.delete(key);
    }
  }
}
