/**
 * What STARTTLS and COMPRESS do to the connection, behind their completion and before the next command is read.
 *
 * STARTTLS (RFC 3501 section 6.2.1) forgets what was sent behind it in the clear; what was sent behind COMPRESS (RFC 4978
 * section 3) is compressed, whenever it was sent.
 */

import type { SecureContext } from 'node:tls';

import { asMailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import type { CommandFramer } from '../wire/imap/frame.ts';
import type { Connection } from '../net/connection.ts';
import type { CompressionSlots } from './compressionSlots.ts';
import type { ResponseWriter } from './responseWriter.ts';
import { SessionEnd } from './sessionEnd.ts';

/** What of a session is changed. */
export interface ChangedSession {
  readonly connection: Connection;
  readonly framer: CommandFramer;
  readonly writer: ResponseWriter;
  readonly log: Log;
  /** Asked for its certificate at each handshake. */
  readonly tlsContexts: { current(): SecureContext } | undefined;
}

/** The changes of one session's connection: asked for by a command, made behind its completion. */
export class ConnectionChange {
  readonly #session: ChangedSession;
  readonly #slots: CompressionSlots;
  #due: 'tls' | 'compression' | undefined;
  #holdsSlot = false;

  constructor(session: ChangedSession, slots: CompressionSlots) {
    this.#session = session;
    this.#slots = slots;
  }

  /** Whether both directions are compressed, or will be. */
  get isCompressed(): boolean {
    return this.#holdsSlot;
  }

  /** Asks for TLS. */
  startTls(): void {
    this.#due = 'tls';
  }

  /** Asks for compression; false where too many sessions have it already. */
  compress(): boolean {
    if (!this.#slots.take()) return false;
    this.#holdsSlot = true;
    this.#due = 'compression';
    return true;
  }

  /** Makes the change that is due. Errors: SessionEnd. */
  async make(): Promise<void> {
    const due = this.#due;
    if (due === undefined) return;
    this.#due = undefined;
    this.#session.writer.handOn();
    if (due === 'tls') await this.#beginTls();
    else await this.#beginCompression();
  }

  /** The session has ended. */
  close(): void {
    if (this.#holdsSlot) this.#slots.release();
    this.#holdsSlot = false;
  }

  async #beginTls(): Promise<void> {
    const { connection, framer, log, tlsContexts } = this.#session;
    const context = tlsContexts?.current();
    if (context === undefined) throw new SessionEnd('connectionLost', 'TLS is not available');
    framer.discardInput();
    try {
      await connection.startTls(context);
    } catch (error) {
      log.info('imapd.tls.failed', { reason: asMailError(error).message });
      throw new SessionEnd('connectionLost', 'The TLS handshake failed');
    }
  }

  async #beginCompression(): Promise<void> {
    const { connection, framer } = this.#session;
    try {
      await connection.compress(framer.takeInput());
    } catch (error) {
      if (connection.isGone) throw new SessionEnd('connectionLost', 'The connection was lost');
      throw error;
    }
  }
}
