/**
 * DEFLATE between a session and its socket (RFC 4978, RFC 1951): two streams that stand where the socket stood.
 *
 * Inflating goes on only as far as the session reads, so that a small input which stands for a large one waits compressed and
 * costs the memory of a step. Every batch of output ends with a sync flush: what the session has said, the peer can read.
 * Compression comes above TLS (RFC 4978 section 3) and never below it: Node turns TLS compression off (CRIME).
 * Trust: input is damaged or a bomb; both end the input with a MailError. Output is trusted and only ever as fast as the peer.
 */

import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';

import { MailError } from '../base/error.ts';
import { KIB, MIB } from '../base/units.ts';

/**
 * Octets that an octet of input may stand for, beyond INFLATE_FREE_OCTETS. DEFLATE itself ends at 1032; commands and mail stay
 * below 20, and a disk image of zeros in base64 at about 200.
 */
export const INFLATE_RATIO_LIMIT = 250;
/** Octets of input, inflated, that any connection may have whatever they came from: a client's burst of equal commands. */
export const INFLATE_FREE_OCTETS = 16 * MIB;
/** What inflating and deflating yield at a time; an idle session keeps a buffer of this size for each. */
const STEP_OCTETS = 8 * KIB;

/**
 * The window looks 8 KiB back, a few responses, and the hash table has as much (zlib.h: 2^(windowBits+2) + 2^(memLevel+9)
 * octets): 64 KiB for a session, where zlib's defaults are 256. The level is the fastest: responses come to a third with it.
 * With the peer's window and the streams around them a compressed session has 170 KiB more resident memory (measured).
 */
const DEFLATE_OPTIONS = {
  windowBits: 13,
  memLevel: 6,
  level: constants.Z_BEST_SPEED,
  chunkSize: STEP_OCTETS,
};
/** The peer chooses its window: at most 32 KiB and some tables. A stream that breaks off is an end like any other. */
const INFLATE_OPTIONS = { windowBits: 15, chunkSize: STEP_OCTETS, finishFlush: constants.Z_SYNC_FLUSH };

/** A socket's two directions under compression. Both are destroyed when the socket closes. */
export interface CompressedStreams {
  readonly source: Readable;
  /** Ends the socket when it is ended. */
  readonly sink: Writable;
  /** Inflates no more; the socket is its owner's to read. */
  stopInflating(): void;
}

/**
 * Puts compression on `socket`, which nobody reads any more; `received` are octets that it gave already. `onFailure` hears why
 * the input has ended early: `invalid` (no DEFLATE data) or `limit` (INFLATE_RATIO_LIMIT).
 */
export function compressSocket(
  socket: Socket,
  received: Buffer,
  onFailure: (error: MailError) => void,
): CompressedStreams {
  const sink = createSink(socket);
  const { source, stopInflating } = createSource(socket, received, onFailure);
  socket.once('close', () => {
    sink.destroy();
    source.destroy();
  });
  return { source, sink, stopInflating };
}

function createSource(
  socket: Socket,
  received: Buffer,
  onFailure: (error: MailError) => void,
): Pick<CompressedStreams, 'source' | 'stopInflating'> {
  const inflate = createInflateRaw(INFLATE_OPTIONS);
  let inflatedOctets = 0;
  const stopInflating = () => {
    socket.unpipe(inflate);
    inflate.destroy();
  };
  const source = new Readable({
    highWaterMark: STEP_OCTETS,
    read: () => {
      inflate.resume();
    },
    destroy: (error, callback) => {
      stopInflating();
      callback(error);
    },
  });
  const fail = (error: MailError) => {
    stopInflating();
    onFailure(error);
  };
  inflate.on('data', (octets: Buffer) => {
    inflatedOctets += octets.length;
    const allowance = INFLATE_FREE_OCTETS + inflate.bytesWritten * INFLATE_RATIO_LIMIT;
    if (inflatedOctets > allowance) fail(new MailError('limit', 'compressed input stands for too much'));
    else if (!source.push(octets)) inflate.pause();
  });
  inflate.on('end', () => source.push(null));
  inflate.on('error', (error) =>
    fail(new MailError('invalid', 'compressed input is damaged', { cause: error })),
  );
  inflate.pause();
  if (received.length > 0) inflate.write(received);
  socket.pipe(inflate);
  return { source, stopInflating };
}

function createSink(socket: Socket): Writable {
  const deflate = createDeflateRaw(DEFLATE_OPTIONS);
  deflate.on('data', (octets: Buffer) => {
    socket.write(octets);
  });
  const flush = (callback: () => void) => {
    deflate.flush(constants.Z_SYNC_FLUSH, () => {
      // What is still buffered goes out before anybody is told that all is.
      while (deflate.read() !== null);
      if (socket.writableNeedDrain) socket.once('drain', callback);
      else callback();
    });
  };
  const sink = new Writable({
    highWaterMark: socket.writableHighWaterMark,
    write: (octets: Buffer, _encoding, callback) => {
      deflate.write(octets);
      flush(callback);
    },
    writev: (pieces, callback) => {
      for (const { chunk } of pieces) deflate.write(chunk);
      flush(callback);
    },
    final: (callback) => {
      deflate.once('end', () => socket.end(() => callback()));
      deflate.end();
    },
    destroy: (error, callback) => {
      deflate.destroy();
      callback(error);
    },
  });
  return sink;
}
