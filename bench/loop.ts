/**
 * Asks a server that is measured how long its event loop was held: `loopDelay.ts` is loaded into its process, and answers on a socket.
 */

import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

const HOOK = fileURLToPath(new URL('./loopDelay.ts', import.meta.url));

/** The environment of a server that can be asked on `socket`; BENCH_SERVER_OPTIONS are options of Node for it. */
export function loopHook(socket: string): Readonly<Record<string, string>> {
  const options = `--import ${HOOK} ${process.env.BENCH_SERVER_OPTIONS ?? ''}`;
  return { NODE_OPTIONS: options, BENCH_LOOP_SOCKET: socket };
}

/** How long the loop of the main thread was held at most since it was asked before, in ms. */
export function askLoop(socket: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = '';
    connect(socket)
      .on('data', (piece) => {
        answer += piece.toString();
      })
      .once('end', () => resolve(Number(answer)))
      .once('error', reject);
  });
}
