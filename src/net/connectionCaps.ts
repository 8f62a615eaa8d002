/**
 * Caps on open connections: how many in all, and how many from one remote address.
 *
 * A cap answers floods and clients that forget to close (facts: smtp-server 1,335 connects/s from one peer); it is no ban.
 * IPv6 is counted by /64 (addressGroup). Each listener is handed one ConnectionCaps; listeners that are handed the same
 * one share it. Every admission is released exactly once, when its socket closes.
 */

import { addressGroup } from './addressRange.ts';

/** The caps. Both count open connections; 0 admits none. */
export interface ConnectionLimits {
  readonly total: number;
  readonly perAddress: number;
  /** Addresses that only `total` binds: an application server or a NAT gateway with many clients behind it. */
  readonly isExempt?: (address: string) => boolean;
}

/** The answer to a new connection. */
export type Admission =
  | { readonly kind: 'admitted'; readonly release: () => void }
  | { readonly kind: 'refused'; readonly cap: 'total' | 'perAddress' };

/** Counters of open connections under their caps. */
export class ConnectionCaps {
  #limits: ConnectionLimits;
  #total = 0;
  readonly #byGroup = new Map<string, number>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Connections that are open now. */
  get total(): number {
    return this.#total;
  }

  /** Connections that are open now from `address` (its /64 with IPv6). */
  countOf(address: string): number {
    return this.#byGroup.get(addressGroup(address)) ?? 0;
  }

  /** Counts a new connection from `address`, or says which cap is reached. `release` may be called more than once. */
  admit(address: string): Admission {
    if (this.#total >= this.#limits.total) return { kind: 'refused', cap: 'total' };
    const group = addressGroup(address);
    const count = this.#byGroup.get(group) ?? 0;
    if (count >= this.#limits.perAddress && !this.#limits.isExempt?.(address)) {
      return { kind: 'refused', cap: 'perAddress' };
    }
    this.#total += 1;
    this.#byGroup.set(group, count + 1);
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      this.#release(group);
    };
    return { kind: 'admitted', release };
  }

  /** Sets other limits; connections that are open stay open. */
  setLimits(limits: ConnectionLimits): void {
    this.#limits = limits;
  }

  #release(group: string): void {
    this.#total -= 1;
    const count = (this.#byGroup.get(group) ?? 0) - 1;
    if (count > 0) this.#byGroup.set(group, count);
    else this.#byGroup.delete(group);
  }
}
