/**
 * A calendar that jumps under a server while it runs, by libfaketime; its monotonic clock goes on as ever, as when an administrator or
 * NTP sets the time.
 */

import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Teardown } from './sockets.ts';

const LIBRARY = [
  `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketimeMT.so.1`,
].find((path) => existsSync(path));

/** Why there is none here, or false. */
export const jumpingCalendarSkip: string | false =
  LIBRARY === undefined ? 'a calendar that jumps needs faketime' : false;

/** A calendar. */
export interface JumpingCalendar {
  /** The environment of the server that it holds for. */
  readonly env: Readonly<Record<string, string>>;
  /** Sets the calendar to so many days from the real one, negative for the past. */
  jump(days: number): void;
}

/** Makes a calendar that is right for now. */
export function createJumpingCalendar(t: Teardown): JumpingCalendar {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-calendar-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'offset');
  const jump = (days: number) => {
    // Whole or not at all, since it is read at any time.
    writeFileSync(`${file}.new`, `${days < 0 ? '-' : '+'}${Math.abs(days)}d\n`);
    renameSync(`${file}.new`, file);
  };
  jump(0);
  return {
    jump,
    env: {
      LD_PRELOAD: LIBRARY ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // Else what the file says is looked up every ten seconds.
      FAKETIME_CACHE_DURATION: '1',
      // Times of files are the file system's own.
      NO_FAKE_STAT: '1',
    },
  };
}
