/**
 * A connection with a next hop: nodemailer's SMTPConnection for greeting, EHLO, STARTTLS and the matching of replies, with what it
 * lacks: commands of ours with a deadline each, parameters of RFC 3461 per recipient, data with back-pressure whose end is known.
 *
 * Relies on nodemailer 10.6.0, which is pinned: `_sendCommand` writes a line, `_responseActions` has who waits for which reply,
 * `_socket` is the socket, TLS or not, and the logger hears each line with secrets masked. test/outbound holds each.
 * Trust: replies are the other side's. Their size is limited, each has a deadline that no octet extends, and a reply that nobody
 * waits for ends the connection.
 */

import type { Socket } from 'node:net';
import { type ConnectionOptions as TlsOptions, TLSSocket } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';

import type { Clock, Timer } from '../../base/clock.ts';
import { type EhloKeywords, readEhloKeywords, readReply, type SmtpReply } from '../../wire/smtp/readReply.ts';
import {
  COMMAND_DEADLINE_MS,
  FINAL_DEADLINE_MS,
  GREETING_DEADLINE_MS,
  QUIT_DEADLINE_MS,
  REPLY_LIMIT_OCTETS,
  TLS_DEADLINE_MS,
} from './limits.ts';

/** What a command came to: its reply, or the end of the connection. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: SmtpReply }
  | { readonly kind: 'lost'; readonly why: string };

/** Why a session did not come about. */
export interface OpeningFailure {
  readonly step: 'connect' | 'greeting' | 'ehlo' | 'startTls' | 'handshake';
  readonly why: string;
  /** What the server said, where it was the server that refused. */
  readonly reply?: SmtpReply | undefined;
  /** Node's name for what is wrong with TLS or its certificate. */
  readonly code?: string | undefined;
}

/** How a connection is opened. */
export interface HopConnectionOptions {
  readonly clock: Clock;
  /** Connected, and nothing of it read. */
  readonly socket: Socket;
  /** By its name, for errors and for the name of the certificate. */
  readonly host: string;
  /** In EHLO. */
  readonly serverName: string;
  readonly tls: 'implicit' | 'startTls' | 'ifOffered' | 'none';
  readonly tlsOptions: TlsOptions;
}

/** The parts of nodemailer's connection that its types leave out. */
interface Internals {
  readonly _socket: Socket;
  readonly _responseActions: ((reply: string) => void)[];
  _sendCommand(line: string, logged?: string): void;
}

interface Waiting {
  readonly what: string;
  readonly limitMs: number;
  settle(answer: Answer): void;
}

/** A session that has said EHLO. Its owner calls quit() or destroy(). */
export class HopConnection {
  readonly host: string;
  readonly openedAtMs: number;
  /** What the server offers after TLS; empty where it knows HELO alone. */
  keywords: EhloKeywords = new Map();
  /** Its answer to EHLO, and its greeting. */
  greeting = '';
  /** Messages that were tried over it. */
  messages = 0;

  readonly #clock: Clock;
  readonly #engine: SMTPConnection & Internals;
  readonly #opening = Promise.withResolvers<OpeningFailure | undefined>();
  readonly #waiting: Waiting[] = [];
  readonly #lossHeard = new Set<() => void>();
  readonly #serverLines: string[] = [];
  #step: OpeningFailure['step'] = 'greeting';
  #deadline: Timer | undefined;
  #lost: string | undefined;
  #isOpen = false;

