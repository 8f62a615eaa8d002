/**
 * The socket of a session: the plain one, and the TLSSocket around it after STARTTLS. Hears how it ends, writes replies, and
 * leaves it so that the client reads the last of them.
 */

import type { Socket } from 'node:net';

import type { Clock, Timer } from '../../base/clock.ts';
import type { SessionTap } from '../../net/sessionTap.ts';
import { destroySocket } from '../../net/tlsUpgrade.ts';
import { LINGER_MS } from '../limits.ts';
import { ReplyWriter } from './replyWriter.ts';

/** The socket of one session. */
export class SessionSocket {
  readonly replies: ReplyWriter;
  /** Why the session ended, as far as it is known. */
  reason = 'the client has closed';
  readonly #clock: Clock;
  readonly #onClose: () => void;
  #socket: Socket;
  #linger: Timer | undefined;

  /** `onClose` is called once, when the socket is closed. */
  constructor(socket: Socket, clock: Clock, tap: SessionTap | undefined, onClose: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.replies = new ReplyWriter(socket, tap);
    this.#onClose = () => {
      this.#linger?.clear();
      onClose();
    };
  }

  /** Begins to hear how the socket ends. */
  listen(): void {
    const socket = this.#socket;
    // A client may send QUIT and FIN at once and still wants its replies; leave closes our side.
    socket.allowHalfOpen = true;
    // 'close' follows and is what is heard; without a listener a reset would end the process.
    socket.on('error', (error) => {
      this.reason = error.message;
    });
    socket.on('close', this.#onClose);
  }

  /** Goes on with `socket`, which is wrapped around the one before; what is gathered must have been flushed. */
  attach(socket: Socket): void {
    this.#socket.off('close', this.#onClose);
    this.#socket = socket;
    this.replies.attach(socket);
    this.listen();
  }

  /** Closes our side behind the last reply, and the whole socket when the client does not close its own in time. */
  leave(): void {
    const socket = this.#socket;
    this.replies.flush();
    socket.end();
    // Input is read and dropped: a socket closed with unread input resets, and a reset overtakes the last reply.
    socket.resume();
    this.#linger = this.#clock.after(LINGER_MS, () => destroySocket(socket));
  }

  /** Closes at once, unread replies or not. */
  destroy(): void {
    destroySocket(this.#socket);
  }
}
