/**
 * The lock of a data directory: one process at a time.
 *
 * A small SQLite file of its own is kept in an exclusive transaction for as long as the store is open. The operating system
 * lets go of it when the process ends, however it ends, and it works on Windows as well; no stale lock can be left behind.
 * Who holds it stands in a file beside, for the message only. The transaction never writes, so the file stays empty.
 */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';

import { MailError } from '../../base/error.ts';

/** A lock that is held. */
export interface DirectoryLock {
  /** Lets go; may be called more than once. */
  release(): void;
}

/** Takes the lock of `directory`, which must exist. Errors: `cannot` when another process holds it. */
export function lockDirectory(directory: string): DirectoryLock {
  const holderPath = join(directory, 'hauspost.pid');
  const database = new Database(join(directory, 'hauspost.lock'), { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw error;
    throw new MailError('cannot', refusal(directory, readHolder(holderPath)), { cause: error });
  }
  writeFileSync(holderPath, `${process.pid}\n`, { mode: 0o600 });
  return {
    release: () => {
      if (!database.open) return;
      rmSync(holderPath, { force: true });
      database.close();
    },
  };
}

function refusal(directory: string, holder: string | undefined): string {
  const who = holder === undefined ? 'another process' : `the process with id ${holder}`;
  return `the data directory ${directory} is in use by ${who}: stop that one first, or name another data directory`;
}

function readHolder(path: string): string | undefined {
  try {
    return /^\d+$/.exec(readFileSync(path, 'utf8').trim())?.[0];
  } catch {
    return undefined;
  }
}
