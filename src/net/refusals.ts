/**
 * How a listener lets go of connections that get no place, or lose theirs: with a line of the protocol where that is cheap.
 *
 * Trust: whoever is refused may stay and talk; bounded by REFUSED_LIMIT and REFUSED_LINGER_MS.
 */

import type { Socket } from 'node:net';

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { SECOND_MS } from '../base/units.ts';
import { destroySocket, hasTls } from './tlsUpgrade.ts';

/** Refused sockets that may be lingering over their goodbye; beyond these a connection is just closed. */
export const REFUSED_LIMIT = 100;
/** How long a refused client may take to read the goodbye. */
export const REFUSED_LINGER_MS = 2 * SECOND_MS;

/** Why a connection is refused: a cap, or `barring`. One that is evicted hears the first, too. */
export type RefusalReason = 'tooBusy' | 'barred';

/** What refusals are made with. */
interface RefusalOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Writes one protocol line; undefined where connections are just closed. */
  readonly say: ((socket: Socket, why: RefusalReason) => void) | undefined;
  /** The last one that lingered is closed. */
  readonly onNoneLeft: () => void;
}

/** The refusals of one listener. */
export class Refusals {
  readonly #options: RefusalOptions;
  readonly #lingering = new Set<Socket>();

  constructor(options: RefusalOptions) {
    this.#options = options;
  }

  /** Refused sockets that are still open. */
  get lingering(): number {
    return this.#lingering.size;
  }

  /** Says why and closes, for a socket of which nothing has been read. */
  refuse(socket: Socket, why: RefusalReason): void {
    const { say, clock, onNoneLeft } = this.#options;
    if (say === undefined || this.#lingering.size >= REFUSED_LIMIT) {
      socket.destroy();
      return;
    }
    this.#lingering.add(socket);
    const linger = clock.after(REFUSED_LINGER_MS, () => socket.destroy());
    socket.once('close', () => {
      linger.clear();
      this.#lingering.delete(socket);
      onNoneLeft();
    });
    if (!this.#said(socket, why, say)) return;
    socket.end();
    // Input is read and dropped: a socket closed with unread input resets, and a reset overtakes the goodbye.
    socket.resume();
  }

  /** Closes a connection whose place another one gets; says so where the line cannot get between two others, or below TLS. */
  evict(socket: Socket): void {
    const { say } = this.#options;
    if (say === undefined || hasTls(socket) || socket.writableLength > 0) destroySocket(socket);
    else if (this.#said(socket, 'tooBusy', say)) socket.destroySoon();
  }

  /** Closes all that linger. */
  close(): void {
    for (const socket of this.#lingering) socket.destroy();
  }

  #said(socket: Socket, why: RefusalReason, say: (socket: Socket, why: RefusalReason) => void): boolean {
    try {
      say(socket, why);
      return true;
    } catch (error) {
      this.#options.log.error('net.connection.failed', { error });
      socket.destroy();
      return false;
    }
  }
}
