/**
 * smtp-server's parser with its data phase replaced: the library looks at each octet of a message, spends a buffer and a turn of the
 * event loop on each stuffed dot (20 MB of `..` lines: 7 s), and knows no chunks. Splitting commands stays the library's.
 *
 * Relies on smtp-server 3.21.6: `_write` hands every chunk of the data phase (`_dataMode`) to `_feedDataStream`, runs nothing
 * once `isClosed`, and calls `_flushData` at the end of the input. Made by EngineConnection._createParser.
 * Trust: octets of the client. A command line is bounded by the library at maxCommandLength, data by MessageBody's window.
 */

import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';

import { COMMAND_LINE_LIMIT_OCTETS } from '../limits.ts';
import type { Intake } from './intake.ts';

/**
 * Commands are worked off in pieces of this size: the library copies what is left of a piece at each BDAT in it, so that a segment
 * of 64 KiB full of one-octet chunks would cost the square of its length.
 */
const PIECE_OCTETS = 4096;

type Done = (error?: Error | null) => void;

/** The parser of one connection, or of one half of it before and after STARTTLS. */
export class EngineParser extends SMTPStream {
  readonly #onConsumed: () => void;
  #intake: Intake | undefined;

  /** `onConsumed` is called when what came has been worked off: then replies are written. */
  constructor(onConsumed: () => void) {
    super({ maxCommandLength: COMMAND_LINE_LIMIT_OCTETS });
    this.#onConsumed = onConsumed;
  }

  /** Takes lines of this length, for which COMMAND_LINE_LIMIT_OCTETS is too short. */
  limitLines(octets: number): void {
    this._maxCommandLength = octets;
  }

  /** What follows goes to `intake`, up to its end. */
  begin(intake: Intake): void {
    this.#intake = intake;
    this._dataMode = true;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding | 'buffer', next: Done): void {
    if (!this._dataMode && chunk.length > PIECE_OCTETS) {
      super._write(chunk.subarray(0, PIECE_OCTETS), encoding, (error) => {
        if (error) this.#refuse(error, next);
        else this._write(chunk.subarray(PIECE_OCTETS), encoding, next);
      });
      return;
    }
    super._write(chunk, encoding, (error) => {
      this.#onConsumed();
      if (error) this.#refuse(error, next);
      else next();
    });
  }

  override _feedDataStream(chunk: Buffer, done: Done): void {
    const intake = this.#intake;
    if (intake === undefined) {
      done();
      return;
    }
    const rest = intake.take(chunk);
    if (rest === undefined) {
      intake.whenRoom(done);
      return;
    }
    this._dataMode = false;
    this._remainder = '';
    this.#intake = undefined;
    intake.end(() => this._write(rest, 'buffer', done));
  }

  /** The library runs half a command when the input ends; half a command is none. */
  override _flushData(): void {}

  /** A line is too long. The stream tells it in the next turn, before which the rest of the line would run as a command. */
  #refuse(error: Error, next: Done): void {
    this.isClosed = true;
    next(error);
  }
}
