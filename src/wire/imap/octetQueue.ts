/**
 * Octets that have arrived and are not taken yet, for framing.ts: lines, fixed counts, or whatever is there.
 *
 * A chunk that arrives while nothing waits is kept as it is, without copying. What arrives while something waits is put
 * behind it in a buffer that doubles, so that a line which comes octet by octet costs no more than twice its length.
 * What was taken is a view and is never overwritten.
 */

const LF = 0x0a;
const CR = 0x0d;
const FIRST_CAPACITY = 512; // a usual command line in pieces

/** A line without its line end, or why there is none: not arrived yet, or longer than allowed. */
export type LineOutcome = Buffer | 'incomplete' | 'tooLong';

/** A first-in first-out queue of octets. */
export class OctetQueue {
  readonly #toleratesBareLf: boolean;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Whether #buffer is ours, so that octets after #end may be written. */
  #isOwn = false;
  /** Octets after #start that are known to hold no line end. */
  #scanned = 0;

  /** With `toleratesBareLf`, LF alone ends a line too. */
  constructor(toleratesBareLf: boolean) {
    this.#toleratesBareLf = toleratesBareLf;
  }

  /** Octets waiting. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Adds `chunk`, which from now on belongs to the queue and must not be changed. */
  push(chunk: Buffer): void {
    if (this.length === 0) {
      this.#reset(chunk, chunk.length, false);
      return;
    }
    const room = this.#isOwn ? this.#buffer.length - this.#end : 0;
    if (room < chunk.length) this.#grow(chunk.length);
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /** Takes the next line if it is whole and has at most `limit` octets. A line that is too long stays in the queue. */
  takeLine(limit: number): LineOutcome {
    const lineEnd = this.#findLineEnd();
    if (lineEnd === undefined) {
      // One more octet than the limit may be the CR of a line end whose LF has not arrived.
      const tooLong = this.length > limit + 1 || (this.length > limit && this.#buffer[this.#end - 1] !== CR);
      return tooLong ? 'tooLong' : 'incomplete';
    }
    const hasCr = lineEnd > this.#start && this.#buffer[lineEnd - 1] === CR;
    const contentEnd = hasCr ? lineEnd - 1 : lineEnd;
    if (contentEnd - this.#start > limit) return 'tooLong';
    const line = this.#buffer.subarray(this.#start, contentEnd);
    this.#advance(lineEnd + 1 - this.#start);
    return line;
  }

  /** Takes up to `limit` octets, at least one if any waits. */
  takeSome(limit: number): Buffer {
    const some = this.#buffer.subarray(this.#start, this.#start + Math.min(limit, this.length));
    this.#advance(some.length);
    return some;
  }

  /** The first octets that wait, at most `limit`, left in the queue. */
  peek(limit: number): Buffer {
    return this.#buffer.subarray(this.#start, this.#start + Math.min(limit, this.length));
  }

  /**
   * Takes and forgets octets up to and including the next line end, or all that wait but a last CR, whose LF may follow.
   * `tail` is the last of what this call took, at most `tailLimit` octets, without the line end.
   */
  dropLine(tailLimit: number): { readonly isWhole: boolean; readonly tail: Buffer } {
    const lineEnd = this.#findLineEnd();
    const end = lineEnd ?? this.#end;
    const hasCr = end > this.#start && this.#buffer[end - 1] === CR;
    const contentEnd = hasCr ? end - 1 : end;
    const tail = this.#buffer.subarray(Math.max(this.#start, contentEnd - tailLimit), contentEnd);
    this.#advance((lineEnd === undefined ? contentEnd : lineEnd + 1) - this.#start);
    return { isWhole: lineEnd !== undefined, tail };
  }

  /** Forgets all octets and answers how many there were. */
  clear(): number {
    const dropped = this.length;
    this.#reset(Buffer.alloc(0), 0, false);
    return dropped;
  }

  /** Index of the next line end's LF in #buffer. */
  #findLineEnd(): number | undefined {
    const waiting = this.#buffer.subarray(this.#start, this.#end);
    for (;;) {
      const index = waiting.indexOf(LF, this.#scanned);
      if (index === -1) {
        this.#scanned = waiting.length;
        return undefined;
      }
      if (this.#toleratesBareLf || waiting[index - 1] === CR) return this.#start + index;
      this.#scanned = index + 1;
    }
  }

  #advance(count: number): void {
    this.#start += count;
    this.#scanned = 0;
  }

  #grow(more: number): void {
    const waiting = this.#buffer.subarray(this.#start, this.#end);
    const buffer = Buffer.allocUnsafe(Math.max(FIRST_CAPACITY, 2 * (waiting.length + more)));
    waiting.copy(buffer);
    const scanned = this.#scanned;
    this.#reset(buffer, waiting.length, true);
    this.#scanned = scanned;
  }

  #reset(buffer: Buffer, end: number, isOwn: boolean): void {
    this.#buffer = buffer;
    this.#start = 0;
    this.#end = end;
    this.#isOwn = isOwn;
    this.#scanned = 0;
  }
}
