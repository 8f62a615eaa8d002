/**
 * Reads the argument of a command from left to right, by sticky patterns; what does not fit is a WireError at its octet.
 *
 * RFC 5321 section 4.1.2 with RFC 6531 section 3.3: a command is UTF-8, of which most commands are ASCII.
 * Trust: any octets, as many as the line limit of the caller lets through. Each pattern is linear.
 */

import { WireError } from '../../base/error.ts';

/** Text that people cannot see or that turns the writing around: never part of an address (smtp-server refuses some of them, too). */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/u;

/** A command line that is being read. */
export class ArgumentReader {
  readonly #text: string;
  #at = 0;

  /** Takes a command line without its line end. Throws WireError unless it is UTF-8 without hidden characters. */
  constructor(line: Uint8Array) {
    this.#text = decodeUtf8(line);
    const hidden = this.#text.replaceAll('\t', ' ').search(HIDDEN);
    if (hidden >= 0) throw this.#errorAt(hidden, 'visible characters');
  }

  /** Whether everything has been read. */
  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** Takes what `pattern` (sticky) matches here, or undefined. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  /** Takes what `pattern` (sticky) matches here; throws WireError that names `expected` when it does not match. */
  expect(pattern: RegExp, expected: string): string {
    const taken = this.take(pattern);
    if (taken === undefined) throw this.error(expected);
    return taken;
  }

  /** Octets before here. */
  get offset(): number {
    return this.error('').offset;
  }

  /** An error here. */
  error(expected: string): WireError {
    return this.#errorAt(this.#at, expected);
  }

  #errorAt(at: number, expected: string): WireError {
    return new WireError(Buffer.byteLength(this.#text.slice(0, at)), expected);
  }
}

function decodeUtf8(line: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    throw new WireError(0, 'UTF-8');
  }
}
