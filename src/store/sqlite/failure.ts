/**
 * What SQLite's errors mean to the rest of the house, and how an error travels from the writer thread to the main one.
 *
 * A full disk is `diskFull`; everything that says the database or the disk cannot be used now is `storeUnavailable`; a
 * statement that broke a constraint is a fault of ours and `internal`. MailErrors pass unchanged.
 */

import Database from 'better-sqlite3';

import { MailError, type MailErrorCode } from '../../base/error.ts';

/** An error in a form that survives a MessagePort. */
export interface Failure {
  readonly code: MailErrorCode;
  readonly message: string;
  readonly stack: string | undefined;
}

/** SQLite's primary result codes that mean: not now, and not because of what was asked. */
const UNAVAILABLE =
  /^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN|NOMEM|PROTOCOL|BUSY|LOCKED|PERM|AUTH)(_|$)/;
/** Those that say that the file itself is damaged. */
const DAMAGED = /^SQLITE_(CORRUPT|NOTADB)(_|$)/;

/** `error` as a MailError. */
export function asStoreError(error: unknown): MailError {
  if (error instanceof MailError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new MailError(codeOf(error), describe(error, message), { cause: error });
}

/** Whether SQLite found the database file itself damaged. */
export function isDamage(error: unknown): boolean {
  return error instanceof Database.SqliteError && DAMAGED.test(error.code);
}

/** Whether SQLite said it. */
export function isSqliteError(error: unknown): boolean {
  return error instanceof Database.SqliteError;
}

/** `error` packed for the way to another thread. */
export function packFailure(error: unknown): Failure {
  const mailError = asStoreError(error);
  const stack = error instanceof Error ? error.stack : undefined;
  return { code: mailError.code, message: mailError.message, stack };
}

/** The MailError that was packed; its cause carries the stack of the other thread. */
export function unpackFailure(failure: Failure): MailError {
  const cause = new Error(failure.message);
  if (failure.stack !== undefined) cause.stack = failure.stack;
  return new MailError(failure.code, failure.message, { cause });
}

function codeOf(error: unknown): MailErrorCode {
  if (!(error instanceof Database.SqliteError)) return 'internal';
  if (error.code === 'SQLITE_FULL') return 'diskFull';
  return UNAVAILABLE.test(error.code) ? 'storeUnavailable' : 'internal';
}

function describe(error: unknown, message: string): string {
  return error instanceof Database.SqliteError ? `${error.code}: ${message}` : message;
}
