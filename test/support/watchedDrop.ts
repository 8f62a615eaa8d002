/**
 * A drop directory whose application is in the test's hands: it sees files as they get their names, takes them at once or later, and says
 * what it got twice and whether that was to be expected.
 */

import { type FSWatcher, mkdirSync, readdirSync, readFileSync, unlinkSync, watch } from 'node:fs';
import { join } from 'node:path';

import { FILES_AT_A_TIME } from '../../src/outbound/drop/limits.ts';
import { readDropped } from '../outbound/dropSite.ts';
import { wholeName } from './killRig.ts';

/** What its reader has found, of messages that are known by name (killRig.ts). */
export interface FoundInDrop {
  readonly lost: readonly string[];
  readonly damaged: number;
  /** Came again although its reader had not taken it around a kill. */
  readonly undoubted: readonly string[];
  /** Files beyond the first ones. */
  readonly extra: number;
}

/** A drop directory with its reader. */
export class WatchedDrop {
  readonly #directory: string;
  /** Files that were read, by the name that their content has; undefined: damaged. */
  readonly #read: { readonly file: string; readonly name: string | undefined }[] = [];
  /** Files as they got their names; those that were there at the beginning come first. */
  #placed: string[] = [];
  /** Files that may not have been committed when the server was killed. */
  readonly #doubtful = new Set<string>();
  #watcher: FSWatcher | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory);
  }

  /** Resolves when so many files have come; takes them at once where it is to. */
  begin(takes: boolean, count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // That one of these goes is an event as well: counted as new ones, they pushed what is in doubt out of the last few.
    const before = this.#there();
    this.#placed = [...before];
    this.#watcher = watch(this.#directory, (event, file) => {
      if (event !== 'rename' || file === null || !isFinal(file) || this.#placed.includes(file)) return;
      this.#placed.push(file);
      if (this.#placed.length - before.length >= count) resolve();
      if (takes) this.takeAll();
    });
    return promise;
  }

  /** The server is gone. */
  end(): void {
    this.#watcher?.close();
    const unseen = this.#there().filter((file) => !this.#placed.includes(file));
    const last = [...this.#placed.slice(-2 * FILES_AT_A_TIME), ...unseen.slice(-2 * FILES_AT_A_TIME)];
    for (const file of last) this.#doubtful.add(file);
  }

  /** Reads and removes what is there. */
  takeAll(): void {
    for (const file of this.#there()) {
      const { message } = readDropped(file, readFileSync(join(this.#directory, file)));
      unlinkSync(join(this.#directory, file));
      this.#read.push({ file, name: wholeName(message) });
    }
  }

  /** What is known by now. */
  found(acknowledged: readonly string[]): FoundInDrop {
    const files = new Map<string, string[]>();
    let damaged = 0;
    for (const { file, name } of this.#read) {
      if (name === undefined) damaged += 1;
      else files.set(name, [...(files.get(name) ?? []), file]);
    }
    // A repeat has the name of the first file, and that one was taken around a kill.
    const isDoubtful = ([first, ...others]: readonly string[]) =>
      first !== undefined && this.#doubtful.has(first) && others.every((file) => file === first);
    const copies = [...files].filter(([, names]) => names.length > 1);
    return {
      lost: acknowledged.filter((name) => !files.has(name)),
      damaged,
      undoubted: copies.filter(([, names]) => !isDoubtful(names)).map(([name]) => name),
      extra: this.#read.length - damaged - files.size,
    };
  }

  #there(): readonly string[] {
    return readdirSync(this.#directory).filter(isFinal).sort();
  }
}

function isFinal(file: string): boolean {
  return file.endsWith('.eml') && !file.startsWith('.');
}
