/**
 * The input of a connection, pulled: what the socket has received waits there until the session asks.
 *
 * Nothing is read ahead beyond the socket's own buffer (64 KiB, Node's high-water mark), so a session that does not ask holds
 * its peer back by TCP's window. An idle connection keeps no buffer at all. Socket errors are no errors here: input ends.
 * Private to connection.ts.
 * Trust: octets and timing of the peer; bounded by RECEIVED_LIMIT_BYTES and the deadline of each wait.
 */

import type { Readable } from 'node:stream';

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { KIB } from '../base/units.ts';

/** Input that may lie received and unconsumed; receive() asks for no more beyond it. The socket's own buffer comes on top. */
export const RECEIVED_LIMIT_BYTES = 64 * KIB;

/** How long to wait for input: milliseconds, or that with a signal that ends the wait and loses nothing. */
export type Wait = number | { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined };

/** Input of one connection; `attach` may give it another socket, or what stands for it, later (STARTTLS, compression). */
export class OctetReader {
  readonly #clock: Clock;
  #socket: Readable | undefined;
  #received: Buffer = NOTHING;
  #hasEnded = false;
  #failure: MailError | undefined;
  #isDiscarding = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether nothing will come any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Reads from `socket` from now on. */
  attach(socket: Readable): void {
    this.#socket = socket;
    socket.on('readable', this.#onReadable);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
  }

  /** Takes nothing from its socket any more, until another is attached. That it closes is still heard: it ends the input. */
  detach(): void {
    this.#socket?.off('readable', this.#onReadable);
    this.#socket?.off('end', this.#onEnd);
    this.#socket = undefined;
  }

  /** Ends the input with an error, which whoever reads is told. */
  fail(error: MailError): void {
    this.#failure ??= error;
    this.#onEnd();
  }

  /** Forgets what has been received, in the socket's buffer too. */
  discard(): void {
    this.#received = NOTHING;
    while (this.#socket !== undefined && this.#socket.read() !== null);
  }

  /** Forgets what has been received and what comes from now on, up to the end. */
  discardAll(): void {
    this.#isDiscarding = true;
    this.discard();
  }

  /** See Connection.peek. */
  peek(): Buffer {
    this.#pull();
    return this.#received;
  }

  /** See Connection.consume. */
  consume(count: number): void {
    this.#received = count >= this.#received.length ? NOTHING : this.#received.subarray(count);
  }

  /** See Connection.receive. */
  async receive(wait: Wait): Promise<boolean> {
    if (this.#received.length >= RECEIVED_LIMIT_BYTES)
      throw new MailError('limit', 'the input is not consumed');
    if (this.#wake !== undefined)
      throw new MailError('internal', 'two waits for the input of one connection');
    if (this.#pull()) return true;
    this.#received = compacted(this.#received);
    const { deadlineMs, signal } = typeof wait === 'number' ? { deadlineMs: wait, signal: undefined } : wait;
    const untilMs = this.#clock.monotonic() + deadlineMs;
    while (!this.#hasEnded) {
      await this.#inputOrEnd(untilMs, signal);
      if (this.#pull()) return true;
    }
    if (this.#failure !== undefined) throw this.#failure;
    return false;
  }

  /** See Connection.read. */
  async read(wait: Wait): Promise<Buffer | undefined> {
    if (this.peek().length === 0 && !(await this.receive(wait))) return undefined;
    const octets = this.#received;
    this.#received = NOTHING;
    return octets;
  }

  readonly #onReadable = (): void => {
    if (this.#isDiscarding) this.discard();
    else this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#wake?.();
  };

  /** Takes what the socket has; whether that was anything. */
  #pull(): boolean {
    if (this.#received.length >= RECEIVED_LIMIT_BYTES) return false;
    const chunk: Buffer | null = this.#socket?.read() ?? null;
    if (chunk === null) return false;
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    return true;
  }

  /** Resolves when there may be input, or its end; the caller looks. */
  #inputOrEnd(untilMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void): void => {
        this.#wake = undefined;
        deadline.clear();
        signal?.removeEventListener('abort', onAbort);
        settled();
      };
      const onAbort = () => settle(() => reject(signal?.reason));
      const onDeadline = () =>
        settle(() => reject(new MailError('deadlineExceeded', 'the client sent nothing in time')));
      const deadline = this.#clock.after(Math.max(0, untilMs - this.#clock.monotonic()), onDeadline);
      signal?.addEventListener('abort', onAbort);
      this.#wake = () => settle(resolve);
    });
  }
}

const NOTHING = Buffer.alloc(0);

/** `rest` in memory of its own when it keeps a far larger chunk alive: a peer that sends 64 KiB and half a line would pin it. */
function compacted(rest: Buffer): Buffer {
  if (rest.length === 0) return NOTHING;
  if (rest.length * 2 >= rest.buffer.byteLength) return rest;
  const copy = Buffer.allocUnsafeSlow(rest.length);
  rest.copy(copy);
  return copy;
}
