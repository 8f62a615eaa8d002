/**
 * How fast and how much goes to one hop: messages a minute by a token bucket on the monotonic clock, recipients a day by what the
 * store has counted.
 *
 * No minute, wherever it begins, has more transactions than `messagesPerMinute`. The day is the server's; its use comes from the
 * store, so that a restart does not begin it anew, and what is under way counts as used until its end is known.
 */

import { MINUTE_MS } from '../base/units.ts';

/** Of a minute's messages so many may leave at once: an application that sends a few has no wait. */
const BURST_SHARE = 10;
/** A share of the day's recipients at which an administrator is told. */
const NEARLY_USED_SHARE = 0.8;

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
