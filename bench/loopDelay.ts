/**
 * Loaded into the server's process by NODE_OPTIONS=--import, as bench/loop.ts has it: tells, on a socket whose path is in
 * BENCH_LOOP_SOCKET, how long the event loop of the main thread was held at most since it was asked before, in ms.
 */

import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const path = process.env.BENCH_LOOP_SOCKET;
if (isMainThread && path !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  createServer((socket) => {
    socket.end(String(delay.max / 1e6));
    delay.reset();
  })
    .listen(path)
    .unref();
}