  private constructor(options: HopConnectionOptions) {
    this.#clock = options.clock;
    this.host = options.host;
    this.openedAtMs = options.clock.monotonic();
    this.#engine = new SMTPConnection({
      connection: options.socket,
      host: options.host,
      name: options.serverName,
      secure: options.tls === 'implicit',
      requireTLS: options.tls === 'startTls',
      ignoreTLS: options.tls === 'none',
      ...(options.tlsOptions.servername === undefined ? {} : { servername: options.tlsOptions.servername }),
      tls: options.tlsOptions,
      maxResponseSize: REPLY_LIMIT_OCTETS,
      socketCloseTimeout: 0,
      // Our own deadlines come first; these stand behind them.
      connectionTimeout: ENGINE_DEADLINE_MS,
      greetingTimeout: ENGINE_DEADLINE_MS,
      socketTimeout: ENGINE_DEADLINE_MS,
      transactionLog: true,
      logger: this.#listener(),
    }) as SMTPConnection & Internals;
    if (options.tls === 'implicit') this.#step = 'handshake';
  }

  /** Opens a session over a connected socket. Never rejects; on a failure the socket is destroyed. */
  static async open(
    options: HopConnectionOptions,
    signal: AbortSignal,
  ): Promise<HopConnection | OpeningFailure> {
    const connection = new HopConnection(options);
    const onAbort = () => connection.destroy('we were told to end');
    signal.addEventListener('abort', onAbort, { once: true });
    const opening = connection.#open();
    if (signal.aborted) onAbort();
    const failure = await opening;
    signal.removeEventListener('abort', onAbort);
    if (failure !== undefined) {
      connection.destroy(failure.why);
      return failure;
    }
    return connection;
  }

  /** Whether TLS protects it. */
  get isSecure(): boolean {
    return this.#engine._socket instanceof TLSSocket;
  }

  /** The socket, for what is told of TLS and addresses. */
  get socket(): Socket {
    return this.#engine._socket;
  }

  /** Why the connection is over; undefined while it is not. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /** Whether the server offers an extension. */
  offers(keyword: string): boolean {
    return this.keywords.has(keyword);
  }

  /** Calls `heard` once when the connection is over; the answer undoes it. */
  onceLost(heard: () => void): () => void {
    if (this.#lost !== undefined) {
      heard();
      return () => {};
    }
    this.#lossHeard.add(heard);
    return () => this.#lossHeard.delete(heard);
  }

  /** Sends a line and waits for its reply, `limitMs` from when it is the next to be answered. `what` is for the reason of a loss. */
  ask(line: string, limitMs: number, what: string): Promise<Answer> {
    const answer = this.await(limitMs, what);
    if (this.#lost === undefined) this.#engine._sendCommand(line, MASKED);
    return answer;
  }

  /** Sends lines in one write (RFC 2920). */
  askTogether(
    lines: readonly { readonly line: string; readonly limitMs: number; readonly what: string }[],
  ): Promise<Answer>[] {
    const { socket } = this;
    socket.cork();
    const answers = lines.map(({ line, limitMs, what }) => this.ask(line, limitMs, what));
    socket.uncork();
    return answers;
  }

  /**
   * Waits for a reply that no line of ours asks for: the one to the end of the data, for which there is no limit (Infinity) until
   * hurry() sets one.
   */
  await(limitMs: number, what: string): Promise<Answer> {
    if (this.#lost !== undefined) return Promise.resolve({ kind: 'lost', why: this.#lost });
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const waiting = { what, limitMs, settle: resolve };
    this.#waiting.push(waiting);
    if (this.#waiting.length === 1) this.#arm();
    this.#engine._responseActions.push((reply) => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      this.#arm();
      resolve({ kind: 'reply', reply: readReply(reply) });
    });
    return promise;
  }

  /** Ends the wait for the reply that is awaited in `limitMs` from now, where it would take longer. */
  hurry(limitMs: number): void {
    const [first] = this.#waiting;
    if (first !== undefined) this.#arm(Math.min(limitMs, first.limitMs));
  }

  /** Says QUIT and closes. Resolves when it is over. */
  async quit(): Promise<void> {
    if (this.#lost === undefined) await this.ask('QUIT', QUIT_DEADLINE_MS, 'QUIT');
    this.destroy('closed');
  }

  /** Closes at once; who waits for a reply hears `why`. */
  destroy(why: string): void {
    this.#end(why);
    this.#engine.close();
    if (!this.socket.destroyed) this.socket.destroy();
  }

  async #open(): Promise<OpeningFailure | undefined> {
    this.#armOpening();
    this.#engine.on('error', (error) => this.#fail(error));
    this.#engine.on('end', () => this.#end('the server closed the connection'));
    this.#engine.connect((error?: Error | null) => {
      if (error) this.#fail(error);
      else this.#opening.resolve(undefined);
    });
    const failure = await this.#opening.promise;
    this.#deadline?.clear();
    if (failure === undefined) {
      this.#isOpen = true;
      this.keywords = readEhloKeywords(readReply(this.#serverLines.at(-1) ?? ''));
      this.greeting = readReply(this.#serverLines[0] ?? '').line;
      this.#serverLines.length = 0;
    }
    return failure;
  }

  /** nodemailer's errors carry what it was about; `originalCode` is Node's. */
  #fail(error: Error & { code?: string; originalCode?: string; response?: string }): void {
    const code = error.originalCode ?? error.code;
    const why = this.#lost ?? error.message.replace(/[\p{Cc}]+/gu, ' ');
    const reply = error.response === undefined ? undefined : readReply(error.response);
    this.#opening.resolve({ step: this.#step, why, reply, code });
    this.#end(why);
  }

  #end(why: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = why;
    this.#deadline?.clear();
    this.#opening.resolve({ step: this.#step, why });
    for (const waiting of this.#waiting.splice(0)) waiting.settle({ kind: 'lost', why });
    for (const heard of [...this.#lossHeard]) heard();
    this.#lossHeard.clear();
  }

  /** The deadline of whoever waits first. */
  #arm(limitMs?: number): void {
    this.#deadline?.clear();
    const [first] = this.#waiting;
    if (first === undefined) return;
    const ms = limitMs ?? first.limitMs;
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#deadline = this.#clock.after(ms, () => this.destroy(`no answer to ${first.what} in ${ms} ms`));
  }

  #armOpening(): void {
    if (this.#isOpen || this.#lost !== undefined) return;
    this.#deadline?.clear();
    const ms = OPENING_DEADLINES_MS[this.#step];
    this.#deadline = this.#clock.after(ms, () =>
      this.destroy(`${OPENING_STEPS[this.#step]} took longer than ${ms} ms`),
    );
  }

  /** nodemailer tells its logger every line: how far the opening has come shows there. */
  #listener() {
    const heard = (entry: unknown, text: unknown) => {
      if (this.#isOpen) return;
      if (isAbout(entry, 'client')) this.#sent(String(text));
      else if (isAbout(entry, 'server')) this.#received(String(text));
    };
    // Told once the socket is ready, which is after the handshake where TLS comes first.
    const connected = (entry: unknown) => {
      if (this.#isOpen || !isAbout(entry, 'network')) return;
      this.#step = 'greeting';
      this.#armOpening();
    };
    const deaf = () => {};
    return { trace: deaf, debug: heard, info: connected, warn: deaf, error: deaf, fatal: deaf };
  }

  #sent(line: string): void {
    this.#step = line === 'STARTTLS' ? 'startTls' : 'ehlo';
    this.#armOpening();
  }

  #received(line: string): void {
    this.#serverLines.push(line);
    // The answer to STARTTLS that lets it begin; any other ends the opening.
    if (this.#step === 'startTls' && line.startsWith('2')) this.#step = 'handshake';
    this.#armOpening();
  }
}

function isAbout(entry: unknown, what: string): boolean {
  return typeof entry === 'object' && entry !== null && 'tnx' in entry && entry.tnx === what;
}

const ENGINE_DEADLINE_MS = 2 * FINAL_DEADLINE_MS;
/** What nodemailer's logger hears of our lines, which nobody reads. */
const MASKED = 'a line of ours';

const OPENING_DEADLINES_MS = {
  connect: GREETING_DEADLINE_MS,
  greeting: GREETING_DEADLINE_MS,
  ehlo: COMMAND_DEADLINE_MS,
  startTls: COMMAND_DEADLINE_MS,
  handshake: TLS_DEADLINE_MS,
} as const;

const OPENING_STEPS = {
  connect: 'connecting',
  greeting: 'the greeting',
  ehlo: 'the answer to EHLO',
  startTls: 'the answer to STARTTLS',
  handshake: 'the TLS handshake',
} as const;
