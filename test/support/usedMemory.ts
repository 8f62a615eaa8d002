/**
 * Loaded into the server's process by --import, for the soak alone: tells, on a socket whose path is in
 * SOAK_MEMORY_SOCKET, how many octets the main thread's objects and buffers have once what is dead has been collected.
 *
 * Resident memory follows the collector's habits for minutes; this does not, so that a minute is enough to see a leak.
 */

import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const path = process.env.SOAK_MEMORY_SOCKET;
if (isMainThread && path !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  createServer((socket) => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    socket.end(String(heapUsed + external));
  })
    .listen(path)
    .unref();
}
