/**
 * What a job of the writer thread is given beside the database and its input, and the shape of a job.
 *
 * A job is a plain function: it runs inside a savepoint of a transaction that it neither begins nor ends, has no clock, no
 * log and no I/O beside the database, and throws to undo itself alone.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { ContentId } from '../../../base/ids.ts';
import type { Change } from '../../contract/feed.ts';
import type { Connection } from '../connection.ts';
import type { OpenDrafts } from '../writer/openDrafts.ts';

/** A job's surroundings. */
export interface JobContext {
  /** The calendar when the job was asked for. */
  readonly now: UnixMs;
  /** The number of the running batch; grows by one with each. */
  readonly batch: number;
  /** Drafts that have pieces on disk. */
  readonly drafts: OpenDrafts;
  readonly mailboxesPerAccountLimit: number;
  /** A content id that was never given before. */
  newContentId(): ContentId;
  /** Puts a change on the feed, if the job succeeds and after the commit. */
  publish(change: Change): void;
  /** Hands a buffer of the job's input back to the main thread with the reply, for reuse. */
  giveBack(buffer: ArrayBuffer): void;
}

/** A job: input to output, both of which survive the structured clone. */
export type Job<Input, Output> = (db: Connection, input: Input, context: JobContext) => Output;
