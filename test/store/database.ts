/**
 * The writer's database without its thread, for tests that plant rows, look at tables or make a batch fail.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

import type { AccountId, MailboxId } from '../../src/base/ids.ts';
import { type Connection, openForWriting } from '../../src/store/sqlite/connection.ts';
import type { JobInput, JobKind, JobOutput } from '../../src/store/sqlite/jobs/table.ts';
import { MAILBOXES_PER_ACCOUNT } from '../../src/store/sqlite/limits.ts';
import { migrate, readSchemaSteps } from '../../src/store/sqlite/migrate.ts';
import { type BatchOutcome, runBatch, type WriterState } from '../../src/store/sqlite/writer/batch.ts';
import { ContentIds } from '../../src/store/sqlite/writer/contentIds.ts';
import { OpenDrafts } from '../../src/store/sqlite/writer/openDrafts.ts';
import type { JobRequest } from '../../src/store/sqlite/writer/protocol.ts';
import { TEST_CLOCK_START } from '../support/clock.ts';

/** A database, and batches on it. */
export interface Database {
  readonly path: string;
  readonly db: Connection;
  readonly state: WriterState;
  /** Runs jobs as one batch. */
  runAll(jobs: readonly JobRequest[]): BatchOutcome;
  /** Runs one job as a batch; throws its failure's code. */
  run<Kind extends JobKind>(kind: Kind, input: JobInput<Kind>): JobOutput<Kind>;
}

/** Opens a new database in a directory of its own; both are gone when `t` ends. `wrap` may put something between it and its jobs. */
export function openDatabase(t: Test, wrap = (connection: Connection) => connection): Database {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-test-'));
  const path = join(directory, 'hauspost.db');
  const db = openForWriting(path);
  t.teardown(() => {
    db.close();
    rmSync(directory, { recursive: true });
  });
  migrate(db, path, readSchemaSteps());
  const state = {
    db: wrap(db),
    contentIds: new ContentIds(db),
    drafts: new OpenDrafts(),
    mailboxesPerAccountLimit: MAILBOXES_PER_ACCOUNT,
  };
  let batch = 0;
  const runAll = (jobs: readonly JobRequest[]) => {
    batch += 1;
    return runBatch(state, batch, jobs);
  };
  return {
    path,
    db,
    state,
    runAll,
    run: <Kind extends JobKind>(kind: Kind, input: JobInput<Kind>) => {
      const [result] = runAll([request(kind, input)]).results;
      if (result?.isDone !== true) throw new Error(result?.failure.code);
      return result.output as JobOutput<Kind>;
    },
  };
}

/** A job to be run in a batch. */
export function request<Kind extends JobKind>(kind: Kind, input: JobInput<Kind>): JobRequest {
  return { kind, input, now: TEST_CLOCK_START, octets: 0 };
}

/** Plants an account; answers its id and its INBOX. */
export function plantAccount({ run, db }: Database): {
  readonly accountId: AccountId;
  readonly inbox: MailboxId;
} {
  run('addDomain', { name: 'app.example', changes: {} });
  const { id } = run('addAccount', { address: 'in@app.example', passwordHash: '$x$' });
  const inbox = db.value<MailboxId>('SELECT id FROM mailbox WHERE name = ?', '["INBOX"]');
  if (inbox === undefined) throw new Error('no INBOX');
  return { accountId: id, inbox };
}

/** Plants `count` entries of contents that are not there: enough for whatever looks at entries only. */
export function plantEntries({ db }: Database, mailboxId: MailboxId, count: number): void {
  db.run(
    `WITH RECURSIVE number (uid) AS (SELECT 1 UNION ALL SELECT uid + 1 FROM number WHERE uid < ?)
     INSERT INTO entry (mailbox_id, uid, content_id, modseq, flags, keywords_low, keywords_high, internal_at, zone_minutes,
       octets, pop3_octets, saved_at)
     SELECT ?, uid, uid, 2, 0, 0, 0, 0, 0, 100, 100, 0 FROM number`,
    count,
    mailboxId,
  );
  db.run(
    `UPDATE mailbox SET uid_next = ? + 1, highest_modseq = 2, messages = ?, unseen = ?, octets = 100 * ?,
       pop3_octets = 100 * ?
     WHERE id = ?`,
    count,
    count,
    count,
    count,
    count,
    mailboxId,
  );
}
