/**
 * What the main thread and the writer thread say to each other.
 *
 * Requests travel in arrays (whatever one turn of the event loop brought), are answered in the order of asking, and are
 * answered only after the commit that they were part of. Everything here survives the structured clone.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { Change } from '../../contract/feed.ts';
import type { Failure } from '../failure.ts';
import type { AloneKind, JobKind } from '../jobs/table.ts';

/** What the writer's worker is started with. */
export interface WriterData {
  /** Path of the database. */
  readonly path: string;
  /** The calendar at the start. */
  readonly now: UnixMs;
  readonly mailboxesPerAccountLimit: number;
}

/** One job to run. */
export interface JobRequest {
  readonly kind: JobKind | AloneKind;
  readonly input: unknown;
  /** The calendar when it was asked for: jobs have no clock of their own. */
  readonly now: UnixMs;
  /** About how many octets it brings, for the batch's limit. */
  readonly octets: number;
}

/** How one job ended. */
export type JobResult =
  | { readonly isDone: true; readonly output: unknown }
  | { readonly isDone: false; readonly failure: Failure };

/** What the writer tells. */
export type WriterReply =
  | { readonly kind: 'ready'; readonly batch: number; readonly copiedTo: string | undefined }
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** The oldest unanswered jobs, as many as there are results. */
  | {
      readonly kind: 'batch';
      readonly batch: number;
      readonly results: readonly JobResult[];
      readonly changes: readonly Change[];
      /** Buffers of the jobs' inputs that may be used again. */
      readonly buffers: readonly ArrayBuffer[];
      /** Why nothing of the batch was kept, when COMMIT or SQLite itself gave it up. */
      readonly failure: Failure | undefined;
    };
