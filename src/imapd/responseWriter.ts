/**
 * A session's output: response lines and literals on their way into the connection (RFC 3501 section 2.2.2).
 *
 * Text is gathered as a string of octets (U+0000 to U+00FF, see wire/imap/format.ts) and becomes a buffer once, when octets
 * follow or a flush is due, so that the answers to a pipelined batch are one write. Only flush() reaches the socket.
 */

import { encodeOctets } from '../wire/imap/format.ts';
import { formatTagged, formatUntagged } from '../wire/imap/responses.ts';
import type { Connection } from '../net/connection.ts';
import type { Completion } from './completion.ts';

/** Text gathered before it becomes a buffer. */
const TEXT_MARK_CHARS = 16 * 1024;

/** Writes responses to one connection. */
export class ResponseWriter {
  readonly #connection: Connection;
  #text = '';

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Gathers text as it is: response lines with their line ends, or pieces of them. */
  write(octets: string): void {
    this.#text += octets;
    if (this.#text.length >= TEXT_MARK_CHARS) this.handOn();
  }

  /** Gathers octets of a literal, which must stay unchanged until flush() resolves. */
  writeOctets(octets: Uint8Array): void {
    this.handOn();
    this.#connection.write(octets);
  }

  /** Gathers how the command `tag` ended; without a tag the line is untagged. */
  writeCompletion(tag: string | undefined, { condition, code, text }: Completion): void {
    this.write(
      tag === undefined ? formatUntagged(condition, text, code) : formatTagged(tag, condition, text, code),
    );
  }

  /** Whether so much is gathered that it should be flushed before more is. */
  get isFlushDue(): boolean {
    return this.#connection.isFlushDue;
  }

  /** Sends everything; resolves when the socket can take more. Errors: `connectionLost`, `deadlineExceeded`. */
  flush(): Promise<void> {
    this.handOn();
    return this.#connection.flush();
  }

  /** Hands everything to the connection without sending it; startTls() sends it itself. */
  handOn(): void {
    if (this.#text === '') return;
    this.#connection.write(encodeOctets(this.#text));
    this.#text = '';
  }
}
