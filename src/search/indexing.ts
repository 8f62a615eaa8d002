/**
 * Keeps the index up to date, at low priority: small transactions, each followed by a pause three times as long, and none
 * while searches are under way if that can be helped.
 *
 * A round goes through the contents above the id up to which the last one came, in the order of ids, and then, now and then,
 * takes out what the store has deleted. The first sweep also checks the index against the store; before it nothing is asked.
 */

import type { Clock } from '../base/clock.ts';
import type { ContentId } from '../base/ids.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { Pacer } from '../base/pacer.ts';
import type { ContentPrint, ContentReader } from '../store/sqlite/contentReader.ts';
import type { FreeSpace } from '../store/sqlite/freeSpace.ts';
import type { IndexedDocument } from '../store/sqlite/searchIndex.ts';
import { readDocument } from './indexText.ts';
import {
  INDEX_BATCH_CHARS,
  INDEX_BATCH_CONTENTS,
  INDEX_BUSY_WAIT_MS,
  INDEX_PAUSE_MS,
  SWEEP_PERIOD_MS,
} from './limits.ts';
import type { OpenIndex } from './openIndex.ts';

/** What indexing works with. */
export interface IndexingOptions {
  readonly index: OpenIndex;
  readonly reader: ContentReader;
  readonly clock: Clock;
  readonly log: Log;
  /** Characters of a message's text that are indexed; a longer text is read at each search. */
  readonly textLimitChars: number;
  readonly space: Pick<FreeSpace, 'require'>;
  /** Whether searches are under way. */
  readonly isBusy: () => boolean;
}

/** How often a round waits for a moment without searches. */
const BUSY_LOOKS = INDEX_BUSY_WAIT_MS / INDEX_PAUSE_MS;
/** A pause is so many times the work before it. */
const PAUSE_FACTOR = 3;

/** The indexing of one data directory. One round at a time. */
export class Indexing {
  readonly #options: IndexingOptions;
  readonly #pacer: Pacer;
  readonly #closing = new AbortController();
  #sweptMs: number | undefined;
  #running: Promise<void> | undefined;

  constructor(options: IndexingOptions) {
    this.#options = options;
    this.#pacer = new Pacer(options.clock);
  }

