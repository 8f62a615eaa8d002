/**
 * A listener in a thread of its own that takes nothing while it is blocked, so that a test sees what the system holds ready.
 *
 * Run as a worker: posts its port, then sleeps until the shared number is no longer 0.
 */

import { parentPort, workerData } from 'node:worker_threads';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import { openListener } from '../../src/net/listener.ts';

const listener = await openListener(
  {
    name: 'blocked',
    address: '127.0.0.1',
    port: 0,
    tls: 'none',
    caps: new ConnectionCaps({ total: 10_000, perAddress: 10_000 }),
    clock: systemClock,
    log: silentLog,
  },
  (socket) => void socket.resume(),
);
parentPort?.postMessage(listener.port);
// The message is on its way; what connects from here on waits in the system's queue.
Atomics.wait(new Int32Array(workerData as SharedArrayBuffer), 0, 0);
await listener.close(0);
