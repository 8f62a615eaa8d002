/**
 * The search thread: hands what the main side asks to the searcher, and the answers back.
 *
 * An error that is nobody's request ends the thread, and the main side (thread.ts) starts another one when it is needed.
 */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';

import type { SearchRequest, SearchThreadData } from './protocol.ts';
import { Searcher } from './searcher.ts';

if (parentPort === null) throw new Error('search/worker.ts runs as a worker thread only');
serve(parentPort, workerData as SearchThreadData);

function serve(port: MessagePort, data: SearchThreadData): void {
  const searcher = new Searcher(data, (reply) => port.postMessage(reply));
  port.on('message', (request: SearchRequest) => {
    switch (request.kind) {
      case 'ask':
        return void searcher.ask(request);
      case 'end':
        return searcher.end(request.search);
      case 'index':
        return void searcher.index(request);
      case 'close':
        searcher.close();
        return port.close();
    }
  });
}
