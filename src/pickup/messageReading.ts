/**
 * Reads a decoded file as a message: its header first, then, behind the header that it is to have instead, the rest as it comes.
 *
 * The door only hears of an error that it is one; what it was stands in `error`.
 */

import { createDotUnstuffer } from '../wire/pickup/dots.ts';

const BLANK_LINE = Buffer.from('\r\n\r\n');

/** One reading of a file. */
export class MessageReading {
  readonly #blocks: AsyncGenerator<Buffer, void>;
  readonly #signal: AbortSignal;
  /** What was read behind the header. */
  #rest: Buffer = Buffer.alloc(0);
  /** What ended the reading. */
  error: unknown;

  /** `signal` ends it between two blocks. */
  constructor(blocks: AsyncGenerator<Buffer, void>, signal: AbortSignal) {
    this.#blocks = blocks;
    this.#signal = signal;
  }

  /**
   * The header with the blank line behind it, or all there is where no blank line comes. One that is longer than `limitOctets` is not
   * whole, and not read on. Errors: those of the blocks.
   */
  async readHeader(limitOctets: number): Promise<{ readonly header: Buffer; readonly isWhole: boolean }> {
    let read: Buffer = Buffer.alloc(0);
    for (;;) {
      const end = headerEnd(read);
      if ((end ?? read.length) > limitOctets)
        return { header: read.subarray(0, limitOctets), isWhole: false };
      if (end !== undefined) {
        this.#rest = read.subarray(end);
        return { header: read.subarray(0, end), isWhole: true };
      }
      const { value, done } = await this.#blocks.next();
      if (done === true) return { header: read, isWhole: true };
      read = Buffer.concat([read, value]);
    }
  }

  /**
   * The message: `header`, then what is behind the one that was read. `check` has the last word. May be read once. Errors: those of
   * the blocks and of `check`, the signal's reason.
   */
  async *message(
    header: Buffer,
    isStuffed: boolean,
    check: () => Promise<void>,
  ): AsyncGenerator<Buffer, void> {
    try {
      yield header;
      yield* isStuffed ? unstuffed(this.#body()) : this.#body();
      await check();
    } catch (error) {
      this.error = error;
      throw error;
    } finally {
      await this.#blocks.return();
    }
  }

  async *#body(): AsyncGenerator<Buffer, void> {
    yield this.#rest;
    for await (const block of this.#blocks) {
      this.#signal.throwIfAborted();
      yield block;
    }
  }
}

/** Where the header ends, its blank line among it. */
function headerEnd(octets: Buffer): number | undefined {
  if (octets.subarray(0, 2).equals(BLANK_LINE.subarray(2))) return 2;
  const at = octets.indexOf(BLANK_LINE);
  return at === -1 ? undefined : at + BLANK_LINE.length;
}

async function* unstuffed(blocks: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  const unstuffer = createDotUnstuffer();
  for await (const block of blocks) yield unstuffer.push(block);
  yield unstuffer.end();
}
