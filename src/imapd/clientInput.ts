/**
 * A session's input: the framer's events, fed from the connection when there are none.
 *
 * Before it waits for the client it flushes what the session has answered, so that a pipelined batch gets one write. A wait
 * ends with octets, the client's leave, silence for too long, or the server's shutdown; the last three are a SessionEnd, which
 * passes through whatever command is waiting and is caught by the session's loop alone.
 * Trust: all octets are the client's; wire/imap's framer bounds them.
 */

import { asMailError } from '../base/error.ts';
import type { Pacer } from '../base/pacer.ts';
import type { CommandFramer, FrameEvent } from '../wire/imap/frame.ts';
import type { CommandLiteral } from '../wire/imap/segment.ts';
import { ImapCommands } from '../wire/transcript/imapCommand.ts';
import type { Connection } from '../net/connection.ts';
import { DISCARD_LIMIT_OCTETS } from './limits.ts';
import type { ResponseWriter } from './responseWriter.ts';
import { SessionEnd } from './sessionEnd.ts';

/** A wait that something else than the client may end. */
export interface InterruptibleWait {
  readonly deadlineMs: number;
  /** Ends the wait and loses nothing: the next call goes on where this one stopped. */
  readonly interrupt: AbortSignal;
}

/** What a ClientInput is made of. */
export interface ClientInputOptions {
  readonly connection: Connection;
  readonly framer: CommandFramer;
  readonly writer: ResponseWriter;
  readonly pacer: Pacer;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
  /** How long a wait may be in the session's state; asked at each. */
  readonly idleTimeoutMs: () => number;
}

/** One session's input. */
export class ClientInput {
  readonly framer: CommandFramer;
  readonly #options: ClientInputOptions;
  /** There where somebody hears the session. */
  readonly #transcript: ImapCommands | undefined;
  #hasAccepted = false;

  constructor(options: ClientInputOptions) {
    if (options.connection.tap !== undefined) this.#transcript = new ImapCommands();
    this.framer = options.framer;
    this.#options = options;
  }

  /** The next event. Errors: SessionEnd; and, where the wait is interrupted, the reason of its signal. */
  async next(wait?: InterruptibleWait): Promise<FrameEvent> {
    for (;;) {
      const event = this.framer.next();
      if (event?.kind === 'literalStart') this.#hasAccepted = false;
      if (event === undefined) {
        await this.#fill(wait);
        continue;
      }
      if (this.#transcript !== undefined) this.#tell(event, this.#transcript);
      return event;
    }
  }

  /** The next line as it is: an answer to a challenge, or DONE; 'tooLong' where it passes the limit. Errors: as next(). */
  async line(wait?: InterruptibleWait): Promise<Buffer | 'tooLong'> {
    this.framer.expectLine();
    const event = await this.next(wait);
    return event.kind === 'line' ? event.octets : 'tooLong';
  }

  /** Has the literal that the last event announced read. */
  acceptLiteral(): void {
    this.#hasAccepted = true;
    this.framer.acceptLiteral();
  }

  /**
   * Drops what the client still sends of the command in hand, whose literal the event `literalStart` announced. Errors:
   * SessionEnd, where that is a literal nobody wanted and not worth reading (RFC 7888 section 4).
   */
  dropCommand({ isSynchronising, octetCount }: CommandLiteral): void {
    const isUnwanted = !isSynchronising && !this.#hasAccepted && octetCount > DISCARD_LIMIT_OCTETS;
    this.framer.refuseCommand();
    if (isUnwanted) throw new SessionEnd('abuse', 'The literal is too large', 'TOOBIG');
  }

  #tell(event: FrameEvent, transcript: ImapCommands): void {
    const { tap } = this.#options.connection;
    for (const { text, isCommand } of transcript.push(event)) {
      if (isCommand) tap?.asked(text);
      else tap?.added(text);
    }
  }

  async #fill(wait: InterruptibleWait | undefined): Promise<void> {
    const { connection, writer, closing, pacer, idleTimeoutMs } = this.#options;
    const signal = wait === undefined ? closing : AbortSignal.any([closing, wait.interrupt]);
    let octets: Buffer | undefined;
    try {
      await writer.flush();
      octets = await connection.read({ deadlineMs: wait?.deadlineMs ?? idleTimeoutMs(), signal });
    } catch (error) {
      if (closing.aborted) throw new SessionEnd('shutdown', 'Server is shutting down');
      if (wait?.interrupt.aborted === true && error === wait.interrupt.reason) throw error;
      throw endOf(error);
    }
    if (octets === undefined) throw new SessionEnd('connectionLost', 'The client has gone');
    this.framer.push(octets);
    await pacer.breathe();
  }
}

function endOf(error: unknown): SessionEnd {
  switch (asMailError(error).code) {
    case 'deadlineExceeded':
      return new SessionEnd('autologout', 'Autologout: idle for too long');
    case 'invalid':
      return new SessionEnd('abuse', 'The compressed data is damaged');
    case 'limit':
      return new SessionEnd('abuse', 'The compressed data stands for too much');
    default:
      return new SessionEnd('connectionLost', 'The connection was lost');
  }
}