  /**
   * Runs a round after the one that runs already; with `isUrgent` it sweeps, and pauses for nobody. Errors: SQLite's, `diskFull`;
   * what was indexed before stays.
   */
  async run(isUrgent: boolean): Promise<void> {
    await this.#running?.catch(() => {});
    this.#running ??= this.#round(isUrgent).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  /** Ends a round at its next pause. */
  close(): void {
    this.#closing.abort();
  }

  async #round(isUrgent: boolean): Promise<void> {
    const { index, clock } = this.#options;
    if (!index.isChecked) await this.#check();
    if (this.#closing.signal.aborted) return;
    await this.#indexNew(isUrgent);
    const isSweepDue = clock.monotonic() - (this.#sweptMs ?? 0) >= SWEEP_PERIOD_MS;
    if (isUrgent || isSweepDue) await this.#sweep();
  }

  /** An index that has seen other contents than the store has is of a store that was there before a restore. */
  async #check(): Promise<void> {
    const { index, reader } = this.#options;
    const isAhead = index.work((open) => open.settledUpTo) >= reader.idsEnd();
    if (isAhead || (await this.#sweep()) === 'foreign')
      index.beginAnew('it is of another state of the store');
    if (!this.#closing.signal.aborted) index.noteChecked();
  }

  async #indexNew(isUrgent: boolean): Promise<void> {
    const { index, reader } = this.#options;
    let settledUpTo = index.work((open) => open.settledUpTo);
    let isSettled = true;
    for (let after = settledUpTo; !this.#closing.signal.aborted; ) {
      const slice = reader.contentsAfter(after);
      const last = slice.contents.at(-1);
      if (last === undefined) return;
      const ids = slice.contents.map(({ id }) => id);
      const known = index.work((open) => open.documentsAmong(ids));
      await this.#indexAll(
        slice.contents.filter(({ id }) => !known.has(id)),
        settledUpTo,
        isUrgent,
      );
      if (this.#closing.signal.aborted) return;
      if (isSettled) settledUpTo = Math.max(settledUpTo, slice.settledUpTo);
      // Behind a draft that is still being written nothing is settled in this round: it may end behind our back.
      isSettled &&= slice.settledUpTo >= last.id;
      const settled = settledUpTo;
      index.work((open) => open.add([], settled));
      after = last.id;
    }
  }

  async #indexAll(contents: readonly ContentPrint[], settledUpTo: number, isUrgent: boolean): Promise<void> {
    for (let at = 0; at < contents.length && !this.#closing.signal.aborted; ) {
      const startedMs = this.#options.clock.monotonic();
      const documents: IndexedDocument[] = [];
      let chars = 0;
      while (at < contents.length && chars < INDEX_BATCH_CHARS && documents.length < INDEX_BATCH_CONTENTS) {
        const document = await this.#read(contents[at] as ContentPrint);
        at += 1;
        if (document === undefined) continue;
        documents.push(document);
        chars += document.text?.length ?? 0;
      }
      await this.#options.space.require();
      this.#options.index.work((open) => open.add(documents, settledUpTo));
      if (!isUrgent) await this.#pause(this.#options.clock.monotonic() - startedMs);
    }
  }

  /** One that was deleted meanwhile has no document; one that cannot be read is looked at by each search, which then says so. */
  async #read(print: ContentPrint): Promise<IndexedDocument | undefined> {
    try {
      return await readDocument(this.#options.reader, print, this.#options.textLimitChars, this.#pacer);
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      if (error.code === 'contentGone') return undefined;
      if (error.code === 'contentCorrupt') return { ...print, text: undefined };
      throw error;
    }
  }

  async #pause(workedMs: number): Promise<void> {
    const { clock, isBusy } = this.#options;
    const { signal } = this.#closing;
    try {
      await clock.sleep(Math.max(INDEX_PAUSE_MS, PAUSE_FACTOR * workedMs), signal);
      for (let looks = 0; isBusy() && looks < BUSY_LOOKS; looks += 1)
        await clock.sleep(INDEX_PAUSE_MS, signal);
    } catch {
      // Closing.
    }
  }

  /** Takes out documents whose content is gone; stops at one that is of another content. */
  async #sweep(): Promise<'swept' | 'foreign'> {
    const { index, reader, clock, log } = this.#options;
    let swept = 0;
    for (let after = 0; !this.#closing.signal.aborted; ) {
      const documents = index.work((open) => open.documentsAfter(after));
      const first = documents[0];
      const last = documents.at(-1);
      if (first === undefined || last === undefined) break;
      const stored = new Map(
        reader.contentsBetween(first.id, last.id).map(({ id, print }) => [id, print] as const),
      );
      if (documents.some(({ id, print }) => (stored.get(id) ?? print) !== print)) return 'foreign';
      const gone = documents.filter(({ id }) => !stored.has(id)).map(({ id }) => id);
      for (const ids of slicesOf(gone, INDEX_BATCH_CONTENTS)) {
        index.work((open) => open.remove(ids));
        await this.#pause(0);
      }
      swept += gone.length;
      after = last.id;
      await this.#pacer.breathe();
    }
    this.#sweptMs = clock.monotonic();
    if (swept > 0) log.debug('search.index.swept', { contents: swept });
    return 'swept';
  }
}

function slicesOf(ids: readonly ContentId[], size: number): readonly (readonly ContentId[])[] {
  return Array.from({ length: Math.ceil(ids.length / size) }, (_none, index) =>
    ids.slice(index * size, (index + 1) * size),
  );
}
