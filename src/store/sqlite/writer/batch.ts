/**
 * One batch: every job in a savepoint of its own, one COMMIT (which syncs), then one reply.
 *
 * A job that throws is undone alone. When SQLite gives the transaction up (full disk, some I/O errors) or COMMIT fails,
 * nothing of the batch was kept and every job of it fails alike. Changes leave here only with a batch that is on disk.
 */

import type { Change } from '../../contract/feed.ts';
import type { Connection } from '../connection.ts';
import { type Failure, packFailure } from '../failure.ts';
import type { Job, JobContext } from '../jobs/context.ts';
import { JOBS, type JobKind } from '../jobs/table.ts';
import { mergeChanges } from './changes.ts';
import type { ContentIds } from './contentIds.ts';
import type { OpenDrafts } from './openDrafts.ts';
import type { JobRequest, JobResult } from './protocol.ts';

/** What the writer thread keeps between batches. */
export interface WriterState {
  readonly db: Connection;
  readonly contentIds: ContentIds;
  readonly drafts: OpenDrafts;
  readonly mailboxesPerAccountLimit: number;
}

/** What became of a batch. */
export interface BatchOutcome {
  readonly results: readonly JobResult[];
  readonly changes: readonly Change[];
  /** Buffers that go back to the main thread. */
  readonly buffers: readonly ArrayBuffer[];
  /** Set when nothing of the batch was kept. */
  readonly failure: Failure | undefined;
}

/** Runs `jobs` as the batch of this number and commits. */
export function runBatch(state: WriterState, batch: number, jobs: readonly JobRequest[]): BatchOutcome {
  const { db } = state;
  const results: JobResult[] = [];
  const changes: Change[] = [];
  const buffers: ArrayBuffer[] = [];
  try {
    db.run('BEGIN IMMEDIATE');
    for (const job of jobs) results.push(runJob(state, batch, job, changes, buffers));
    db.run('COMMIT');
    state.drafts.batchDone();
    return { results, changes: mergeChanges(changes), buffers, failure: undefined };
  } catch (error) {
    return giveUp(state, error, jobs, buffers);
  }
}

function runJob(
  state: WriterState,
  batch: number,
  request: JobRequest,
  changes: Change[],
  buffers: ArrayBuffer[],
): JobResult {
  const { db } = state;
  const published: Change[] = [];
  db.run('SAVEPOINT job');
  try {
    const job = JOBS[request.kind as JobKind] as Job<unknown, unknown>;
    const output = job(db, request.input, contextOf(state, batch, request, published, buffers));
    db.run('RELEASE job');
    state.drafts.jobDone();
    changes.push(...published);
    return { isDone: true, output };
  } catch (error) {
    // SQLite has given up the whole transaction by itself: so must we.
    if (!db.isInTransaction) throw error;
    db.run('ROLLBACK TO job');
    db.run('RELEASE job');
    state.contentIds.rolledBack();
    state.drafts.jobFailed(error);
    return { isDone: false, failure: packFailure(error) };
  }
}

function contextOf(
  state: WriterState,
  batch: number,
  request: JobRequest,
  published: Change[],
  buffers: ArrayBuffer[],
): JobContext {
  return {
    now: request.now,
    batch,
    drafts: state.drafts,
    mailboxesPerAccountLimit: state.mailboxesPerAccountLimit,
    newContentId: () => state.contentIds.take(),
    publish: (change) => void published.push(change),
    giveBack: (buffer) => void buffers.push(buffer),
  };
}

function giveUp(
  state: WriterState,
  error: unknown,
  jobs: readonly JobRequest[],
  buffers: readonly ArrayBuffer[],
): BatchOutcome {
  if (state.db.isInTransaction) state.db.run('ROLLBACK');
  state.contentIds.rolledBack();
  state.drafts.batchFailed(error);
  const failure = packFailure(error);
  return { results: jobs.map(() => ({ isDone: false, failure })), changes: [], buffers, failure };
}
