/**
 * The output of a connection: gathered by write(), sent by flush() in one writev.
 *
 * Socket writes were 28 to 59 % of the main thread's time in the measured sketches, so the replies of a pipelined batch are
 * gathered and leave together (facts: performance, RFC 2449 section 6.6). Private to connection.ts.
 * Trust: how fast the peer reads. A reader that takes nothing for WRITE_DEADLINE_MS, or less than
 * SLOWEST_READER_BYTES_PER_SECOND of what is in flight, is cut off.
 */

import type { Writable } from 'node:stream';

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { KIB, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import type { SessionTap } from './sessionTap.ts';

/** Gathered output from which a session flushes before it gathers more: what one writev moves well. */
export const FLUSH_MARK_BYTES = 64 * KIB;
/** How long a reader may take nothing at all before it is cut off. */
export const WRITE_DEADLINE_MS = MINUTE_MS;
/** The slowest reader that is borne; a modem is three times as fast. 256 KiB in flight may thus take five minutes. */
export const SLOWEST_READER_BYTES_PER_SECOND = KIB;

/** Output of one connection; `attach` may give it another socket, or what stands for it, later (STARTTLS, compression). */
export class OctetWriter {
  readonly #clock: Clock;
  readonly #tap: SessionTap | undefined;
  readonly #cutOff: () => void;
  #socket: Writable;
  #gathered: (string | Uint8Array)[] = [];
  #gatheredBytes = 0;
  #waiters: (() => void)[] = [];

  /** `tap` hears each piece as it is handed to the socket, `cutOff` is called when the reader is too slow. */
  constructor(socket: Writable, clock: Clock, tap: SessionTap | undefined, cutOff: () => void) {
    this.#clock = clock;
    this.#tap = tap;
    this.#cutOff = cutOff;
    this.#socket = socket;
    this.attach(socket);
  }

  /** Writes to `socket` from now on. */
  attach(socket: Writable): void {
    this.#socket = socket;
    socket.on('drain', this.#wakeAll);
    socket.on('finish', this.#wakeAll);
    socket.on('close', this.#wakeAll);
  }

  /** Hears its socket no more, until another is attached. */
  detach(): void {
    this.#socket.off('drain', this.#wakeAll);
    this.#socket.off('finish', this.#wakeAll);
    this.#socket.off('close', this.#wakeAll);
  }

  /** See Connection.isFlushDue. */
  get isFlushDue(): boolean {
    return this.#gatheredBytes >= FLUSH_MARK_BYTES;
  }

  /** See Connection.write. */
  write(data: string | Uint8Array): void {
    if (data.length === 0) return;
    const last = this.#gathered.length - 1;
    const previous = this.#gathered[last];
    if (typeof data === 'string' && typeof previous === 'string') this.#gathered[last] = previous + data;
    else this.#gathered.push(data);
    this.#gatheredBytes += data.length;
  }

  /** See Connection.flush. */
  async flush(): Promise<void> {
    this.#send();
    while (this.#socket.writableNeedDrain) await this.#progress();
  }

  /** Flushes, closes the sending side and resolves when the system has taken everything. Rejects as flush() does. */
  async finish(): Promise<void> {
    this.#send();
    this.#socket.end();
    while (!this.#socket.writableFinished) await this.#progress();
  }

  readonly #wakeAll = (): void => {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  };

  #send(): void {
    const pieces = this.#gathered;
    const socket = this.#socket;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (!socket.writable) throw new MailError('connectionLost');
    if (pieces.length === 0) return;
    if (this.#tap !== undefined) for (const piece of pieces) this.#tap.sent(piece);
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
  }

  /** Resolves when the socket has drained or finished; rejects when it is closed or the reader too slow. */
  #progress(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return Promise.reject(new MailError('connectionLost'));
    const inFlight = socket.writableLength;
    const deadlineMs = WRITE_DEADLINE_MS + (inFlight / SLOWEST_READER_BYTES_PER_SECOND) * SECOND_MS;
    return new Promise((resolve, reject) => {
      const deadline = this.#clock.after(deadlineMs, () => {
        reject(new MailError('deadlineExceeded', `the client left ${inFlight} octets unread`));
        this.#cutOff();
      });
      this.#waiters.push(() => {
        deadline.clear();
        if (socket.destroyed) reject(new MailError('connectionLost'));
        else resolve();
      });
    });
  }
}
