/**
 * What is remembered of failed logins, with a limit on how many, and the mildest forgotten first.
 *
 * An attacker who floods the memory with fresh names to be forgotten himself has to fail with each of them as often as he has
 * with the one that he wants washed: of those with the fewest failures the oldest goes, and never the one that was just put.
 * Called by loginThrottle.ts.
 */

/** What is ranked: the more failures, the longer it is kept. */
export interface Ranked {
  readonly failures: number;
}

/** Records by key, at most so many. */
export class FailureMemory<Value extends Ranked> {
  readonly #limit: number;
  readonly #byKey = new Map<string, Value>();
  /** Keys by their number of failures, the oldest first. */
  readonly #ranks = new Map<number, Set<string>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Records that are remembered. */
  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Value | undefined {
    return this.#byKey.get(key);
  }

  /** Every key with its record. Whoever deletes meanwhile deletes what he was just given. */
  entries(): Iterable<[string, Value]> {
    return this.#byKey.entries();
  }

  /** Remembers `value` in place of what was there; forgets another where that is one too many. */
  put(key: string, value: Value): void {
    this.delete(key);
    this.#byKey.set(key, value);
    const rank = this.#ranks.get(value.failures);
    if (rank === undefined) this.#ranks.set(value.failures, new Set([key]));
    else rank.add(key);
    if (this.#byKey.size > this.#limit) this.#forgetMildest(key);
  }

  delete(key: string): void {
    const value = this.#byKey.get(key);
    if (value === undefined) return;
    this.#byKey.delete(key);
    const rank = this.#ranks.get(value.failures);
    rank?.delete(key);
    if (rank?.size === 0) this.#ranks.delete(value.failures);
  }

  #forgetMildest(spared: string): void {
    for (const failures of [...this.#ranks.keys()].sort((one, other) => one - other)) {
      for (const key of this.#ranks.get(failures) ?? []) {
        if (key === spared) continue;
        this.delete(key);
        return;
      }
    }
  }
}
