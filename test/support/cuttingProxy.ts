/**
 * A proxy on 127.0.0.1 that cuts connections: each time that so many octets came from the server, over one connection or several.
 *
 * The client sees a reset in the middle of whatever it was told. (At an end without a reset mpop 1.4.18 writes line ends to its
 * delivery program for ever.) The server sees an end, so that its own close tells when it is through with the session:
 * `afterCut` looks at what is there then, before the next connection is let through.
 */

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

import type { Test } from 'tap';

/** Where it connects to, and where it cuts. */
export interface CuttingProxyOptions {
  readonly port: number;
  /** Octets from the server up to the first cut, from there to the second, and so on; then nothing is cut any more. */
  readonly cuts: readonly number[];
  /** Called once for each cut, before the next connection. */
  afterCut(): Promise<void>;
}

/** Opens the proxy for the time of the test; answers its port. */
export async function openCuttingProxy(t: Test, options: CuttingProxyOptions): Promise<number> {
  const cuts = [...options.cuts];
  const sockets = new Set<Socket>();
  let left = cuts.shift();
  let looked = Promise.resolve();
  const join = (client: Socket) => {
    const upstream = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
    sockets.add(upstream.on('error', () => {}));
    client.on('close', () => upstream.end());
    client.pipe(upstream);
    let isCut = false;
    upstream.on('close', () => client.end());
    upstream.on('data', (octets: Buffer) => {
      if (isCut) return;
      client.write(octets.subarray(0, left));
      if (left === undefined) return;
      left -= octets.length;
      if (left > 0) return;
      isCut = true;
      left = cuts.shift();
      looked = once(upstream, 'close').then(() => options.afterCut());
      client.unpipe(upstream);
      client.resetAndDestroy();
    });
  };
  const server: Server = createServer((client) => {
    sockets.add(client.on('error', () => {}));
    void looked.then(() => join(client));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
