/**
 * What a directory has taken since the server started: kept while its rules change.
 *
 * The last minute is measured on the monotonic clock.
 */

import type { UnixMs } from '../base/clock.ts';
import { MINUTE_MS, SECOND_MS } from '../base/units.ts';

/** Counts of one directory. */
export class Tally {
  #taken = 0;
  #lastFile: { readonly name: string; readonly at: UnixMs } | undefined;
  /** By seconds of the monotonic clock, those of the last minute. */
  readonly #seconds = new Map<number, number>();

  get taken(): number {
    return this.#taken;
  }

  get lastFile(): { readonly name: string; readonly at: UnixMs } | undefined {
    return this.#lastFile;
  }

  /** A message was accepted. */
  count(name: string, at: UnixMs, nowMs: number): void {
    this.#taken += 1;
    this.#lastFile = { name, at };
    const second = Math.floor(nowMs / SECOND_MS);
    this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + 1);
    this.#forgetBefore(second);
  }

  /** How many within the last minute. */
  lastMinute(nowMs: number): number {
    this.#forgetBefore(Math.floor(nowMs / SECOND_MS));
    return [...this.#seconds.values()].reduce((sum, count) => sum + count, 0);
  }

  #forgetBefore(second: number): void {
    for (const each of this.#seconds.keys()) {
      if (each > second - MINUTE_MS / SECOND_MS) return;
      this.#seconds.delete(each);
    }
  }
}
