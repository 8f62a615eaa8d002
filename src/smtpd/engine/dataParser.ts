/**
 * smtp-server's parser with the data phase replaced: the library looks at each octet of a message, and makes a buffer and a
 * turn of the event loop of each stuffed dot (facts/performance.md section 6, facts/reliability-security.md section 3).
 *
 * Relies on smtp-server 3.21.6: `_feedDataStream` gets every chunk of the data phase, `_endDataMode` ends it and hands the
 * rest back to the command phase, `startDataMode` begins it. Held by test/smtpd.
 */

import { SMTPStream } from 'smtp-server/lib/smtp-stream';
import type { SMTPServerDataStream } from 'smtp-server';
import { createDataDecoder, type DataDecoder } from '../../wire/smtp/dataDecoder.ts';

/** The parser of one connection. */
export class DataParser extends SMTPStream {
  #decoder: DataDecoder = createDataDecoder();

  /** Whether a message is arriving now. */
  get isInData(): boolean {
    return this._dataMode;
  }

  /** Whether we are the ones who keep the client waiting. */
  get isHeldBack(): boolean {
    return this._dataStream?.writableNeedDrain ?? false;
  }

  override startDataMode(limitOctets?: number | string | null): SMTPServerDataStream {
    this.#decoder = createDataDecoder();
    return super.startDataMode(limitOctets);
  }

  override _feedDataStream(chunk: Buffer, done: (error?: Error | null) => void): void {
    const stream = this._dataStream;
    const { octets, rest } = this.#decoder.push(chunk);
    this._countDataBytes(octets.length);
    if (rest !== undefined) {
      this._endDataMode(octets, rest, done);
      return;
    }
    if (stream === null || !stream.writable || octets.length === 0 || stream.write(octets)) {
      done();
      return;
    }
    const resume = () => {
      stream.removeListener('drain', resume);
      stream.removeListener('close', resume);
      done();
    };
    stream.once('drain', resume);
    stream.once('close', resume);
  }
}
