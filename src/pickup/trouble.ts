/**
 * What went wrong with a file or a directory, since when, and how an error of the system reads.
 *
 * A trouble lasts as long as its code stays the same: logs tell of it once, and alarms say what has lasted.
 */

import { MailError } from '../base/error.ts';
import { codeOf } from './moveFile.ts';

/** Something that does not work for now. */
export interface Trouble {
  /** `EACCES`, or the code of a MailError. */
  readonly code: string;
  /** What an administrator reads: a part of a sentence. */
  readonly reason: string;
  /** Monotonic: since when nothing else happened. */
  readonly sinceMs: number;
}

/** What errors of the system mean, for who does not know their names. */
const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'not permitted',
  ENOENT: 'it does not exist',
  ENOTDIR: 'it is not a directory',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  EIO: 'the disk or share has an input/output error',
  ESTALE: 'the share has lost the file (stale handle)',
  EBUSY: 'it is in use',
  ETIMEDOUT: 'the share does not answer',
  EHOSTDOWN: "the share's server is down",
  ENOTCONN: 'the share is not connected',
  ELOOP: 'it is a symbolic link',
};

/** An error as a part of a sentence. */
export function reasonOf(error: unknown): string {
  if (error instanceof MailError) return error.message;
  const code = codeOf(error);
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  const meaning = MEANINGS[code];
  return meaning === undefined ? code : `${meaning} (${code})`;
}

/** An error as trouble; what was there already goes on. */
export function troubleOf(error: unknown, nowMs: number, before: Trouble | undefined): Trouble {
  const code = error instanceof MailError ? error.code : (codeOf(error) ?? 'internal');
  const sinceMs = before?.code === code ? before.sinceMs : nowMs;
  return { code, reason: reasonOf(error), sinceMs };
}
