/**
 * Connection: one accepted socket as the session rooms (pop3d, imapd) use it, plain or TLS, with STARTTLS between, and with
 * compression above either.
 *
 * Input is pulled (octetReader.ts), output is gathered and flushed (octetWriter.ts). Socket errors are never thrown at
 * anybody: input ends, flush() rejects, `signal` aborts. Plain text from before TLS is forgotten: RFC 3207 section 4.2,
 * RFC 2595 section 2, and the injection flaws of 2011 and 2021 (nostarttls.secvuln.info).
 * Trust: octets and timing of the peer. Every wait has a deadline, every buffer a limit.
 */

import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';

import type { Clock } from '../base/clock.ts';
import { asMailError, MailError } from '../base/error.ts';
import { SECOND_MS } from '../base/units.ts';
import { normalizeAddress } from './addressRange.ts';
import { type CompressedStreams, compressSocket } from './compression.ts';
import { OctetReader, type Wait } from './octetReader.ts';
import { OctetWriter } from './octetWriter.ts';
import type { KeptPlace } from './listener.ts';
import type { SessionTap } from './sessionTap.ts';
import {
  beginTls,
  destroySocket,
  HANDSHAKE_DEADLINE_MS,
  resetSocket,
  type TlsInfo,
  tlsInfoOf,
} from './tlsUpgrade.ts';

/** How long close() waits, with everything sent, for the peer to close its side. */
export const LINGER_MS = 5 * SECOND_MS;

/** What a Connection is handed beside its socket. */
export interface ConnectionOptions {
  readonly clock: Clock;
  /** Its place below the listener's caps. */
  readonly place?: KeptPlace | undefined;
  /** Hears what is sent and what becomes of the connection; what the client says, the session tells it. */
  readonly tap?: SessionTap | undefined;
}

/** A connection with a client. Its owner calls close() or destroy() on every way out. */
export class Connection {
  readonly clock: Clock;
  /** Its place below the listener's caps; whoever has logged in keeps it. */
  readonly place: KeptPlace | undefined;
  /** Who hears the session, where anybody does. */
  readonly tap: SessionTap | undefined;
  /** The peer's address in its one spelling (normalizeAddress). */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;

  readonly #reader: OctetReader;
  readonly #writer: OctetWriter;
  #socket: Socket;
  #tls: TlsInfo | undefined;
  #compressed: CompressedStreams | undefined;
  #closed: Promise<void> | undefined;
  #abort: AbortController | undefined;
  #activeAtMs: number;
  /** Why we close; undefined while we do not. */
  #closingReason: string | undefined;
  #isInHandshake = false;

