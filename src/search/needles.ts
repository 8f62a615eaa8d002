/**
 * Looks for texts in a text that comes in pieces, in time that grows with both lengths and never with their product.
 *
 * The engine's own search is quick for short needles, but takes length times length where needle and text are repetitions of
 * one letter, without a way to interrupt it. So what is longer than SHORT_NEEDLE_CHARS is looked for by Knuth, Morris and
 * Pratt's automaton, which also needs nothing of the pieces before.
 */

import type { TextSink } from './messageText.ts';

/** Above, the automaton: what a short one can cost at worst is this many times the text. */
const SHORT_NEEDLE_CHARS = 32;

/** Whether `text` holds `needle`. */
export function holds(text: string, needle: string): boolean {
  return needle.length <= SHORT_NEEDLE_CHARS ? text.includes(needle) : new LongNeedle(needle).isFoundIn(text);
}

/** Looks for some texts at once, in one text after another. */
export class NeedleSearch implements TextSink {
  /** Those found so far. */
  readonly found: Set<string>;
  readonly #needles: readonly string[];
  readonly #short: readonly string[];
  readonly #long: readonly LongNeedle[];
  readonly #overlap: number;
  #tail = '';

  constructor(needles: readonly string[]) {
    this.#needles = [...new Set(needles)];
    this.found = new Set(this.#needles.filter((needle) => needle === ''));
    this.#short = this.#needles.filter((needle) => needle !== '' && needle.length <= SHORT_NEEDLE_CHARS);
    this.#long = this.#needles
      .filter((needle) => needle.length > SHORT_NEEDLE_CHARS)
      .map((needle) => new LongNeedle(needle));
    this.#overlap = Math.max(0, ...this.#short.map((needle) => needle.length - 1));
  }

  get isDone(): boolean {
    return this.found.size === this.#needles.length;
  }

  begin(): void {
    this.#tail = '';
    for (const needle of this.#long) needle.begin();
  }

  add(piece: string): void {
    const border = this.#tail === '' ? '' : this.#tail + piece.slice(0, this.#overlap);
    for (const needle of this.#short) {
      if (!this.found.has(needle) && (piece.includes(needle) || border.includes(needle))) {
        this.found.add(needle);
      }
    }
    this.#keepTail(piece);
    for (const needle of this.#long) {
      if (!this.found.has(needle.text) && needle.isFoundIn(piece)) this.found.add(needle.text);
    }
  }

  #keepTail(piece: string): void {
    if (this.#overlap === 0) return;
    this.#tail = (this.#tail + piece.slice(-this.#overlap)).slice(-this.#overlap);
  }
}

/** A needle's automaton: how many of its characters are matched. */
class LongNeedle {
  readonly text: string;
  /** For each length that is matched, the next shorter one that may be. */
  readonly #shorter: Int32Array;
  #matched = 0;

  constructor(text: string) {
    this.text = text;
    this.#shorter = new Int32Array(text.length + 1);
    for (let at = 1, length = 0; at < text.length; at += 1) {
      length = this.#step(length, text.charCodeAt(at));
      this.#shorter[at + 1] = length;
    }
  }

  begin(): void {
    this.#matched = 0;
  }

  isFoundIn(piece: string): boolean {
    let matched = this.#matched;
    for (let at = 0; at < piece.length && matched < this.text.length; at += 1) {
      matched = this.#step(matched, piece.charCodeAt(at));
    }
    this.#matched = matched;
    return matched === this.text.length;
  }

  #step(matched: number, code: number): number {
    let length = matched;
    while (length > 0 && this.text.charCodeAt(length) !== code) length = this.#shorter[length] as number;
    return this.text.charCodeAt(length) === code ? length + 1 : 0;
  }
}
