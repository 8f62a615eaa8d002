/**
 * The main thread's side of the writer: asks for jobs, and hears of them after their commit.
 *
 * What one turn of the event loop asks for goes over in one message. When the thread dies, everything that waits is rejected
 * with `storeUnavailable`, the log says so loudly, and nothing is taken any more: a process with half a store must not
 * answer 250.
 */

import { Worker } from 'node:worker_threads';

import type { Clock } from '../../../base/clock.ts';
import { MailError } from '../../../base/error.ts';
import type { Log } from '../../../base/log.ts';
import type { Change } from '../../contract/feed.ts';
import { asStoreError, type Failure, unpackFailure } from '../failure.ts';
import type { AloneKind, AloneOutput, JobInput, JobKind, JobOutput } from '../jobs/table.ts';
import { MAILBOXES_PER_ACCOUNT } from '../limits.ts';
import type { JobRequest, JobResult, WriterData, WriterReply } from './protocol.ts';

/** What the writer needs. */
export interface WriterOptions {
  /** Path of the database. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** MAILBOXES_PER_ACCOUNT unless set. */
  readonly mailboxesPerAccountLimit?: number | undefined;
  /** Hears what changed, after the commit and after the jobs' promises are settled. */
  readonly onChanges: (changes: readonly Change[]) => void;
  /** Hears once that the thread has died: nothing is taken any more. */
  readonly onDeath?: () => void;
  /** Takes back buffers that were transferred with a job's input. */
  readonly onBuffers: (buffers: readonly ArrayBuffer[]) => void;
}

/** What a job brings beside its input. */
export interface Freight {
  /** About how many octets, for the batch's limit. */
  readonly octets: number;
  /** Buffers that go over to the writer thread for good. */
  readonly transfer: readonly ArrayBuffer[];
}

/** A job that was asked for and not answered yet. */
interface Waiting {
  readonly request: JobRequest;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: MailError) => void;
}

type BatchReply = Extract<WriterReply, { readonly kind: 'batch' }>;

const NO_FREIGHT: Freight = { octets: 0, transfer: [] };

/** Starts the writer thread; resolves when the database is open and has taken its first write. */
export function startWriter(options: WriterOptions): Promise<Writer> {
  const { path, clock, mailboxesPerAccountLimit = MAILBOXES_PER_ACCOUNT } = options;
  const data: WriterData = { path, now: clock.now(), mailboxesPerAccountLimit };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: data,
    name: 'store-writer',
  });
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new MailError('storeUnavailable', 'the writer thread ended while it opened'));
    worker.once('error', reject).once('exit', onExit);
    worker.once('message', (reply: WriterReply) => {
      worker.removeListener('error', reject).removeListener('exit', onExit);
      if (reply.kind === 'refused') reject(unpackFailure(reply.failure));
      if (reply.kind !== 'ready') return;
      if (reply.copiedTo !== undefined) options.log.info('store.schema.migrated', { copy: reply.copiedTo });
      resolve(new Writer(worker, options, reply.batch));
    });
  });
}

/** The writer, from the main thread. */
export class Writer {
  readonly #worker: Worker;
  readonly #options: WriterOptions;
  readonly #ended: Promise<void>;
  /** Not sent yet. */
  #outbox: Waiting[] = [];
  /** Sent, in this order. */
  readonly #waiting: Waiting[] = [];
  #isFlushDue = false;
  #refusal: MailError | undefined;
  #lastBatch: number;
  #lastFailure: Failure | undefined;
  #writes = 0;

