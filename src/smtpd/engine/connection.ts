/**
 * smtp-server's connection with what it lacks: no wait before the greeting, deadlines that a dribbling client cannot reset, a
 * limit on refusals, replies of one turn in one write, enhanced status codes of our own.
 *
 * Relies on smtp-server 3.21.6: `init`, `_createParser`, `_onCommand`, `send`, `upgrade`, `_parseAddressCommand`,
 * `_handlerPending`, `_upgrading`.
 * `init` differs from the library's in its 100 ms timer alone, which was there to tell early talkers.
 * Trust: commands and their pace are the client's.
 */

import type { Socket } from 'node:net';

import type { SMTPServer } from 'smtp-server';
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection';

import type { Clock } from '../../base/clock.ts';
import {
  COMMAND_DEADLINE_MS,
  COMMAND_LINE_LIMIT_OCTETS,
  DATA_DEADLINE_MS,
  DATA_RATE_GRACE_MS,
  DATA_RATE_LIMIT_OCTETS,
  REFUSALS_LIMIT,
  SESSION_DEADLINE_MS,
} from '../limits.ts';
import { DataParser } from './dataParser.ts';

/** Text that brings its own enhanced status code (RFC 2034): the library's table is not asked then. */
const OWN_STATUS = /^[245]\.\d{1,3}\.\d{1,3} /;

const POSTMASTER = /^rcpt to:\s*<postmaster>\s*$/i;

/** A connection with a client. */
export class EngineConnection extends SMTPConnection {
  readonly #clock: Clock;
  /** What was listening for the socket's end before this connection. */
  readonly #ownersListeners: readonly ((hadError: boolean) => void)[];
  #commandSince: number;
  #progressSince: number;
  #dataSince: number | undefined;
  #refusals = 0;
  #isStopping = false;
  #isCorked = false;

  constructor(server: SMTPServer, socket: Socket, clock: Clock, options?: SMTPConnectionOptions | null) {
    super(server, socket, options);
    this.#clock = clock;
    this.#ownersListeners = socket.listeners('close') as ((hadError: boolean) => void)[];
    this.#commandSince = clock.monotonic();
    this.#progressSince = this.#commandSince;
  }

  /** Takes the connection into service and greets at once. Caps on connections are the listener's. */
  override init(): void {
    this._setListeners(() => this.connectionReady());
  }

  override _createParser(): DataParser {
    const parser = new DataParser({ maxCommandLength: COMMAND_LINE_LIMIT_OCTETS });
    parser.oncommand = (command, callback) => this._onCommand(command, callback);
    parser.on('error', () => this.send(421, '5.5.2 Command line too long'));
    return parser;
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    if (this.#isStopping) {
      this.send(421, '4.3.2 The server is shutting down');
      return;
    }
    super._onCommand(command, () => {
      this.#commandSince = this.#clock.monotonic();
      callback?.();
    });
  }

  /** RFC 5321 section 4.5.1: postmaster is taken without a domain as well, which the library's grammar refuses. */
  override _parseAddressCommand(
    name: string,
    command: Buffer | string,
  ): ReturnType<SMTPConnection['_parseAddressCommand']> {
    if (POSTMASTER.test(command.toString())) return { address: 'postmaster', args: false };
    return super._parseAddressCommand(name, command);
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const isOwn = typeof data === 'string' && OWN_STATUS.test(data);
    this.#cork();
    super.send(code, data, isOwn ? false : context);
    if (code < 400) return;
    this.#refusals += 1;
    if (this.#refusals >= REFUSALS_LIMIT && code !== 421) super.send(421, '4.7.0 Too many errors', false);
  }

  /** The library takes all listeners off the socket; those of its owner, who counts it until it closes, go back on. */
  override upgrade(callback: () => void, secureCallback?: () => void): void {
    const socket = this._socket;
    super.upgrade(callback, secureCallback);
    for (const listener of this.#ownersListeners) socket.on('close', listener);
  }

  /** A message was accepted: the session has made progress. */
  noteProgress(): void {
    this.#refusals = 0;
    this.#progressSince = this.#clock.monotonic();
  }

  /** Ends the session if a deadline has passed. While we are the ones who keep the client waiting, none runs. */
  checkDeadlines(): void {
    const now = this.#clock.monotonic();
    const parser = this._parser;
    if (this._closing || this._upgrading || !(parser instanceof DataParser)) return;
    if (parser.isInData) {
      this.#checkData(parser, now);
      return;
    }
    this.#dataSince = undefined;
    if (this._handlerPending || this._dataStream) {
      this.#commandSince = now;
      return;
    }
    if (now - this.#commandSince > COMMAND_DEADLINE_MS) this.send(421, '4.4.2 Too long without a command');
    else if (now - this.#progressSince > SESSION_DEADLINE_MS)
      this.send(421, '4.4.2 Too long without a message');
  }

  /** Ends the session politely: at once when it is between messages, else with the next command. */
  stop(): void {
    this.#isStopping = true;
    const isBusy = this._handlerPending || Boolean(this._dataStream);
    if (!isBusy && !this._closing) this.send(421, '4.3.2 The server is shutting down');
  }

  #checkData(parser: DataParser, now: number): void {
    this.#dataSince ??= now;
    if (parser.isHeldBack) return;
    const elapsed = now - this.#dataSince;
    const isSlow =
      elapsed > DATA_RATE_GRACE_MS && parser.dataBytes < (elapsed / 1000) * DATA_RATE_LIMIT_OCTETS;
    if (isSlow) this.send(421, '4.4.2 The message arrives too slowly');
    else if (elapsed > DATA_DEADLINE_MS) this.send(421, '4.4.2 The message takes too long');
  }

  /** Gathers what this turn of the event loop writes: a pipelined batch is answered in one segment. */
  #cork(): void {
    if (this.#isCorked || this._upgrading) return;
    this.#isCorked = true;
    const socket = this._socket;
    socket.cork();
    setImmediate(() => {
      this.#isCorked = false;
      socket.uncork();
    });
  }
}
