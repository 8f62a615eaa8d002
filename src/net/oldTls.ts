/**
 * Who still speaks TLS 1.0 or 1.1 (RFC 8996), told to the log once a day for each address, so that an administrator can find
 * the programs that a listener with the legacy TLS profile is kept for, and see the day on which it can go.
 *
 * Trust: addresses of peers; those that are remembered are bounded by ADDRESSES_LIMIT.
 */

import type { TLSSocket } from 'node:tls';

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { DAY_MS } from '../base/units.ts';

/** An address is told again after this time. */
export const OLD_TLS_PERIOD_MS = DAY_MS;
/** Addresses that are remembered: more than old programs have, and some 1 MB; the oldest is forgotten then, and told again. */
export const ADDRESSES_LIMIT = 10_000;

const OLD_VERSIONS: readonly (string | null)[] = ['TLSv1', 'TLSv1.1'];

/** The addresses of one listener. */
export class OldTlsClients {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #toldMs = new Map<string, number>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks at what `socket` has agreed on. */
  note(socket: TLSSocket, remoteAddress: string): void {
    const version = socket.getProtocol();
    if (!OLD_VERSIONS.includes(version)) return;
    const nowMs = this.#clock.monotonic();
    if (nowMs - (this.#toldMs.get(remoteAddress) ?? Number.NEGATIVE_INFINITY) < OLD_TLS_PERIOD_MS) return;
    this.#toldMs.delete(remoteAddress);
    const [oldest] = this.#toldMs.keys();
    if (oldest !== undefined && this.#toldMs.size >= ADDRESSES_LIMIT) this.#toldMs.delete(oldest);
    this.#toldMs.set(remoteAddress, nowMs);
    this.#log.warn('net.tls.old', { remoteAddress, version, cipher: socket.getCipher()?.standardName });
  }
}
