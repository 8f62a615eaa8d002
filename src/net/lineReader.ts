/**
 * Lines of bounded length over a Connection, for protocols that are lines only (POP3).
 *
 * A line ends with CRLF or with LF alone (RFC 1939 asks for CRLF; Telnet users and some scripts send LF). takeLine() answers
 * at once from what has arrived, so that a session runs a whole pipelined batch before it flushes. The reader holds no octets
 * itself: what is not consumed lies in the Connection, where startTls() drops it.
 * Trust: length and pace of lines. A line beyond the limit is dropped as it comes and reported once, at its LF; from its first
 * octet on a line has LINE_DEADLINE_MS, so that one octet now and then keeps nothing open.
 */

import { MINUTE_MS } from '../base/units.ts';
import type { Connection } from './connection.ts';
import type { Wait } from './octetReader.ts';

/** How long a line may take from its first octet to its LF. */
export const LINE_DEADLINE_MS = MINUTE_MS;

/** What comes next. `octets` are without the line end and valid until the next call; an unfinished last line is no line. */
export type Line =
  | { readonly kind: 'line'; readonly octets: Buffer }
  | { readonly kind: 'tooLong' }
  | { readonly kind: 'end' };

/** Reads lines. */
export class LineReader {
  readonly #connection: Connection;
  readonly #limitBytes: number;
  #isSkipping = false;

  /** `limitBytes` counts a line with its line end, as the RFCs do; at most RECEIVED_LIMIT_BYTES. */
  constructor(connection: Connection, limitBytes: number) {
    this.#connection = connection;
    this.#limitBytes = limitBytes;
  }

  /** Whether takeLine() has an answer. */
  hasLine(): boolean {
    return this.#connection.peek().includes(LF);
  }

  /** The next line when all of it has arrived. `limitBytes` replaces the reader's for this line (base64 after AUTH is longer). */
  takeLine(limitBytes: number = this.#limitBytes): Line | undefined {
    for (;;) {
      const octets = this.#connection.peek();
      const end = octets.indexOf(LF);
      if (end >= 0) return this.#takeUpTo(octets, end, limitBytes);
      if (octets.length < limitBytes && !this.#isSkipping) return undefined;
      if (octets.length === 0) return undefined;
      this.#isSkipping = true;
      this.#connection.consume(octets.length);
    }
  }

  /**
   * The next line, awaited: `wait` for its first octet, LINE_DEADLINE_MS from there on. Rejects as Connection.receive() does;
   * what has arrived of a line stays for the next call.
   */
  async readLine(wait: Wait, limitBytes: number = this.#limitBytes): Promise<Line> {
    const { clock } = this.#connection;
    let lineUntilMs: number | undefined;
    for (;;) {
      const line = this.takeLine(limitBytes);
      if (line !== undefined) return line;
      const isInLine = this.#isSkipping || this.#connection.peek().length > 0;
      if (isInLine) lineUntilMs ??= clock.monotonic() + LINE_DEADLINE_MS;
      const next = lineUntilMs === undefined ? wait : shortened(wait, lineUntilMs - clock.monotonic());
      if (!(await this.#connection.receive(next))) return { kind: 'end' };
    }
  }

  #takeUpTo(octets: Buffer, end: number, limitBytes: number): Line {
    this.#connection.consume(end + 1);
    if (this.#isSkipping || end >= limitBytes) {
      this.#isSkipping = false;
      return { kind: 'tooLong' };
    }
    return { kind: 'line', octets: octets.subarray(0, octets[end - 1] === CR ? end - 1 : end) };
  }
}

const CR = 0x0d;
const LF = 0x0a;

function shortened(wait: Wait, deadlineMs: number): Wait {
  return typeof wait === 'number' ? deadlineMs : { ...wait, deadlineMs };
}
