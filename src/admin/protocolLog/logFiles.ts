/**
 * The files of the protocol log: rows of JSON in `protocol-log/` of the data directory, readable by their owner alone.
 *
 * write() returns at once and never throws: rows wait in a bounded queue for the disk, and what there is no room for, or the disk
 * does not take, is dropped, counted, and said in the log as soon as it takes something again. A new file begins when one is
 * full; the oldest go when all are too large together, or too old.
 */

import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock, Timer } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { FAULT_PERIOD_MS, FILE_COUNT, PRUNE_PERIOD_MS, QUEUE_LIMIT_OCTETS } from './limits.ts';
import type { ProtocolLine } from './line.ts';

/** What the files are handed. */
export interface LogFilesOptions {
  /** Made when the first row is written. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Octets of all files together. */
  readonly sizeLimitOctets: number;
  /** How long a file is kept after its last row. */
  readonly retentionMs: number;
}

const NAME = /^protocol-[0-9TZ-]+\.jsonl$/;

/** Where the files of a data directory are. */
export function protocolLogDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'protocol-log');
}

/** The files in `directory`, oldest first; none where there is no such directory. */
export async function logFileNames(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => NAME.test(name)).sort();
}

/** Writes rows. */
export class LogFiles {
  readonly #options: LogFilesOptions;
  readonly #prunes: Timer;
  #queue: string[] = [];
  #queuedOctets = 0;
  #unsaid = 0;
  #dropped = 0;
  #working: Promise<void> | undefined;
  #file: { readonly handle: FileHandle; octets: number } | undefined;
  #sequence = 0;
  #saidFaultMs = Number.NEGATIVE_INFINITY;

  constructor(options: LogFilesOptions) {
    this.#options = options;
    this.#prunes = options.clock.every(PRUNE_PERIOD_MS, () => {
      // A file that is open must not be deleted: what is written to it later would be nowhere.
      this.#work(() => this.#closeFile());
      this.#work(() => this.#prune());
    });
    this.#work(() => this.#prune());
  }

  /** Lines that were dropped since the start. */
  get droppedLines(): number {
    return this.#dropped;
  }

  /** Puts a line in the queue. */
  write(line: ProtocolLine): void {
    const row = `${JSON.stringify(line)}\n`;
    if (this.#queuedOctets + row.length > QUEUE_LIMIT_OCTETS) {
      this.#drop(1);
      return;
    }
    this.#queue.push(row);
    this.#queuedOctets += row.length;
    if (this.#queue.length === 1) this.#work(() => this.#drain());
  }

  /** Resolves when what was written by now is in the files, or lost. */
  async flushed(): Promise<void> {
    await this.#working;
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    this.#prunes.clear();
    this.#work(() => this.#closeFile());
    await this.#working;
  }

  /** One thing after the other. */
  #work(step: () => Promise<void>): void {
    const before = this.#working ?? Promise.resolve();
    this.#working = before.then(step).catch((error: unknown) => this.#sayFault(error));
  }

  async #drain(): Promise<void> {
    const rows = this.#queue;
    const unsaid = this.#unsaid;
    this.#queue = [];
    this.#queuedOctets = 0;
    this.#unsaid = 0;
    if (unsaid > 0) rows.unshift(this.#droppedRow(unsaid));
    try {
      await this.#append(rows.join(''));
    } catch (error) {
      this.#unsaid += unsaid;
      this.#drop(rows.length - (unsaid > 0 ? 1 : 0));
      await this.#closeFile().catch(() => {});
      throw error;
    }
  }

  #droppedRow(count: number): string {
    const at = new Date(this.#options.clock.now()).toISOString();
    const text = `${count} lines were dropped: the disk was too slow or took nothing`;
    return `${JSON.stringify({ at, direction: '-', text } satisfies ProtocolLine)}\n`;
  }

  async #append(rows: string): Promise<void> {
    const octets = Buffer.byteLength(rows);
    if (this.#file !== undefined && this.#file.octets + octets > this.#fileLimitOctets)
      await this.#closeFile();
    this.#file ??= await this.#openFile();
    await this.#file.handle.appendFile(rows);
    this.#file.octets += octets;
  }

  get #fileLimitOctets(): number {
    return this.#options.sizeLimitOctets / FILE_COUNT;
  }

  async #openFile() {
    const { directory, clock } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await this.#prune();
    this.#sequence += 1;
    const time = new Date(clock.now()).toISOString().replace(/[:.]/g, '-');
    const name = `protocol-${time}-${String(this.#sequence).padStart(6, '0')}.jsonl`;
    return { handle: await open(join(directory, name), 'ax', 0o600), octets: 0 };
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }

  /** Deletes files that are too old, and the oldest until there is room for a new one. */
  async #prune(): Promise<void> {
    const { directory, clock, sizeLimitOctets, retentionMs } = this.#options;
    let room = sizeLimitOctets - this.#fileLimitOctets;
    for (const name of [...(await logFileNames(directory))].reverse()) {
      const path = join(directory, name);
      const { size, mtimeMs } = await stat(path);
      room -= size;
      if (room < 0 || mtimeMs < clock.now() - retentionMs) await rm(path, { force: true });
    }
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#unsaid += count;
  }

  #sayFault(error: unknown): void {
    const { clock, log } = this.#options;
    if (clock.monotonic() - this.#saidFaultMs < FAULT_PERIOD_MS) return;
    this.#saidFaultMs = clock.monotonic();
    log.error('admin.protocolLog.failed', { error, dropped: this.#dropped });
  }
}
