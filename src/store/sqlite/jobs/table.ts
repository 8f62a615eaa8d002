/**
 * Every job that the writer thread knows, by name. The files beside this one hold them by topic; the writer client's `run`
 * takes its types from here.
 */

import type { Connection } from '../connection.ts';
import { checkpoint } from './checkpoint.ts';
import { DIRECTORY_JOBS } from './directory.ts';
import { TRACE_JOBS } from './trace.ts';

/** Jobs that run inside a batch's transaction. */
export const JOBS = {
  ...DIRECTORY_JOBS,
  ...TRACE_JOBS,
} as const;

/** Jobs that SQLite does not allow inside a transaction; each runs alone, between two batches. */
export const ALONE_JOBS = { checkpoint } as const satisfies Record<string, (db: Connection) => unknown>;

/** A name in JOBS. */
export type JobKind = keyof typeof JOBS;
/** A name in ALONE_JOBS. */
export type AloneKind = keyof typeof ALONE_JOBS;
/** What the job of this name takes. */
export type JobInput<Kind extends JobKind> = Parameters<(typeof JOBS)[Kind]>[1];
/** What the job of this name answers. */
export type JobOutput<Kind extends JobKind> = ReturnType<(typeof JOBS)[Kind]>;
/** What the lone job of this name answers. */
export type AloneOutput<Kind extends AloneKind> = ReturnType<(typeof ALONE_JOBS)[Kind]>;
