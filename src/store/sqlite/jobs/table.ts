/**
 * Every job that the writer thread knows, by name. The files beside this one hold them by topic; the writer client's `run`
 * takes its types from here.
 */

import type { Connection } from '../connection.ts';
import { APPEND_JOBS } from './append.ts';
import { checkpoint } from './checkpoint.ts';
import { CLAIM_JOBS } from './claimRows.ts';
import { COPY_JOBS } from './copy.ts';
import { DELIVER_JOBS } from './deliver.ts';
import { DERIVED_JOBS } from './derived.ts';
import { DIRECTORY_JOBS } from './directory.ts';
import { DRAFT_JOBS } from './drafts.ts';
import { EXPUNGE_JOBS } from './expunge.ts';
import { FLAG_JOBS } from './flags.ts';
import { HOP_JOBS } from './hopRows.ts';
import { LEASE_JOBS } from './lease.ts';
import { MAILBOX_JOBS } from './mailboxes.ts';
import { PROBE_JOBS } from './probe.ts';
import { QUEUE_CHANGE_JOBS } from './queueChange.ts';
import { REMOVED_MAILBOX_JOBS } from './removedMailboxes.ts';
import { RETENTION_JOBS } from './retention.ts';
import { SECRET_JOBS } from './secrets.ts';
import { SETTLE_JOBS } from './settle.ts';
import { SWEEP_JOBS } from './sweep.ts';
import { TRACE_JOBS } from './trace.ts';

/** Jobs that run inside a batch's transaction. */
export const JOBS = {
  ...DELIVER_JOBS,
  ...LEASE_JOBS,
  ...SETTLE_JOBS,
  ...QUEUE_CHANGE_JOBS,
  ...HOP_JOBS,
  ...CLAIM_JOBS,
  ...DRAFT_JOBS,
  ...APPEND_JOBS,
  ...FLAG_JOBS,
  ...EXPUNGE_JOBS,
  ...COPY_JOBS,
  ...MAILBOX_JOBS,
  ...DIRECTORY_JOBS,
  ...TRACE_JOBS,
  ...DERIVED_JOBS,
  ...REMOVED_MAILBOX_JOBS,
  ...RETENTION_JOBS,
  ...SECRET_JOBS,
  ...SWEEP_JOBS,
  ...PROBE_JOBS,
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
