/**
 * Programs that write into a pickup directory, each in a way of its own: whole by a rename, in view, slowly, by a second name, from
 * another file system.
 *
 * A writer that pauses promises to pause for less than the time for which a file has to be still. Where the machine made it break
 * that promise it says so, and its file tells nothing about the server.
 */

import { randomInt } from 'node:crypto';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { appendFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** How a file comes into the directory. */
export type Way = (typeof WAYS)[number];

/** All ways; the last two take their time. */
export const WAYS = [
  /** Under an unfinished name in the directory, then renamed there. */
  'renamed',
  /** From beside the directory, by a rename. */
  'movedIn',
  /** At once, in view. */
  'inPlace',
  /** By a second name that is given in the directory, whereupon the first is taken away: as Maildir does. */
  'linked',
  /** From another file system, in view, with file times that are years old or to come. */
  'copied',
  /** Made empty, then written and closed line by line, as `echo >>` does. */
  'appended',
  /** Over time, the first pause in the middle of the header. */
  'slow',
] as const;

/** Where and how. */
export interface WriterOptions {
  readonly directory: string;
  /** On the same file system, not looked at by the server; made where it is missing. */
  readonly stage: string;
  /** On another file system; made where it is missing. */
  readonly elsewhere: string;
  /** The promise: no pause is as long. */
  readonly settleMs: number;
  /** Pauses of a slow writer, each for three quarters of the time. */
  readonly pauses?: number;
}

/** A file as it was written. */
export interface Written {
  readonly way: Way;
  /** Whether no pause was longer than promised. */
  readonly isKept: boolean;
}

/** Writes `octets` as `file` (a name) into the directory. */
export async function writeFileBy(
  way: Way,
  { directory, stage, elsewhere, settleMs, pauses = 4 }: WriterOptions,
  file: string,
  octets: Buffer,
): Promise<Written> {
  const path = join(directory, file);
  const staged = join(stage, file);
  mkdirSync(stage, { recursive: true });
  const kept = { way, isKept: true };
  switch (way) {
    case 'renamed':
      writeFileSync(`${path}.tmp`, octets);
      renameSync(`${path}.tmp`, path);
      return kept;
    case 'movedIn':
      writeFileSync(staged, octets);
      renameSync(staged, path);
      return kept;
    case 'inPlace':
      writeFileSync(path, octets);
      return kept;
    case 'linked':
      writeFileSync(staged, octets);
      linkSync(staged, path);
      unlinkSync(staged);
      return kept;
    case 'copied':
      mkdirSync(elsewhere, { recursive: true });
      writeFileSync(join(elsewhere, file), octets);
      copyFileSync(join(elsewhere, file), path);
      setOddTimes(path);
      rmSync(join(elsewhere, file));
      return kept;
    case 'appended':
      return { way, isKept: await append(path, octets, settleMs) };
    case 'slow':
      return { way, isKept: await writeSlowly(path, octets, settleMs, pauses) };
  }
}

/** The file may have been taken by now. */
function setOddTimes(path: string): void {
  try {
    const times = randomInt(2) === 0 ? 86_400 : 4_000_000_000;
    utimesSync(path, times, times);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function append(path: string, octets: Buffer, settleMs: number): Promise<boolean> {
  closeSync(openSync(path, 'wx'));
  let lastMs = performance.now();
  let longestMs = 0;
  const step = Math.max(40, Math.ceil(octets.length / 12));
  for (let at = 0; at < octets.length; at += step) {
    await appendFile(path, octets.subarray(at, at + step));
    longestMs = Math.max(longestMs, performance.now() - lastMs);
    lastMs = performance.now();
  }
  return longestMs < settleMs;
}

async function writeSlowly(path: string, octets: Buffer, settleMs: number, pauses: number): Promise<boolean> {
  const handle = await open(path, 'wx');
  let longestMs = 0;
  try {
    let at = 0;
    let lastMs = performance.now();
    for (let piece = 0; piece <= pauses; piece += 1) {
      // The header is some 300 octets long.
      const end =
        piece === pauses ? octets.length : 120 + Math.floor(((octets.length - 120) * piece) / pauses);
      if (piece > 0) await pause(settleMs * 0.75);
      writeSync(handle.fd, octets, at, end - at);
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
      at = end;
    }
  } finally {
    await handle.close();
  }
  return longestMs < settleMs;
}
