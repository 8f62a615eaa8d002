/**
 * The writer thread: the only owner of the connection that writes.
 *
 * It opens and migrates the database, then takes every job that is waiting, runs them as one batch, commits once, answers
 * them all with one message, and looks again. There is no gathering timer: what arrived while the last commit ran is the
 * next batch. An error that is not a job's own ends the thread, which the main side tells loudly.
 */

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

import { assertDurable, type Connection, openForWriting } from '../connection.ts';
import { packFailure } from '../failure.ts';
import { ALONE_JOBS, type AloneKind } from '../jobs/table.ts';
import { BATCH_LIMIT_BYTES, BATCH_LIMIT_JOBS } from '../limits.ts';
import { migrate, readSchemaSteps } from '../migrate.ts';
import { type BatchOutcome, runBatch, type WriterState } from './batch.ts';
import { ContentIds } from './contentIds.ts';
import { markOpened } from './firstWrite.ts';
import { OpenDrafts } from './openDrafts.ts';
import type { JobRequest, WriterData, WriterReply } from './protocol.ts';

if (parentPort === null) throw new Error('writer/worker.ts runs as a worker thread only');
start(parentPort, workerData as WriterData);

function start(port: MessagePort, data: WriterData): void {
  let db: Connection | undefined;
  try {
    db = openForWriting(data.path);
    const copiedTo = migrate(db, data.path, readSchemaSteps());
    const batch = markOpened(db, data.now);
    assertDurable(db);
    const { mailboxesPerAccountLimit } = data;
    const state = {
      db,
      contentIds: new ContentIds(db),
      drafts: new OpenDrafts(),
      mailboxesPerAccountLimit,
    };
    serve(port, state, batch);
    tell(port, { kind: 'ready', batch, copiedTo });
  } catch (error) {
    db?.close();
    tell(port, { kind: 'refused', failure: packFailure(error) });
    port.close();
  }
}

function serve(port: MessagePort, state: WriterState, lastBatch: number): void {
  let batch = lastBatch;
  const waiting: JobRequest[] = [];
  port.on('message', (first: readonly JobRequest[] | 'close') => {
    let isClosing = accept(waiting, first);
    while (!isClosing || waiting.length > 0) {
      isClosing = drain(port, waiting) || isClosing;
      if (waiting.length === 0) break;
      batch += 1;
      const outcome = runNext(state, batch, waiting);
      tell(port, { kind: 'batch', batch, ...outcome }, outcome.buffers);
    }
    if (!isClosing) return;
    state.db.close();
    port.close();
  });
}

/** Takes everything that has arrived; answers whether the close has. */
function drain(port: MessagePort, waiting: JobRequest[]): boolean {
  for (;;) {
    const received: { readonly message: readonly JobRequest[] | 'close' } | undefined =
      receiveMessageOnPort(port);
    if (received === undefined) return false;
    if (accept(waiting, received.message)) return true;
  }
}

function accept(waiting: JobRequest[], message: readonly JobRequest[] | 'close'): boolean {
  if (message === 'close') return true;
  for (const request of message) waiting.push(request);
  return false;
}

function runNext(state: WriterState, batch: number, waiting: JobRequest[]): BatchOutcome {
  const first = waiting[0];
  if (first !== undefined && first.kind in ALONE_JOBS) {
    waiting.shift();
    return runAlone(state, first.kind as AloneKind);
  }
  return runBatch(state, batch, waiting.splice(0, batchLength(waiting)));
}

function runAlone(state: WriterState, kind: AloneKind): BatchOutcome {
  const nothing = { changes: [], buffers: [], failure: undefined };
  try {
    return { ...nothing, results: [{ isDone: true, output: ALONE_JOBS[kind](state.db) }] };
  } catch (error) {
    return { ...nothing, results: [{ isDone: false, failure: packFailure(error) }] };
  }
}

/** How many of the waiting jobs make the next batch: at least one. */
function batchLength(waiting: readonly JobRequest[]): number {
  let octets = 0;
  let length = 0;
  for (const request of waiting) {
    octets += request.octets;
    const isFull = length >= BATCH_LIMIT_JOBS || octets > BATCH_LIMIT_BYTES;
    if (length > 0 && (isFull || request.kind in ALONE_JOBS)) break;
    length += 1;
  }
  return length;
}

function tell(port: MessagePort, reply: WriterReply, buffers: readonly ArrayBuffer[] = []): void {
  port.postMessage(reply, buffers);
}
