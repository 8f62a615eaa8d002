/**
 * A flood of connections from a thread of its own: silent ones, and ones that dribble an octet each 200 ms; each that is closed
 * is opened again. Loopback has as many source addresses as a test may want (127.0.0.0/8).
 *
 * Used by the flood journey and by bench/connections.ts.
 */

import { connect, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** What is flooded, and how. */
export interface FloodOptions {
  readonly ports: readonly number[];
  /** Connections in all, evenly over ports and addresses. */
  readonly connections: number;
  /** Source addresses. */
  readonly addresses: readonly string[];
  /** How many of a hundred dribble; the others say nothing. */
  readonly dribblingPercent: number;
  /** How soon one that was closed is opened again. */
  readonly againMs: number;
}

/** What a flood has done. */
export interface FloodReport {
  /** Open now, as the flood sees it. */
  readonly open: number;
  /** Connections that were begun. */
  readonly begun: number;
  /** Connections that the other side has ended. */
  readonly ended: number;
}

/** A flood that goes on. */
export interface Flood {
  report(): Promise<FloodReport>;
  stop(): Promise<void>;
}

/** `count` source addresses, 127.9.x.y. */
export function sourceAddresses(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `127.9.${1 + (index >> 8)}.${index & 255}`);
}

/** Begins a flood; resolves once each connection was begun. */
export async function startFlood(options: FloodOptions): Promise<Flood> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { flood: options } });
  const next = () =>
    new Promise<FloodReport>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  await next();
  return {
    report() {
      const answer = next();
      worker.postMessage('report');
      return answer;
    },
    async stop() {
      await worker.terminate();
    },
  };
}

const DRIBBLE_PERIOD_MS = 200;
/** Begun in one turn of the event loop, so that the flood's own thread keeps up. */
const BURST = 200;

async function flood(options: FloodOptions): Promise<void> {
  const { ports, connections, addresses, dribblingPercent, againMs } = options;
  const open = new Set<Socket>();
  const dribbling = new Set<Socket>();
  let [begun, ended] = [0, 0];
  const begin = (slot: number): void => {
    begun += 1;
    const port = ports[slot % ports.length] ?? 0;
    const localAddress = addresses[slot % addresses.length];
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.on('connect', () => {
      open.add(socket);
      if (slot % 100 < dribblingPercent) dribbling.add(socket);
    });
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => {
      open.delete(socket);
      dribbling.delete(socket);
      ended += 1;
      setTimeout(begin, againMs, slot);
    });
  };
  setInterval(() => {
    for (const socket of dribbling) socket.write('N');
  }, DRIBBLE_PERIOD_MS);
  for (let slot = 0; slot < connections; slot += 1) {
    begin(slot);
    if (slot % BURST === BURST - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  parentPort?.on('message', () => parentPort?.postMessage({ open: open.size, begun, ended }));
  parentPort?.postMessage({ open: open.size, begun, ended });
}

if (!isMainThread && workerData?.flood !== undefined) await flood(workerData.flood);
