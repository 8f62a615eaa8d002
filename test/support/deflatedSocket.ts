/**
 * A socket under COMPRESS=DEFLATE as a client has it: node:zlib on both directions, each write flushed.
 */

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';

/** Compresses what is written to the answer, inflates what `socket` brings, `received` first. */
export function deflatedSocket(socket: Duplex, received: Buffer = Buffer.alloc(0)): Socket {
  const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
  const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
  const ends = Object.assign(Duplex.from({ readable: inflate, writable: deflate }), {
    resetAndDestroy: () => (socket as Socket).resetAndDestroy(),
  });
  for (const stream of [deflate, inflate]) stream.on('error', () => {});
  socket.on('close', () => inflate.end());
  ends.on('close', () => socket.destroy());
  if (received.length > 0) inflate.write(received);
  socket.pipe(inflate);
  deflate.pipe(socket);
  return ends as unknown as Socket;
}
