/**
 * A message between the parser, which pushes what arrives, and transfer, which iterates at the store's pace.
 *
 * Small pieces are joined into blocks, so that a client that sends octet by octet costs no more memory than another one. When
 * BODY_WINDOW_OCTETS wait, the parser is held back, and with it the client (back-pressure). When nobody wants the rest, it is
 * dropped as it comes, so that the client hears its reply.
 * Invariant: iteration ends normally only at the end of the data; every other end throws, so half a message is never stored.
 */

import type { Clock } from '../../base/clock.ts';
import type { MailError } from '../../base/error.ts';
import { KIB } from '../../base/units.ts';
import { BODY_WINDOW_OCTETS } from '../limits.ts';

/** Blocks are put together up to this size, as much as a socket hands over at once. */
const BLOCK_OCTETS = 64 * KIB;
/** Pieces smaller than this are copied into a block while they wait: each would cost some 100 octets beside its own. */
const SMALL_PIECE_OCTETS = 4 * KIB;

/** The octets of one message, for one reader. */
export class MessageBody implements AsyncIterable<Buffer> {
  readonly #clock: Clock;
  readonly #dropLimitOctets: number;
  #waiting: Buffer[] = [];
  #waitingOctets = 0;
  /** Room left in the last waiting block, when it is one of ours. */
  #spare = 0;
  #received = 0;
  #dropped = 0;
  #hasEnded = false;
  #isOver = false;
  #isUnwanted = false;
  #failure: MailError | undefined;
  #heldSinceMs: number | undefined;
  #heldMs = 0;
  #wakeReader: (() => void) | undefined;
  #resumeParser: (() => void) | undefined;
  readonly #over = Promise.withResolvers<void>();

  /** After `dropLimitOctets` that nobody wanted the body is over, ended or not. */
  constructor(clock: Clock, dropLimitOctets: number) {
    this.#clock = clock;
    this.#dropLimitOctets = dropLimitOctets;
  }

  /** Octets of the message that have arrived. */
  get received(): number {
    return this.#received;
  }

  /** Whether the end of the data has come. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether the reader gets a failure. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Resolves when the data has ended, or will not end, or so much of it was dropped that it need not. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Milliseconds in which we kept the client waiting. */
  get heldMs(): number {
    const sinceMs = this.#heldSinceMs;
    return this.#heldMs + (sinceMs === undefined ? 0 : this.#clock.monotonic() - sinceMs);
  }

  /** Takes octets, which become the body's. */
  push(octets: Buffer): void {
    this.#received += octets.length;
    if (this.#isUnwanted) {
      this.#drop(octets);
      return;
    }
    this.#waitingOctets += octets.length;
    if (this.#waiting.length === 0 || octets.length >= SMALL_PIECE_OCTETS) {
      this.#waiting.push(octets);
      this.#spare = 0;
    } else this.#gather(octets);
    this.#wakeReader?.();
  }

  /** Calls `resume` at once, or when there is room again. */
  whenRoom(resume: () => void): void {
    if (this.#waitingOctets < BODY_WINDOW_OCTETS) {
      resume();
      return;
    }
    this.#heldSinceMs = this.#clock.monotonic();
    this.#resumeParser = resume;
  }

  /** The data has ended. */
  end(): void {
    this.#hasEnded = true;
    this.#finish();
  }

  /** The data will not end: the reader gets `failure` in place of what it has not read yet. */
  fail(failure: MailError): void {
    if (this.#isOver) return;
    this.#failure = failure;
    this.#finish();
    this.discard();
  }

  /** Drops what waits and what is still to come. */
  discard(): void {
    this.#isUnwanted = true;
    this.#waiting = [];
    this.#waitingOctets = 0;
    this.#spare = 0;
    this.#letOn();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#waiting.length > 0) yield this.#take();
        else if (this.#isOver) return;
        else await this.#arrival();
      }
    } finally {
      this.discard();
    }
  }

  /** Appends to the last block where it has room, else begins one. */
  #gather(octets: Buffer): void {
    const last = this.#waiting.at(-1);
    if (last !== undefined && this.#spare >= octets.length) {
      octets.copy(Buffer.from(last.buffer, last.byteOffset + last.length, octets.length));
      this.#waiting[this.#waiting.length - 1] = Buffer.from(
        last.buffer,
        last.byteOffset,
        last.length + octets.length,
      );
      this.#spare -= octets.length;
      return;
    }
    const block = Buffer.allocUnsafeSlow(BLOCK_OCTETS);
    octets.copy(block);
    this.#waiting.push(block.subarray(0, octets.length));
    this.#spare = BLOCK_OCTETS - octets.length;
  }

  #take(): Buffer {
    const block = this.#waiting.shift() as Buffer;
    this.#waitingOctets -= block.length;
    if (this.#waitingOctets < BODY_WINDOW_OCTETS) this.#letOn();
    return block;
  }

  #drop(octets: Buffer): void {
    this.#dropped += octets.length;
    if (this.#dropped > this.#dropLimitOctets) this.#finish();
  }

  #finish(): void {
    this.#isOver = true;
    this.#over.resolve();
    this.#wakeReader?.();
  }

  #letOn(): void {
    const resume = this.#resumeParser;
    if (resume === undefined) return;
    this.#heldMs = this.heldMs;
    this.#heldSinceMs = undefined;
    this.#resumeParser = undefined;
    // Not within the reader's call: the parser may push, end and answer.
    setImmediate(resume);
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeReader = () => {
        this.#wakeReader = undefined;
        resolve();
      };
    });
  }
}
