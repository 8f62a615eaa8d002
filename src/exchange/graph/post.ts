/**
 * One POST by https with a body that is streamed, and what became of it.
 *
 * RFC 9110 and RFC 9112. Chain and name of the certificate are always verified, and redirects are not followed. Each request has a
 * connection of its own: one that stayed idle may be gone when it is used, which looks like a message that was taken and not answered.
 * Trust: the other side is whoever has the certificate. Its answer is bounded in octets and time; each stage has a deadline.
 */

import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

import type { Clock, Timer } from '../../base/clock.ts';
import {
  ABORTED_ANSWER_DEADLINE_MS,
  ANSWER_BODY_DEADLINE_MS,
  ANSWER_BODY_LIMIT_OCTETS,
  ANSWER_DEADLINE_MS,
  ANSWER_HEAD_LIMIT_OCTETS,
  CONNECT_DEADLINE_MS,
  SEND_DEADLINE_MS,
} from './limits.ts';
import type { HttpAnswer } from './readAnswer.ts';

/** A request. */
export interface PostOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM; instead of Node's roots. */
  readonly certificateAuthorities?: string | undefined;
  /** Octets of the body. */
  readonly octets: number;
  /** The body; opened when the connection stands. */
  open(): AsyncIterable<Buffer>;
  readonly clock: Clock;
}

/** What became of a request. `reason` is one line. */
export type Posted =
  | { readonly kind: 'answered'; readonly http: HttpAnswer }
  /** No connection: nothing of the request has left. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** The other side's certificate does not prove who it is. */
  | { readonly kind: 'untrusted'; readonly reason: string }
  /** The connection ended without an answer. `isWhole`: all of the body had left by then. */
  | { readonly kind: 'lost'; readonly reason: string; readonly isWhole: boolean }
  /** The body rejected, or is not as long as was said; it was not sent whole. */
  | { readonly kind: 'unreadable'; readonly error: unknown }
  /** By the caller, before all of the body had left. */
  | { readonly kind: 'aborted' };

/** What OpenSSL and Node call a certificate that fails; everything else that ends a handshake is trouble of the connection. */
const UNTRUSTED = /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

/** Posts. Never rejects. */
export function post(options: PostOptions, signal: AbortSignal): Promise<Posted> {
  return new Promise((resolve) => new Post(options, signal, resolve).begin());
}

/** A request under way. */
class Post {
  readonly #options: PostOptions;
  readonly #signal: AbortSignal;
  readonly #resolve: (posted: Posted) => void;
  #request: ClientRequest | undefined;
  #deadline: Timer | undefined;
  #isConnected = false;
  /** From before the last octet is handed to the socket: whoever hears no answer from then on does not know. */
  #isWhole = false;
  #isOver = false;
  /** Ends with the answer whose head has come. */
  #endAnswered: (() => void) | undefined;

  constructor(options: PostOptions, signal: AbortSignal, resolve: (posted: Posted) => void) {
    this.#options = options;
    this.#signal = signal;
    this.#resolve = resolve;
  }

  begin(): void {
    if (this.#signal.aborted) {
      this.#abort();
      return;
    }
    this.#signal.addEventListener('abort', this.#abort, { once: true });
    const { url, headers, certificateAuthorities, octets } = this.#options;
    this.#wait(CONNECT_DEADLINE_MS, 'no connection');
    try {
      this.#request = requestHttps(url, {
        method: 'POST',
        headers: { ...headers, 'Content-Length': String(octets), Connection: 'close' },
        agent: false,
        maxHeaderSize: ANSWER_HEAD_LIMIT_OCTETS,
        minVersion: 'TLSv1.2',
        rejectUnauthorized: true,
        ...(certificateAuthorities === undefined ? {} : { ca: certificateAuthorities }),
      });
    } catch (error) {
      this.#end({ kind: 'unreachable', reason: describe(error) });
      return;
    }
    this.#request.on('error', (error) => this.#fail(error));
    this.#request.on('response', (response) => this.#read(response));
    this.#request.on('socket', (socket) => socket.once('secureConnect', () => this.#send()));
  }

  /** Sends the body, as fast as the other side takes it; its last piece when it is known to be whole. */
  async #send(): Promise<void> {
    this.#isConnected = true;
    const { octets, open } = this.#options;
    let last: Buffer = Buffer.alloc(0);
    let read = 0;
    this.#wait(SEND_DEADLINE_MS, 'the message does not leave');
    try {
      for await (const piece of open()) {
        if (this.#isOver) return;
        await this.#write(last);
        last = piece;
        read += piece.length;
        if (read > octets) break;
      }
      if (read !== octets) throw new Error(`the body has not the ${octets} octets that were told`);
    } catch (error) {
      this.#end({ kind: 'unreadable', error });
      return;
    }
    if (this.#isOver) return;
    this.#isWhole = true;
    this.#request?.end(last);
    this.#wait(ANSWER_DEADLINE_MS, 'no answer');
  }

  /** Resolves when there is room for the next piece, or when the request is over. */
  #write(piece: Buffer): Promise<void> {
    this.#wait(SEND_DEADLINE_MS, 'the message does not leave');
    return new Promise((resolve) => {
      const request = this.#request;
      if (request === undefined || request.destroyed || request.write(piece)) return resolve();
      const goOn = () => {
        request.off('drain', goOn);
        request.off('close', goOn);
        resolve();
      };
      request.on('drain', goOn);
      request.on('close', goOn);
    });
  }

  /** Reads an answer's body as far as it goes within its limits: its head has said what counts. */
  #read(response: IncomingMessage): void {
    const pieces: Buffer[] = [];
    let octets = 0;
    const end = () => this.#end({ kind: 'answered', http: answerOf(response, Buffer.concat(pieces)) });
    response.on('data', (piece: Buffer) => {
      pieces.push(piece.subarray(0, ANSWER_BODY_LIMIT_OCTETS - octets));
      octets += piece.length;
      if (octets >= ANSWER_BODY_LIMIT_OCTETS) end();
    });
    for (const event of ['end', 'error', 'close']) response.on(event, end);
    this.#endAnswered = end;
    this.#deadline?.clear();
    this.#deadline = this.#options.clock.after(ANSWER_BODY_DEADLINE_MS, end);
  }

  #wait(deadlineMs: number, what: string): void {
    this.#deadline?.clear();
    this.#deadline = this.#options.clock.after(deadlineMs, () =>
      this.#fail(new Error(`${what} within ${deadlineMs / 1000} s`)),
    );
  }

  #fail(error: unknown): void {
    const reason = describe(error);
    if (this.#endAnswered !== undefined) this.#endAnswered();
    else if (this.#isConnected) this.#end({ kind: 'lost', reason, isWhole: this.#isWhole });
    else this.#end({ kind: UNTRUSTED.test(codeOf(error) ?? '') ? 'untrusted' : 'unreachable', reason });
  }

  #abort = (): void => {
    if (this.#endAnswered !== undefined) this.#endAnswered();
    else if (this.#isWhole) this.#wait(ABORTED_ANSWER_DEADLINE_MS, 'given up: no answer');
    else this.#end({ kind: 'aborted' });
  };

  #end(posted: Posted): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline?.clear();
    this.#signal.removeEventListener('abort', this.#abort);
    this.#request?.destroy();
    this.#resolve(posted);
  }
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, body: Buffer): HttpAnswer {
  const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return { status: statusCode, headers: new Map(fields), body };
}

function describe(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  const told = code === undefined || text.includes(code) ? text : `${text} (${code})`.trim();
  return (told.split(/[\r\n]/)[0] ?? '').slice(0, 300);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
