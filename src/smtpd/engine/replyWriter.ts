/**
 * Gathers replies, so that a pipelined batch is answered in one write (RFC 2920 section 3.2): whoever lets the session wait next
 * flushes, which is the parser when it has worked off what came, and everything that is said outside of a command.
 */

import type { Socket } from 'node:net';

import type { SessionTap } from '../../net/sessionTap.ts';
import { REPLY_BATCH_OCTETS } from '../limits.ts';

/** Writes the replies of one session. */
export class ReplyWriter {
  #socket: Socket;
  readonly #tap: SessionTap | undefined;
  #gathered = '';

  constructor(socket: Socket, tap: SessionTap | undefined) {
    this.#socket = socket;
    this.#tap = tap;
  }

  /** Goes on with another socket; what is gathered must have been flushed. */
  attach(socket: Socket): void {
    this.#socket = socket;
  }

  /** Gathers a reply with its line end. */
  write(reply: string): void {
    this.#gathered += reply;
    if (this.#gathered.length >= REPLY_BATCH_OCTETS) this.flush();
  }

  /** Writes what is gathered; to a socket that takes nothing any more it is lost. */
  flush(): void {
    if (this.#gathered === '') return;
    const replies = this.#gathered;
    this.#gathered = '';
    if (!this.#socket.writable) return;
    this.#tap?.sent(replies);
    this.#socket.write(replies);
  }
}