  constructor(worker: Worker, options: WriterOptions, lastBatch: number) {
    this.#worker = worker;
    this.#options = options;
    this.#lastBatch = lastBatch;
    worker.on('message', (reply: BatchReply) => this.#settle(reply));
    worker.on('error', (error) => this.#died(error));
    worker.on('messageerror', (error) => this.#died(error));
    this.#ended = new Promise((resolve) => {
      worker.once('exit', (exitCode) => {
        if (this.waiting > 0 || this.#refusal === undefined) this.#died(new Error(`exit code ${exitCode}`));
        resolve();
      });
    });
  }

  /** The number of the last batch that is known to be on disk: what readers here see includes it. */
  get lastBatch(): number {
    return this.#lastBatch;
  }

  /** Jobs that are not answered yet. */
  get waiting(): number {
    return this.#waiting.length + this.#outbox.length;
  }

  /** Batches since the start that were meant to write. */
  get writes(): number {
    return this.#writes;
  }

  /** Why the last batch was not kept; undefined since one was. */
  get lastFailure(): Failure | undefined {
    return this.#lastFailure;
  }

  /** Why no job is taken any more; undefined while jobs are taken. */
  get refusal(): MailError | undefined {
    return this.#refusal;
  }

  /** Runs a job; resolves with its output after the commit is on disk. */
  run<Kind extends JobKind>(
    kind: Kind,
    input: JobInput<Kind>,
    freight: Freight = NO_FREIGHT,
  ): Promise<JobOutput<Kind>> {
    return this.#ask(kind, input, freight) as Promise<JobOutput<Kind>>;
  }

  /** Runs a job that cannot be part of a transaction. */
  runAlone<Kind extends AloneKind>(kind: Kind): Promise<AloneOutput<Kind>> {
    return this.#ask(kind, undefined, NO_FREIGHT) as Promise<AloneOutput<Kind>>;
  }

  /** Finishes what was asked, closes the database and ends the thread; whoever asks later gets `shuttingDown`. */
  async close(): Promise<void> {
    if (this.#refusal === undefined) {
      this.#flush();
      this.#refusal = new MailError('shuttingDown', 'the store is closing');
      this.#worker.postMessage('close');
    }
    await this.#ended;
  }

  #ask(kind: JobKind | AloneKind, input: unknown, freight: Freight): Promise<unknown> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return new Promise((resolve, reject) => {
      const request = { kind, input, now: this.#options.clock.now(), octets: freight.octets };
      this.#outbox.push({ request, transfer: freight.transfer, resolve, reject });
      if (this.#isFlushDue) return;
      this.#isFlushDue = true;
      setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    this.#isFlushDue = false;
    const outbox = this.#outbox;
    if (outbox.length === 0 || this.#refusal !== undefined) return;
    this.#outbox = [];
    if (this.#send(outbox) === undefined) return;
    // One of them cannot be cloned: the others must not suffer.
    for (const waiting of outbox) {
      const error = this.#send([waiting]);
      if (error !== undefined) waiting.reject(error);
    }
  }

  /** Sends jobs in one message; answers why they could not be sent. */
  #send(outbox: readonly Waiting[]): MailError | undefined {
    try {
      this.#worker.postMessage(
        outbox.map(({ request }) => request),
        outbox.flatMap(({ transfer }) => transfer),
      );
      for (const waiting of outbox) this.#waiting.push(waiting);
      return undefined;
    } catch (error) {
      return asStoreError(error);
    }
  }

  #settle(reply: BatchReply): void {
    this.#writes += 1;
    this.#noteHealth(reply);
    this.#options.onBuffers(reply.buffers);
    const answered = this.#waiting.splice(0, reply.results.length);
    answered.forEach((waiting, index) => {
      settleOne(waiting, reply.results[index]);
    });
    this.#options.onChanges(reply.changes);
  }

  #noteHealth(reply: BatchReply): void {
    if (reply.failure === undefined) {
      this.#lastBatch = reply.batch;
      if (this.#lastFailure !== undefined) this.#options.log.info('store.writes.recovered');
    } else {
      this.#options.log.error('store.batch.failed', {
        error: unpackFailure(reply.failure),
        jobs: reply.results.length,
      });
    }
    this.#lastFailure = reply.failure;
  }

  #died(error: unknown): void {
    const isNew = this.#refusal === undefined || this.#refusal.code === 'shuttingDown';
    if (isNew) this.#options.log.error('store.writer.died', { error });
    if (isNew) this.#options.onDeath?.();
    this.#refusal = new MailError('storeUnavailable', 'the writer thread has died', { cause: error });
    for (const waiting of [...this.#waiting.splice(0), ...this.#outbox.splice(0)])
      waiting.reject(this.#refusal);
    void this.#worker.terminate();
  }
}

function settleOne(waiting: Waiting, result: JobResult | undefined): void {
  if (result === undefined) return;
  if (result.isDone) waiting.resolve(result.output);
  else waiting.reject(unpackFailure(result.failure));
}
