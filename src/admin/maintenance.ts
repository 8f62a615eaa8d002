/**
 * The maintenance switch: while it is on, SMTP takes no mail in and says 421, and reading goes on.
 *
 * It stands in a file of the data directory, not in the store, so that it survives a restart, can be set before the first
 * start, holds while the store is moved or restored, and can be read and removed by hand. The file's presence is what
 * counts: one that cannot be read means that it is on, because mail that waits at its senders is safe for a day.
 */

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Clock, type Timer, type UnixMs, unixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { DAY_MS, MINUTE_MS } from '../base/units.ts';

/** The file in the data directory. */
export const MAINTENANCE_FILE = 'maintenance.json';
/** What senders are told unless the administrator says something else. */
export const MAINTENANCE_TEXT = 'Closed for maintenance, please try again later';
/** Characters of the text: with host name and code it fits a reply line of 512 octets (RFC 5321 section 4.5.3.1.5). */
export const MAINTENANCE_TEXT_LIMIT_CHARS = 200;
/** Longest maintenance that ends by itself; Exchange Online gives up after one day. */
export const MAINTENANCE_LIMIT_MINUTES = 30 * 24 * 60;

/** What holds while the switch is on. */
export interface MaintenanceState {
  readonly since: UnixMs;
  /** When it ends by itself; null when it does not. */
  readonly until: UnixMs | null;
  /** What senders are told: a line of ASCII. */
  readonly text: string;
  /** Whether it is written down, and so holds after a restart, too: a full disk may keep it from that. */
  readonly isKept: boolean;
}

/** The switch. */
export interface Maintenance {
  /** Undefined while it is off. */
  state(): MaintenanceState | undefined;
  /** Switches it on, or changes what holds. Errors: `invalid`. */
  on(options: {
    readonly minutes?: number | undefined;
    readonly text?: string | undefined;
  }): MaintenanceState;
  /** Answers whether it was on. Errors: `cannot` when the file stays. */
  off(): boolean;
  /** Ends its timer; the switch stays as it is. */
  close(): void;
}

/** What it is handed. */
interface MaintenanceOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads the switch as it was left. */
export function openMaintenance({ directory, clock, log }: MaintenanceOptions): Maintenance {
  const file = join(directory, MAINTENANCE_FILE);
  let current = read(file, clock.now(), log);
  let timer: Timer | undefined;
  const end = (reason: string): void => {
    timer?.clear();
    current = undefined;
    log.info('admin.maintenance.ended', { reason });
    remove(file);
  };
  const watch = (): void => {
    timer?.clear();
    const until = current?.until ?? null;
    if (until === null) return;
    const leftMs = until - clock.now();
    if (leftMs > 0) timer = clock.after(Math.min(leftMs, DAY_MS), watch);
    else endByItself(end, log);
  };
  if (current !== undefined) log.warn('admin.maintenance.on', describe(current));
  watch();
  return {
    state: () => {
      // The calendar may have jumped past the end before the timer runs.
      const isOver = current?.until != null && current.until <= clock.now();
      return isOver ? undefined : current;
    },
    on({ minutes, text = MAINTENANCE_TEXT }) {
      const since = current?.since ?? clock.now();
      const until = minutes === undefined ? null : unixMs(clock.now() + checkedMinutes(minutes) * MINUTE_MS);
      const state = { since, until, text: checkedText(text) };
      current = { ...state, isKept: write(file, state, log) };
      log.warn('admin.maintenance.on', describe(current));
      watch();
      return current;
    },
    off() {
      if (current === undefined) return false;
      end('switched off');
      return true;
    },
    close: () => timer?.clear(),
  };
}

function endByItself(end: (reason: string) => void, log: Log): void {
  try {
    end('its time is over');
  } catch (error) {
    log.error('admin.maintenance.file', { error });
  }
}

function describe({ until, text, isKept }: MaintenanceState): Record<string, unknown> {
  return { until: until === null ? null : new Date(until).toISOString(), text, isKept };
}

function checkedMinutes(minutes: number): number {
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= MAINTENANCE_LIMIT_MINUTES) return minutes;
  throw new MailError(
    'invalid',
    `Maintenance cannot last ${minutes} minutes; allowed: a whole number from 1 to ${MAINTENANCE_LIMIT_MINUTES}.`,
  );
}

function checkedText(text: string): string {
  if (text.length <= MAINTENANCE_TEXT_LIMIT_CHARS && /^[\x21-\x7e][\x20-\x7e]*$/.test(text)) return text;
  const allowed = `1 to ${MAINTENANCE_TEXT_LIMIT_CHARS} characters of ASCII on one line`;
  throw new MailError('invalid', `The text for senders cannot be “${text}”; allowed: ${allowed}.`);
}

function read(file: string, now: UnixMs, log: Log): MaintenanceState | undefined {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    log.error('admin.maintenance.file', { error });
    return { since: now, until: null, text: MAINTENANCE_TEXT, isKept: true };
  }
  try {
    const { since, until = null, text } = JSON.parse(content) as Record<string, unknown>;
    return {
      since: typeof since === 'number' ? unixMs(since) : now,
      until: typeof until === 'number' ? unixMs(until) : null,
      text: checkedText(String(text)),
      isKept: true,
    };
  } catch (error) {
    log.error('admin.maintenance.file', { error });
    return { since: now, until: null, text: MAINTENANCE_TEXT, isKept: true };
  }
}

/** Answers whether it is on disk, whole. */
function write(file: string, state: Omit<MaintenanceState, 'isKept'>, log: Log): boolean {
  const temporary = `${file}.new`;
  try {
    const descriptor = openSync(temporary, 'w', 0o600);
    try {
      writeFileSync(descriptor, `${JSON.stringify(state)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
    return true;
  } catch (error) {
    log.error('admin.maintenance.file', { error });
    return false;
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw new MailError(
      'cannot',
      `Maintenance is off, but ${file} cannot be removed: it would be on again after a restart.`,
      { cause: error },
    );
  }
}
