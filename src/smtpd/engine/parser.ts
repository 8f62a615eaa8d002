/**
 * smtp-server's parser with its data phase replaced: the library looks at each octet of a message, and spends a buffer and a turn
 * of the event loop on each stuffed dot (20 MB of `..` lines: 7 s). Splitting commands stays the library's.
 *
 * Relies on smtp-server 3.21.6: `_write` hands every chunk of the data phase (`_dataMode`) to `_feedDataStream`, runs nothing
 * once `isClosed`, and calls `_flushData` at the end of the input. Made by EngineConnection._createParser.
 * Trust: octets of the client. A command line is bounded by the library at maxCommandLength, data by MessageBody's window.
 */

import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';

import { createDataDecoder, type DataDecoder } from '../../wire/smtp/dataDecoder.ts';
import { COMMAND_LINE_LIMIT_OCTETS } from '../limits.ts';
import type { MessageBody } from './messageBody.ts';

type Done = (error?: Error | null) => void;

/** The parser of one connection, or of one half of it before and after STARTTLS. */
export class EngineParser extends SMTPStream {
  readonly #onConsumed: () => void;
  #body: MessageBody | undefined;
  #decoder: DataDecoder | undefined;
  #resume: (() => void) | undefined;

  /** `onConsumed` is called when a chunk has been worked off: then replies are written. */
  constructor(onConsumed: () => void) {
    super({ maxCommandLength: COMMAND_LINE_LIMIT_OCTETS });
    this.#onConsumed = onConsumed;
  }

  /** Takes lines of this length, for which COMMAND_LINE_LIMIT_OCTETS is too short. */
  limitLines(octets: number): void {
    this._maxCommandLength = octets;
  }

  /** What follows is data, up to its end, and goes to `body`; commands behind it wait for `continue`. */
  beginData(body: MessageBody): void {
    this.#body = body;
    this.#decoder = createDataDecoder();
    this._dataMode = true;
  }

  /** Goes on with what came behind the data. */
  override continue(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding | 'buffer', next: Done): void {
    super._write(chunk, encoding, (error) => {
      this.#onConsumed();
      next(error);
    });
  }

  override _feedDataStream(chunk: Buffer, done: Done): void {
    const body = this.#body;
    const decoded = this.#decoder?.push(chunk);
    if (body === undefined || decoded === undefined) {
      done();
      return;
    }
    const { octets, rest } = decoded;
    if (octets.length > 0) body.push(octets);
    if (rest === undefined) {
      body.whenRoom(done);
      return;
    }
    this._dataMode = false;
    this._remainder = '';
    this.#body = undefined;
    this.#decoder = undefined;
    this.#resume = () => this._write(rest, 'buffer', done);
    body.end();
  }

  /** The library runs half a command when the input ends; half a command is none. */
  override _flushData(): void {}
}
