/**
 * A client's socket read in order: lines, counted octets, or pieces as they come; written with back-pressure.
 *
 * The raw clients of SMTP, POP3 and IMAP stand on it, in journeys, fuzz tests and bench/. It changes no octet in either
 * direction. A read rejects when the connection ends first, or when nothing has come for SILENCE_LIMIT_MS.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Longer than any answer takes on a busy machine, shorter than a test may take. */
const SILENCE_LIMIT_MS = 200_000;
const LF = 0x0a;
const CR = 0x0d;

/** How a connection is made. */
export interface PeerSocketOptions {
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  /** The address to connect from; the system's choice unless given. */
  readonly localAddress?: string;
  /** TLS from the first octet; the certificate is not checked. */
  readonly isSecure?: boolean;
}

/** A connected socket. One reader at a time. */
export class PeerSocket {
  #socket: Socket;
  #chunks: Buffer[] = [];
  #end: Error | undefined;
  #wake: (() => void) | undefined;
  #stopListening: () => void;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#stopListening = this.#listen();
  }

  /** Connects to `port`. */
  static async connect(port: number, options: PeerSocketOptions = {}): Promise<PeerSocket> {
    const { host = '127.0.0.1', localAddress } = options;
    const address = { port, host, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) };
    const isSecure = options.isSecure === true;
    const socket = isSecure ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
    await once(socket, isSecure ? 'secureConnect' : 'connect');
    return new PeerSocket(socket);
  }

  /** The socket beneath, for resets and half-closes. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Writes `data` and waits while the other side does not read. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    const socket = this.#socket;
    if (socket.write(data)) return;
    await new Promise<void>((resolve, reject) => {
      const finish = () => {
        socket.off('drain', finish).off('close', finish);
        if (this.#end === undefined) resolve();
        else reject(this.#end);
      };
      socket.once('drain', finish).once('close', finish);
    });
  }

  /** The next line without its CRLF, each octet a character. */
  async readLine(): Promise<string> {
    const octets = await this.readRawLine();
    const end = octets.at(-2) === CR ? octets.length - 2 : octets.length - 1;
    return octets.toString('latin1', 0, end);
  }

  /** The octets up to the next LF, which is included. */
  async readRawLine(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const chunk = await this.readPiece();
      const end = chunk.indexOf(LF);
      if (end < 0) {
        parts.push(chunk);
        continue;
      }
      this.unread(chunk.subarray(end + 1));
      return parts.length === 0
        ? chunk.subarray(0, end + 1)
        : Buffer.concat([...parts, chunk.subarray(0, end + 1)]);
    }
  }

  /** Exactly `count` octets. */
  async readOctets(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    await this.passOctets(count, (piece) => parts.push(piece));
    return Buffer.concat(parts, count);
  }

  /** Hands the next `count` octets to `take`, in pieces as they come. */
  async passOctets(count: number, take: (piece: Buffer) => unknown): Promise<void> {
    for (let left = count; left > 0; ) {
      const chunk = await this.readPiece();
      take(chunk.subarray(0, left));
      this.unread(chunk.subarray(Math.min(left, chunk.length)));
      left -= Math.min(left, chunk.length);
    }
  }

  /** Whatever comes next, at least one octet. */
  async readPiece(): Promise<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        if (this.#chunks.length === 0 && this.#socket.isPaused()) this.#socket.resume();
        return chunk;
      }
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Puts octets back in front of what has not been read. */
  unread(octets: Buffer): void {
    if (octets.length > 0) this.#chunks.unshift(octets);
  }

  /** Reads on until the other side closes, and answers what came. */
  async readToEnd(): Promise<Buffer> {
    const parts: Buffer[] = [];
    try {
      for (;;) parts.push(await this.readPiece());
    } catch {
      return Buffer.concat(parts);
    }
  }

  /** The client's side of TLS; what was read in the clear and not used is an error of the server's. */
  async startTls(): Promise<void> {
    if (this.#chunks.length > 0) throw new Error('octets in the clear behind the go-ahead for TLS');
    this.#stopListening();
    this.#socket.on('error', () => {}); // TLS on top of it tells.
    this.#socket = connectTls({ socket: this.#socket, rejectUnauthorized: false });
    await once(this.#socket, 'secureConnect');
    this.#stopListening = this.#listen();
  }

  /** Says goodbye to the connection and waits until the other side has closed as well. */
  async close(): Promise<void> {
    this.#socket.end();
    await this.readToEnd();
    this.#socket.destroy();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends the connection by a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Hears the socket; what is answered ends that. */
  #listen(): () => void {
    const socket = this.#socket;
    const finish = (reason: string) => {
      this.#end ??= new Error(reason);
      this.#wake?.();
    };
    const listeners = {
      data: (chunk: Buffer) => {
        this.#chunks.push(chunk);
        // Back-pressure towards the server: what nobody reads is not collected.
        if (this.#chunks.length >= CHUNK_LIMIT) socket.pause();
        this.#wake?.();
      },
      error: (error: Error) => finish(`the connection broke: ${error.message}`),
      end: () => finish('the server closed the connection'),
      close: () => finish('the connection is closed'),
      timeout: () => {
        finish(`nothing came for ${SILENCE_LIMIT_MS / 1000} s`);
        socket.destroy();
      },
    };
    for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    socket.setTimeout(SILENCE_LIMIT_MS);
    return () => {
      for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
      socket.setTimeout(0);
    };
  }
}

/** Chunks of up to 64 KiB that wait for a reader. */
const CHUNK_LIMIT = 16;
