/**
 * How much room the disk has, and the reserve below which nothing is taken in: a disk that is full to the last octet can not
 * even take the expunge that would make room.
 */

import { statfs } from 'node:fs/promises';

import type { Clock } from '../../base/clock.ts';
import { MailError } from '../../base/error.ts';
import { FREE_SPACE_AGE_MS } from './limits.ts';

/** Looks at the free space of one directory's disk. */
export class FreeSpace {
  readonly #directory: string;
  readonly #reserveOctets: number;
  readonly #clock: Clock;
  #octets = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(directory: string, reserveOctets: number, clock: Clock) {
    this.#directory = directory;
    this.#reserveOctets = reserveOctets;
    this.#clock = clock;
  }

  /** Octets kept free. */
  get reserveOctets(): number {
    return this.#reserveOctets;
  }

  /** Free octets now. Errors: what statfs rejects with. */
  async look(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#directory);
    this.#octets = bavail * bsize;
    this.#lookedAt = this.#clock.monotonic();
    return this.#octets;
  }

  /** Refuses to take mail in when there is too little room (by a look at most a second old). Errors: `diskFull`. */
  async require(): Promise<void> {
    const age = this.#clock.monotonic() - this.#lookedAt;
    if (age >= FREE_SPACE_AGE_MS) await this.look();
    if (this.#octets < this.#reserveOctets)
      throw new MailError('diskFull', `the disk of ${this.#directory} has ${this.#octets} octets left`);
  }
}
