/**
 * Ports for those who can't choose one by listening on port 0: peers that are told theirs, and whoever goes away and comes back to it.
 */

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below Linux's range for itself (ip_local_port_range: 32768 and up). */
const OWN_PORTS = [20_000, 32_000] as const;

/**
 * A port of 127.0.0.1 that nobody listens on now. It is none of those that the system gives away, so that no listener or connection of
 * another test gets it before its owner comes, or comes back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...OWN_PORTS);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
