/**
 * Caps on open connections with fair shares: how many in all, how many from one remote address, and who makes room when a
 * listener is full.
 *
 * A full listener does not turn newcomers away while one address holds more than its share: of the address with the most
 * connections that have shown nothing yet (no login, no accepted message) the slowest is evicted. So shares even out, an
 * address that comes for the first time always gets in, and whoever has logged in is never evicted. It is Postfix's "half the
 * process limit per client" and its stress mode in one, without shorter time-outs for everybody.
 * IPv6 is counted by /64 (addressGroup). Each listener is handed one ConnectionCaps; listeners that are handed the same
 * one share it. Every admission is released exactly once, when its socket closes.
 */

import { SECOND_MS } from '../base/units.ts';
import { addressGroup } from './addressRange.ts';
import { ConnectionRates, RATED_ADDRESSES_LIMIT } from './connectionRates.ts';

/** The caps. Both count open connections; 0 admits none. */
export interface ConnectionLimits {
  readonly total: number;
  readonly perAddress: number;
  /** New connections of one address within a minute; no bound unless given. */
  readonly perMinute?: number;
  /** Addresses that only `total` binds, and that are never evicted: an application server, or a NAT gateway with many clients behind it. */
  readonly isExempt?: (address: string) => boolean;
}

/** What a cap must know of a connection, and do with it. */
export interface Occupant {
  /** Octets that it has sent so far. */
  readonly received: number;
  /** Closes it: its place goes to another one. */
  evict(): void;
}

/** A counted connection. */
export interface Place {
  /** The connection has shown what it is for and is not evicted before `untilMs` (monotonic), or ever where that is Infinity. */
  keep(untilMs: number): void;
  /** The connection is closed; may be called more than once. */
  release(): void;
}

/** The answer to a new connection. */
export type Admission =
  | { readonly kind: 'admitted'; readonly place: Place }
  | { readonly kind: 'refused'; readonly cap: 'total' | 'perAddress' | 'perMinute' };

/** Connections that are compared for an eviction, the oldest ones; a flood must not cost a look at all of them each time. */
export const EVICTION_CANDIDATE_LIMIT = 32;
/**
 * How long an address that lost its only connection to another one is no newcomer, and is refused while the listener is full: a
 * flood from thousands of addresses would else evict itself in circles, each time at the cost of a session.
 */
export const EVICTED_REST_MS = 10 * SECOND_MS;
/** Octets that a newcomer is credited with, so that it is not taken for a slow one before it could say anything. */
export const NEWCOMER_CREDIT_OCTETS = 512;
/** At its own cap an address replaces only connections that are as old as this ... */
export const STALE_AGE_MS = 10 * SECOND_MS;
/** ... and have sent no more than this per second: forgotten ones and dribblers, no message that is under way. */
export const STALE_OCTETS_PER_SECOND = 100;

/** The connections of one address. */
interface Group {
  open: number;
  /** Those that may be evicted, the oldest first. */
  readonly unproven: Set<Occupied>;
}

/** Open connections under their caps. */
export class ConnectionCaps {
  #limits: ConnectionLimits;
  #total = 0;
  readonly #groups = new Map<string, Group>();
  /** Groups by how many connections of theirs may be evicted. */
  readonly #byUnproven = new Map<number, Set<Group>>();
  #mostUnproven = 0;
  /** Places that are kept for a time, the one that was kept first in front. */
  readonly #keptForATime = new Set<Occupied>();
  readonly #rates = new ConnectionRates();
  /** When addresses were evicted, the first one in front. */
  readonly #evictedAtMs = new Map<string, number>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Connections that are open now. */
  get total(): number {
    return this.#total;
  }

  /** Connections that are open now from `address` (its /64 with IPv6). */
  countOf(address: string): number {
    return this.#groups.get(addressGroup(address))?.open ?? 0;
  }

  /** Counts a new connection from `address`, which may cost another one its place, or says which cap is reached. */
  admit(address: string, occupant: Occupant, nowMs: number): Admission {
    const { total, perAddress, perMinute, isExempt } = this.#limits;
    const key = addressGroup(address);
    const group: Group = this.#groups.get(key) ?? { open: 0, unproven: new Set() };
    const isBound = isExempt?.(address) !== true;
    if (total <= 0) return { kind: 'refused', cap: 'total' };
    if (isBound && perMinute !== undefined && !this.#rates.take(key, perMinute, nowMs))
      return { kind: 'refused', cap: 'perMinute' };
    this.#endKeeping(nowMs);
    if (isBound && group.open >= perAddress) {
      const stale = this.#stale(group, nowMs);
      if (stale === undefined) return { kind: 'refused', cap: 'perAddress' };
      stale.evict();
    } else if (this.#total >= total) {
      const leaving = this.#whoMakesRoom(key, group, isBound, nowMs);
      if (leaving === undefined) return { kind: 'refused', cap: 'total' };
      leaving.evict();
    }
    return { kind: 'admitted', place: this.#take(key, group, occupant, isBound, nowMs) };
  }

  /** Sets other limits; connections that are open stay open. */
  setLimits(limits: ConnectionLimits): void {
    this.#limits = limits;
  }

  #take(key: string, group: Group, occupant: Occupant, isBound: boolean, nowMs: number): Place {
    this.#total += 1;
    group.open += 1;
    this.#groups.set(key, group);
    const occupied = new Occupied(key, occupant, nowMs, {
      setProven: (isProven) => {
        if (isBound) this.#count(group, occupied, isProven ? 'delete' : 'add');
      },
      keep: (untilMs) => {
        this.#keptForATime.delete(occupied);
        if (untilMs < Number.POSITIVE_INFINITY) this.#keptForATime.add(occupied);
      },
      release: () => {
        this.#keptForATime.delete(occupied);
        this.#count(group, occupied, 'delete');
        this.#total -= 1;
        group.open -= 1;
        if (group.open === 0) this.#groups.delete(key);
      },
    });
    if (isBound) this.#count(group, occupied, 'add');
    return occupied;
  }

  /** Moves `occupied` into or out of those that may be evicted, and its group to where it belongs then. */
  #count(group: Group, occupied: Occupied, change: 'add' | 'delete'): void {
    const { unproven } = group;
    if (unproven.has(occupied) === (change === 'add')) return;
    const before = this.#byUnproven.get(unproven.size);
    before?.delete(group);
    if (before?.size === 0) this.#byUnproven.delete(unproven.size);
    unproven[change](occupied);
    if (unproven.size > 0) {
      const groups = this.#byUnproven.get(unproven.size) ?? new Set();
      this.#byUnproven.set(unproven.size, groups.add(group));
    }
    this.#mostUnproven = Math.max(this.#mostUnproven, unproven.size);
    while (this.#mostUnproven > 0 && !this.#byUnproven.has(this.#mostUnproven)) this.#mostUnproven -= 1;
  }

  #endKeeping(nowMs: number): void {
    for (const occupied of this.#keptForATime) {
      if (occupied.keptUntilMs > nowMs) return;
      this.#keptForATime.delete(occupied);
      occupied.doubt();
    }
  }

