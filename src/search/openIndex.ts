/**
 * The index while it is in use: opened, checked against the store, dropped and begun anew when it turns out to be damaged.
 *
 * Nothing that happens to the index makes a search fail: where it cannot answer, messages are read. It answers only once it
 * has been checked: a restored database may have other contents under ids that the index knows.
 */

import { rmSync } from 'node:fs';

import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { isBrokenIndex, SearchIndex } from '../store/sqlite/searchIndex.ts';

/** The index of one data directory, or what is left of it. */
export class OpenIndex {
  readonly #path: string;
  readonly #log: Log;
  #index: SearchIndex | undefined;
  #generation = 0;
  #isChecked = false;
  #isClosed = false;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Counts the times that the index was begun anew: what was learnt from an earlier one is void. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether it has been checked against the store, so that it may answer. */
  get isChecked(): boolean {
    return this.#isChecked;
  }

  /** The index agrees with the store. */
  noteChecked(): void {
    this.#isChecked = true;
  }

  /** Asks the checked index; undefined where it has no answer. */
  ask<Answer>(question: (index: SearchIndex) => Answer): Answer | undefined {
    if (!this.#isChecked) return undefined;
    try {
      return this.work(question);
    } catch (error) {
      this.#log.warn('search.index.unanswered', { error });
      return undefined;
    }
  }

  /** Works on the index, checked or not. Errors: SQLite's, a damaged index being dropped before; `shuttingDown`. */
  work<Value>(task: (index: SearchIndex) => Value): Value {
    if (this.#isClosed) throw new MailError('shuttingDown', 'the index is closed');
    try {
      this.#index ??= SearchIndex.open(this.#path);
      return task(this.#index);
    } catch (error) {
      if (isBrokenIndex(error)) this.beginAnew(String(error));
      throw error;
    }
  }

  /** Drops the index; the next work begins a new one. */
  beginAnew(reason: string): void {
    this.#log.warn('search.index.dropped', { reason });
    this.#generation += 1;
    this.#isChecked = false;
    const index = this.#index;
    this.#index = undefined;
    index?.drop();
  }

  close(): void {
    this.#isClosed = true;
    this.#index?.close();
    this.#index = undefined;
  }
}

/** Deletes an index that is not wanted any more. */
export function deleteIndex(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
}
