/**
 * Whether a drop directory holds as many files as it may: nobody fetches them then, and more would only make it worse.
 *
 * The files are counted now and then, and what we write ourselves is added; the directory counts as full only by a fresh count, so that
 * a reader who has come is noticed at once.
 */

import type { Clock } from '../../base/clock.ts';
import { namesIn } from './directory.ts';
import { isMessage } from './dropFile.ts';
import { COUNT_AGE_MS } from './limits.ts';

/** How full a directory is. */
export class Occupancy {
  readonly #directory: string;
  readonly #fileLimit: number;
  readonly #clock: Clock;
  #files = 0;
  #countedMs = Number.NEGATIVE_INFINITY;

  /** `fileLimit` 0: never full. */
  constructor(directory: string, fileLimit: number, clock: Clock) {
    this.#directory = directory;
    this.#fileLimit = fileLimit;
    this.#clock = clock;
  }

  /** Whether there is no place for another file. Errors: the system's. */
  async isFull(): Promise<boolean> {
    if (this.#fileLimit === 0) return false;
    const isOld = this.#clock.monotonic() - this.#countedMs > COUNT_AGE_MS;
    if (isOld || this.#files >= this.#fileLimit) await this.#count();
    return this.#files >= this.#fileLimit;
  }

  /** Another file is there. */
  add(): void {
    this.#files += 1;
  }

  async #count(): Promise<void> {
    let files = 0;
    for await (const name of namesIn(this.#directory)) {
      if (isMessage(name)) files += 1;
      if (files >= this.#fileLimit) break;
    }
    this.#files = files;
    this.#countedMs = this.#clock.monotonic();
  }
}
