/**
 * Cuts a stream of octets into lines for a transcript, whatever pieces they come in. A line is kept up to a limit; of the rest
 * only the count and the very end are known (the end may announce a literal).
 *
 * Trust: whoever sends may send a line that never ends; SHOWN_LIMIT_OCTETS bounds what is kept of it.
 */

/** Octets of a line that are shown; a command or a status line is far shorter, a list of 100,000 UIDs is not. */
export const SHOWN_LIMIT_OCTETS = 1000;
/** Octets of a longer line's end that are kept: any announcement of a literal. */
const TAIL_OCTETS = 32;
const LF = 0x0a;
const CR = 0x0d;

/** A line without its line end. */
export interface CutLine {
  /** The whole line, or its first SHOWN_LIMIT_OCTETS. */
  readonly head: Buffer;
  /** Its end, as far as it is kept. */
  readonly tail: Buffer;
  /** Octets that are not in `head`. */
  readonly cutOctets: number;
}

/** Cuts one direction of a session. */
export class LineCutter {
  #head: Buffer = NOTHING;
  #tail: Buffer = NOTHING;
  #count = 0;

  /** The lines that `octets` end. */
  *lines(octets: Buffer): Generator<CutLine> {
    for (let at = 0; at < octets.length; ) {
      const { line, next } = this.take(octets, at);
      at = next;
      if (line !== undefined) yield line;
    }
  }

  /** Takes `octets` from `start` up to a line's end; `next` is where the following line begins. */
  take(octets: Buffer, start: number): { readonly line: CutLine | undefined; readonly next: number } {
    const end = octets.indexOf(LF, start);
    this.#add(octets.subarray(start, end < 0 ? octets.length : end));
    if (end < 0) return { line: undefined, next: octets.length };
    const line = this.#finish();
    this.#head = NOTHING;
    this.#tail = NOTHING;
    this.#count = 0;
    return { line, next: end + 1 };
  }

  #add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#count += piece.length;
    const room = SHOWN_LIMIT_OCTETS + 1 - this.#head.length;
    if (room > 0) this.#head = Buffer.concat([this.#head, piece.subarray(0, room)]);
    this.#tail = Buffer.concat([this.#tail, piece.subarray(-TAIL_OCTETS)]).subarray(-TAIL_OCTETS);
  }

  #finish(): CutLine {
    const isCrlf = this.#tail.at(-1) === CR;
    const octets = this.#count - (isCrlf ? 1 : 0);
    const head = this.#head.subarray(0, Math.min(octets, SHOWN_LIMIT_OCTETS));
    const tail = isCrlf ? this.#tail.subarray(0, -1) : this.#tail;
    return { head, tail, cutOctets: octets - head.length };
  }
}

const NOTHING = Buffer.alloc(0);