  /** Takes over `socket`, of which nothing has been read; a TLSSocket has its handshake behind it. */
  constructor(socket: Socket, options: ConnectionOptions) {
    const { clock, tap, place } = options;
    this.clock = clock;
    this.place = place;
    this.#activeAtMs = clock.monotonic();
    this.remoteAddress = normalizeAddress(socket.remoteAddress ?? '');
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = normalizeAddress(socket.localAddress ?? '');
    this.localPort = socket.localPort ?? 0;
    this.tap = tap;
    this.#reader = new OctetReader(clock);
    this.#writer = new OctetWriter(socket, clock, tap, () => {
      this.#closingReason = 'the client takes nothing';
      resetSocket(this.#socket);
    });
    this.#socket = socket;
    this.#attach(socket);
    if (socket instanceof TLSSocket) this.#setTls(socket);
  }

  /** Whether TLS protects the connection now. */
  get isSecure(): boolean {
    return this.#tls !== undefined;
  }

  /** What TLS agreed on, when it is on. */
  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  /** Whether both directions are compressed. */
  get isCompressed(): boolean {
    return this.#compressed !== undefined;
  }

  /** Whether the socket is closed, by whomever. */
  get isGone(): boolean {
    return this.#socket.destroyed;
  }

  /** When receive() or flush() last succeeded, on the monotonic clock: a peer that is gone without a word stays behind. */
  get activeAtMs(): number {
    return this.#activeAtMs;
  }

  /**
   * Aborts with MailError('connectionLost') once the socket is closed (a reset counts; a peer that has only closed its
   * sending side still reads, and shows as the end of input).
   */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.isGone) this.#abort.abort(new MailError('connectionLost'));
    }
    return this.#abort.signal;
  }

  /** What has been received and not consumed, perhaps nothing. Valid until the next call that reads. */
  peek(): Buffer {
    return this.#reader.peek();
  }

  /** Takes `count` octets of what peek() showed. */
  consume(count: number): void {
    this.#reader.consume(count);
  }

  /**
   * Waits until peek() shows more than it did, true, or the input has ended, false. Rejects with
   * MailError('deadlineExceeded') after the deadline, with the signal's reason, or with MailError('limit') when
   * RECEIVED_LIMIT_BYTES lie unconsumed. One wait at a time.
   */
  async receive(wait: Wait): Promise<boolean> {
    const hasMore = await this.#reader.receive(wait);
    if (hasMore) this.#activeAtMs = this.clock.monotonic();
    return hasMore;
  }

  /** The next octets, the caller's to keep, or undefined at the end of input. Waits and rejects as receive() does. */
  read(wait: Wait): Promise<Buffer | undefined> {
    return this.#reader.read(wait);
  }

  /** Gathers `data` (text as UTF-8) for the next flush(). A buffer must stay unchanged until that resolves. */
  write(data: string | Uint8Array): void {
    this.#writer.write(data);
  }

  /** Whether FLUSH_MARK_BYTES are gathered: a session that answers a batch flushes then. */
  get isFlushDue(): boolean {
    return this.#writer.isFlushDue;
  }

  /**
   * Sends what is gathered, in one writev, and resolves when the socket can take more. Rejects with
   * MailError('connectionLost'), or, after it has cut off a reader that stalls, with MailError('deadlineExceeded').
   */
  async flush(): Promise<void> {
    await this.#writer.flush();
    this.#activeAtMs = this.clock.monotonic();
  }

  /**
   * Turns the connection to TLS. The go-ahead reply has to be gathered and not flushed: what the peer sent before it saw that
   * reply is dropped here, and what comes later is TLS or nothing. Rejects as TlsHandshake.secured does, and the connection
   * is destroyed then.
   */
  async startTls(context: SecureContext, deadlineMs: number = HANDSHAKE_DEADLINE_MS): Promise<void> {
    if (this.#tls !== undefined) throw new MailError('cannot', 'TLS is on already');
    if (this.#compressed !== undefined) throw new MailError('cannot', 'TLS goes below compression');
    this.#reader.discard();
    this.#reader.detach();
    await this.#writer.flush();
    this.#writer.detach();
    this.#socket.off('close', this.#onClose);
    const { socket, secured } = beginTls(this.#socket, context, this.clock, { deadlineMs });
    this.#socket = socket;
    this.#attach(socket);
    this.#writer.attach(socket);
    this.#isInHandshake = true;
    try {
      await secured;
    } catch (error) {
      this.tap?.closed(`TLS failed: ${asMailError(error).message}`);
      throw error;
    }
    this.#isInHandshake = false;
    this.#setTls(socket);
  }

  /**
   * Compresses both directions from here on. The go-ahead reply has to be gathered and not flushed: it is the last to go out
   * plain. `received` are octets that the session has read and not used: they, and all that follow, are compressed. Later reads
   * reject with MailError('invalid') or MailError('limit') where the peer's data is damaged or stands for too much.
   */
  async compress(received: Buffer): Promise<void> {
    if (this.#compressed !== undefined) throw new MailError('cannot', 'compression is on already');
    await this.#writer.flush();
    const unread = Buffer.concat([received, this.#reader.peek()]);
    this.#reader.consume(unread.length);
    this.#reader.detach();
    this.#writer.detach();
    this.#compressed = compressSocket(this.#socket, unread, (error) => this.#reader.fail(error));
    this.#reader.attach(this.#compressed.source);
    this.#writer.attach(this.#compressed.sink);
    this.tap?.compressed();
  }

  /**
   * Flushes, closes the sending side and waits up to `lingerMs` for the peer to close its own, so that no reset overtakes
   * the last reply (a socket closed with unread input resets). Resolves when the socket is closed; never rejects.
   */
  close(lingerMs: number = LINGER_MS): Promise<void> {
    this.#closingReason ??= this.#reader.hasEnded ? 'by the client' : 'by the server';
    this.#closed ??= this.#closePolitely(lingerMs);
    return this.#closed;
  }

  /** Closes the socket now. What is gathered is lost. */
  destroy(): void {
    this.#closingReason ??= this.#reader.hasEnded ? 'by the client' : 'by the server';
    destroySocket(this.#socket);
  }

  async #closePolitely(lingerMs: number): Promise<void> {
    const socket = this.#socket;
    if (socket.closed) return;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    if (this.#compressed !== undefined) {
      // What the peer still says is thrown away; it need not be inflated first.
      this.#reader.detach();
      this.#compressed.stopInflating();
      this.#reader.attach(socket);
    }
    this.#reader.discardAll();
    await this.#writer.finish().catch(() => this.destroy());
    const linger = this.clock.after(lingerMs, () => this.destroy());
    await closed;
    linger.clear();
  }

  #attach(socket: Socket): void {
    // The session decides when the sending side closes: a client may send QUIT and FIN at once and still wants its reply.
    socket.allowHalfOpen = true;
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    this.#reader.attach(socket);
  }

  #setTls(socket: TLSSocket): void {
    this.#tls = tlsInfoOf(socket);
    this.tap?.secured(this.#tls);
  }

  /** 'close' follows and is what is heard; without a listener a reset would end the process. */
  readonly #onError = (error: Error): void => {
    this.#closingReason ??= `lost: ${error.message}`;
  };

  readonly #onClose = (): void => {
    if (!this.#isInHandshake) this.tap?.closed(this.#closingReason ?? 'lost');
    this.#abort?.abort(new MailError('connectionLost'));
  };
}
