/**
 * What an error of the file system means for a drop directory, in words for an administrator.
 *
 * All of it is the directory's trouble and not the message's: what waits stays in the queue and is tried again by itself. Who names
 * an error here knows that it can be met (test/outbound/dropRelay.test.ts, dropFaults.test.ts).
 */

import { stat } from 'node:fs/promises';

import { systemErrorCode } from '../../base/systemError.ts';
import type { HopTrouble } from '../../transfer/relay.ts';

/** What is the matter with a directory, and what to do. */
interface Meaning {
  /** The rest of a sentence that begins with the directory. */
  readonly what: string;
  readonly advice: string;
}

const AWAY: Meaning = {
  what: 'cannot be reached: the share or disk that it is on is away',
  advice: 'mount it again, or see to the machine that has it',
};
const FORBIDDEN: Meaning = {
  what: 'cannot be written to: the service has no right to',
  advice: 'let the user that the service runs as write, list and rename there',
};
const FULL: Meaning = { what: 'is on a disk that is full', advice: 'make room there' };
const MANY_FILES: Meaning = {
  what: 'cannot be written to: too many files are open',
  advice: 'raise the limit of open files of the service (LimitNOFILE), and see what holds them open',
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: {
    what: 'is missing',
    advice: 'make the directory or mount what it is on, or set createDirectory = true',
  },
  ENOTDIR: { what: 'is no directory', advice: 'let drops[].directory name a directory' },
  ELOOP: { what: 'leads in a circle of symbolic links', advice: 'mend the links' },
  ENAMETOOLONG: { what: 'has too long a path', advice: 'choose a directory with a shorter path' },
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EROFS: {
    what: 'is on a file system that is read-only for the service',
    advice:
      'under systemd add ReadWritePaths= for it to the unit; else look why the system made it read-only (a disk that fails)',
  },
  ENOSPC: FULL,
  EDQUOT: {
    what: 'cannot be written to: the quota there is used up',
    advice: 'make room, or raise the quota',
  },
  EMFILE: MANY_FILES,
  ENFILE: MANY_FILES,
  EIO: {
    what: 'cannot be relied on: reading or writing there failed',
    advice: 'look in the log of the system for errors of its disk or share',
  },
  ESTALE: AWAY,
  ENOTCONN: AWAY,
  ENODEV: AWAY,
  ENXIO: AWAY,
  EHOSTDOWN: AWAY,
  EHOSTUNREACH: AWAY,
  ECONNABORTED: AWAY,
  ETIMEDOUT: AWAY,
};

/** The trouble that an error of the file system is. Answers what no table knows with the system's own code. */
export function troubleOf(directory: string, error: unknown): HopTrouble {
  const code = errorCode(error);
  const { what, advice } = MEANINGS[code] ?? {
    what: 'cannot be written to',
    advice: 'look at the directory and in the log of the system',
  };
  return { kind: 'unreachable', reason: `${shown(directory)} ${what} (${code})`, advice };
}

/** The same for an error in the midst of work: where the directory is there, it is a file of ours that is missing. Never rejects. */
export async function troubleIn(directory: string, error: unknown): Promise<HopTrouble> {
  const trouble = troubleOf(directory, error);
  const isThere =
    errorCode(error) === 'ENOENT' && (await stat(directory).catch(() => undefined)) !== undefined;
  if (!isThere) return trouble;
  const reason = `${shown(directory)} has lost a file that was being written`;
  const advice = 'let no other program remove files there whose names begin with a dot';
  return { kind: 'unreachable', reason, advice };
}

/** What a directory is that holds as many files as it may. */
export function fullTrouble(directory: string, fileLimit: number, retryAfterMs: number): HopTrouble {
  const reason = `${shown(directory)} holds ${fileLimit} files or more that nobody has fetched`;
  const advice = 'see to the application that is to fetch them, or raise fileLimit';
  return { kind: 'throttled', reason, advice, retryAfterMs };
}

/** What a directory is whose file system does not come back from an operation. */
export function silentTrouble(directory: string): HopTrouble {
  const { advice } = AWAY;
  return { kind: 'unreachable', reason: `${shown(directory)} does not answer`, advice };
}

/** The system's code of an error (`ENOSPC`), or what kind of error it is. */
export function errorCode(error: unknown): string {
  return systemErrorCode(error) ?? (error instanceof Error ? error.message : 'unknown');
}

/** A path in one line. */
export function shown(path: string): string {
  return path.replace(/[\p{Cc}\u2028\u2029]/gu, '?');
}