  /** Of the address with the most the slowest; none where the newcomer's address, which has `own`, has not less than its share. */
  #slowestOfMost(own: number, nowMs: number): Occupied | undefined {
    const most = this.#mostUnproven;
    if (own > 0 && most <= own + 1) return undefined;
    let slowest: Occupied | undefined;
    let slowestPace = Number.POSITIVE_INFINITY;
    let candidates = 0;
    for (const { unproven } of this.#byUnproven.get(most) ?? []) {
      for (const occupied of unproven) {
        const pace = occupied.pace(nowMs);
        if (pace < slowestPace) [slowest, slowestPace] = [occupied, pace];
        candidates += 1;
        if (candidates >= EVICTION_CANDIDATE_LIMIT) return slowest;
      }
    }
    return slowest;
  }

  #whoMakesRoom(key: string, group: Group, isBound: boolean, nowMs: number): Occupied | undefined {
    if (group.open === 0 && this.#hasToRest(key, nowMs)) return undefined;
    const victim = this.#slowestOfMost(isBound ? group.unproven.size : 0, nowMs);
    if (victim === undefined) return this.#stale(group, nowMs);
    this.#noteEvicted(victim.key, nowMs);
    return victim;
  }

  #hasToRest(key: string, nowMs: number): boolean {
    const evictedMs = this.#evictedAtMs.get(key);
    return evictedMs !== undefined && nowMs - evictedMs < EVICTED_REST_MS;
  }

  #noteEvicted(key: string, nowMs: number): void {
    this.#evictedAtMs.delete(key);
    this.#evictedAtMs.set(key, nowMs);
    for (const [first, evictedMs] of this.#evictedAtMs) {
      if (nowMs - evictedMs < EVICTED_REST_MS && this.#evictedAtMs.size <= RATED_ADDRESSES_LIMIT) return;
      this.#evictedAtMs.delete(first);
    }
  }

  #stale({ unproven }: Group, nowMs: number): Occupied | undefined {
    let candidates = 0;
    for (const occupied of unproven) {
      if (occupied.isStale(nowMs)) return occupied;
      candidates += 1;
      if (candidates >= EVICTION_CANDIDATE_LIMIT) return undefined;
    }
    return undefined;
  }
}

/** What a place tells the caps. */
interface PlaceChanges {
  setProven(isProven: boolean): void;
  keep(untilMs: number): void;
  release(): void;
}

/** An occupied place. */
class Occupied implements Place {
  /** The address that it is counted for. */
  readonly key: string;
  readonly #occupant: Occupant;
  readonly #sinceMs: number;
  readonly #changes: PlaceChanges;
  #keptUntilMs = Number.NEGATIVE_INFINITY;
  #isReleased = false;

  constructor(key: string, occupant: Occupant, sinceMs: number, changes: PlaceChanges) {
    this.key = key;
    this.#occupant = occupant;
    this.#sinceMs = sinceMs;
    this.#changes = changes;
  }

  get keptUntilMs(): number {
    return this.#keptUntilMs;
  }

  keep(untilMs: number): void {
    if (this.#isReleased || untilMs <= this.#keptUntilMs) return;
    this.#keptUntilMs = untilMs;
    this.#changes.keep(untilMs);
    this.#changes.setProven(true);
  }

  /** The time for which it was kept is over. */
  doubt(): void {
    if (!this.#isReleased) this.#changes.setProven(false);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#changes.release();
  }

  evict(): void {
    this.release();
    this.#occupant.evict();
  }

  /** Octets per second, with a newcomer's credit. */
  pace(nowMs: number): number {
    const seconds = (nowMs - this.#sinceMs) / SECOND_MS;
    return (this.#occupant.received + NEWCOMER_CREDIT_OCTETS) / (seconds + 1);
  }

  isStale(nowMs: number): boolean {
    const ageMs = nowMs - this.#sinceMs;
    if (ageMs < STALE_AGE_MS) return false;
    return this.#occupant.received <= (STALE_OCTETS_PER_SECOND * ageMs) / SECOND_MS;
  }
}
