/**
 * The search thread from the main side: started when it is first needed, asked, and started anew when it has died.
 *
 * Whatever waits for a thread that dies fails as temporary; the next request starts another one. A thread that does not answer
 * in time is ended. The log says so loudly.
 */

import { Worker } from 'node:worker_threads';

import type { Clock, Timer } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { ASK_DEADLINE_MS, CLOSE_DEADLINE_MS, THREAD_HEAP_MIB } from './limits.ts';
import type { SearchReply, SearchRequest, SearchThreadData } from './protocol.ts';

/** What the thread answers to a request. */
export type Answered = Extract<SearchReply, { readonly kind: 'answered' | 'indexed' }>;

interface Waiting {
  readonly timer: Timer | undefined;
  readonly resolve: (reply: Answered) => void;
  readonly reject: (error: MailError) => void;
}

/** The thread, or the threads one after the other. */
export class SearchThreadClient {
  readonly #data: SearchThreadData;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onDeath: () => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #threads = 0;
  #requests = 0;
  #isClosed = false;

  constructor(data: SearchThreadData, clock: Clock, log: Log, onDeath: () => void) {
    this.#onDeath = onDeath;
    this.#data = data;
    this.#clock = clock;
    this.#log = log;
  }

  /** Counts the threads so far; a search that was begun with an earlier one has died with it. */
  get threads(): number {
    return this.#threads;
  }

  /** Starts a thread where none lives. Errors: `shuttingDown`. */
  start(): void {
    if (this.#isClosed) throw new MailError('shuttingDown', 'the search room is closed');
    if (this.#worker !== undefined) return;
    this.#threads += 1;
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: this.#data,
      name: 'search',
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB },
    });
    this.#worker = worker;
    worker.on('message', (reply: SearchReply) => this.#hear(reply));
    worker.on('error', (error) => this.#died(worker, error));
    worker.on('exit', (exitCode) => this.#died(worker, new Error(`exit code ${exitCode}`)));
  }

  /** Asks; `deadlineMs` after it the thread is ended. Errors: those of the thread, `storeUnavailable`, `shuttingDown`. */
  ask(make: (request: number) => SearchRequest, hasDeadline = true): Promise<Answered> {
    return new Promise((resolve, reject) => {
      this.start();
      this.#requests += 1;
      const request = this.#requests;
      const late = new MailError(
        'deadlineExceeded',
        `the search thread took longer than ${ASK_DEADLINE_MS} ms`,
      );
      const timer = hasDeadline
        ? this.#clock.after(ASK_DEADLINE_MS, () => this.#died(this.#worker, late))
        : undefined;
      this.#waiting.set(request, { timer, resolve, reject });
      this.#worker?.postMessage(make(request));
    });
  }

  /** Says something that is not answered, to a thread that lives. */
  tell(request: SearchRequest): void {
    this.#worker?.postMessage(request);
  }

  /** Ends the thread; what waits rejects with `shuttingDown`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#rejectAll(new MailError('shuttingDown', 'the search room is closing'));
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'close' } satisfies SearchRequest);
    const timer = this.#clock.after(CLOSE_DEADLINE_MS, () => void worker.terminate());
    await ended;
    timer.clear();
  }

  #hear(reply: SearchReply): void {
    if (reply.kind === 'log') {
      this.#log[reply.level](reply.event, reply.fields);
      return;
    }
    const waiting = this.#waiting.get(reply.request);
    this.#waiting.delete(reply.request);
    waiting?.timer?.clear();
    if (reply.kind === 'failed') waiting?.reject(new MailError(reply.code, reply.message));
    else waiting?.resolve(reply);
  }

  #died(worker: Worker | undefined, error: unknown): void {
    if (worker === undefined || worker !== this.#worker) return;
    this.#worker = undefined;
    this.#log.error('search.thread.died', { error });
    this.#rejectAll(new MailError('storeUnavailable', 'the search thread has died', { cause: error }));
    void worker.terminate();
    this.#onDeath();
  }

  #rejectAll(error: MailError): void {
    for (const { timer, reject } of this.#waiting.values()) {
      timer?.clear();
      reject(error);
    }
    this.#waiting.clear();
  }
}
