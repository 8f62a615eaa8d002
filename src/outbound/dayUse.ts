/**
 * How much goes to one hop in a day, by what the store has counted.
 *
 * The day is the server's; its use comes from the store, so that a restart does not begin it anew, and what is under way counts as
 * used until its end is known.
 */

/** A share of the day's recipients at which an administrator is told. */
const NEARLY_USED_SHARE = 0.8;

/** How much of a day's recipients is used: what an administrator is told of. */
export type DayLevel = 'free' | 'nearlyUsed' | 'used';

/** Recipients of one day. */
export class DayUse {
  readonly day: number;
  #relayed: number;
  #underWay = 0;
  #refused = false;

  /** `relayed`: what the store has counted for the day. */
  constructor(day: number, relayed: number) {
    this.day = day;
    this.#relayed = relayed;
  }

  /** Recipients that the hop has taken. */
  get relayed(): number {
    return this.#relayed;
  }

  /** Whether `recipients` more may be tried; what is refused once makes the day used up. `limit`: 0 is none. */
  mayTry(recipients: number, limit: number): boolean {
    if (limit === 0 || this.#relayed + this.#underWay + recipients <= limit) return true;
    // What is under way may fail yet and leave room.
    this.#refused = this.#underWay === 0;
    return false;
  }

  /** Another limit is in force. */
  reopen(): void {
    this.#refused = false;
  }

  /** Counts recipients whose attempt begins. */
  begin(recipients: number): void {
    this.#underWay += recipients;
  }

  /** Counts recipients whose attempt is over. */
  end(recipients: number, relayed: number): void {
    this.#underWay -= recipients;
    this.#relayed += relayed;
  }

  /** How far the day's limit is used. */
  level(limit: number): DayLevel {
    if (limit === 0) return 'free';
    if (this.#refused || this.#relayed >= limit) return 'used';
    return this.#relayed >= limit * NEARLY_USED_SHARE ? 'nearlyUsed' : 'free';
  }
}
