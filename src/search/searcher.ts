/**
 * The search thread's work: reads, decodes and compares, so that the main thread never does; owns the index.
 *
 * Requests take turns at every piece of 256 KiB and every few milliseconds. A request is answered after ASK_SLICE_MS of what
 * it got done by then, one message at least. The index is worked on in between.
 */

import { systemClock, type Timer } from '../base/clock.ts';
import { asMailError, MailError } from '../base/error.ts';
import type { ContentId } from '../base/ids.ts';
import type { Log, LogFields, LogLevel } from '../base/log.ts';
import { Pacer } from '../base/pacer.ts';
import { type ContentReader, openContentReader } from '../store/sqlite/contentReader.ts';
import { FreeSpace } from '../store/sqlite/freeSpace.ts';
import { answerQuestions } from './answering.ts';
import { Indexing } from './indexing.ts';
import { ASK_SLICE_MS, INDEX_REST_MS } from './limits.ts';
import { Narrowing } from './narrowing.ts';
import { OpenIndex } from './openIndex.ts';
import type { SearchReply, SearchRequest, SearchThreadData } from './protocol.ts';
import type { TextQuestion } from './question.ts';

type AskRequest = Extract<SearchRequest, { readonly kind: 'ask' }>;
type IndexRequest = Extract<SearchRequest, { readonly kind: 'index' }>;

/** Answers requests; one for the thread. */
export class Searcher {
  readonly #tell: (reply: SearchReply) => void;
  readonly #log: Log;
  readonly #reader: ContentReader;
  readonly #index: OpenIndex | undefined;
  readonly #narrowing: Narrowing | undefined;
  readonly #indexing: Indexing | undefined;
  readonly #pacer = new Pacer(systemClock);
  readonly #searches = new Map<number, readonly TextQuestion[]>();
  #asking = 0;
  #isClosed = false;
  /** When the index was last dropped. */
  #droppedMs = Number.NEGATIVE_INFINITY;
  /** Runs while indexing rests after an error; one for all, however often the store changes meanwhile. */
  #resting: Timer | undefined;

  constructor(data: SearchThreadData, tell: (reply: SearchReply) => void) {
    this.#tell = tell;
    this.#log = logTo(tell, {});
    this.#reader = openContentReader(data.directory, this.#log);
    if (data.indexPath === undefined) return;
    this.#index = new OpenIndex(data.indexPath, this.#log);
    this.#narrowing = new Narrowing(this.#index);
    this.#indexing = new Indexing({
      index: this.#index,
      reader: this.#reader,
      clock: systemClock,
      log: this.#log,
      textLimitChars: data.textLimitChars,
      space: new FreeSpace(data.directory, data.reserveOctets, systemClock),
      isBusy: () => this.#asking > 0,
    });
  }

  async ask({ request, search, questions, contents }: AskRequest): Promise<void> {
    this.#asking += 1;
    try {
      if (questions !== undefined) this.#searches.set(search, questions);
      const known = this.#searches.get(search);
      if (known === undefined) throw new MailError('internal', 'the search is not known');
      const answer = await this.#answer(search, known, contents);
      this.#tell({ kind: 'answered', request, ...answer });
    } catch (error) {
      const { code, message } = asMailError(error);
      this.#tell({ kind: 'failed', request, code, message });
    } finally {
      this.#asking -= 1;
    }
  }

  end(search: number): void {
    this.#searches.delete(search);
    this.#narrowing?.forget(search);
  }

  /** Works on the index; never rejects. */
  async index({ request, isUrgent }: IndexRequest): Promise<void> {
    if (this.#resting !== undefined && !isUrgent) return;
    const generation = this.#index?.generation;
    try {
      await this.#indexing?.run(isUrgent);
      if (isUrgent) this.#tell({ kind: 'indexed', request });
    } catch (error) {
      if (this.#isClosed) return;
      this.#log.warn('search.index.failed', { error });
      const isDropped = generation !== this.#index?.generation;
      this.#indexLater(request, isUrgent, isDropped, error);
    }
  }

  /** Lets go of both databases; what is under way fails. */
  close(): void {
    this.#isClosed = true;
    this.#resting?.clear();
    this.#indexing?.close();
    this.#index?.close();
    this.#reader.close();
  }

  /** A damaged index was dropped and is begun anew at once, unless that was just done; whatever else it is may pass. */
  #indexLater(request: number, isUrgent: boolean, isDropped: boolean, error: unknown): void {
    const now = systemClock.monotonic();
    const isSoon = isDropped && now - this.#droppedMs > INDEX_REST_MS;
    if (isDropped) this.#droppedMs = now;
    if (isUrgent && !isSoon) {
      const { code, message } = asMailError(error);
      this.#tell({ kind: 'failed', request, code, message });
    }
    if (isSoon) {
      systemClock.after(0, () => void this.index({ kind: 'index', request, isUrgent }));
      return;
    }
    this.#resting ??= systemClock.after(INDEX_REST_MS, () => {
      this.#resting = undefined;
      void this.index({ kind: 'index', request, isUrgent: false });
    });
  }

  async #answer(
    search: number,
    questions: readonly TextQuestion[],
    contents: readonly ContentId[],
  ): Promise<{ readonly yes: readonly (readonly number[])[]; readonly read: number }> {
    const startedMs = systemClock.monotonic();
    const mayHold = this.#narrowing?.of(search, questions, contents);
    const yes: (readonly number[])[] = [];
    let read = 0;
    for (const id of contents) {
      const open = mayHold ? questions.filter((question) => mayHold(id, question)) : questions;
      if (open.length > 0) {
        const found = await answerQuestions(this.#reader, id, open, this.#pacer);
        yes.push(questions.flatMap((question, number) => (found.has(question) ? [number] : [])));
        read += 1;
      } else yes.push(NONE);
      if (systemClock.monotonic() - startedMs >= ASK_SLICE_MS) break;
      await this.#pacer.breathe();
    }
    return { yes, read };
  }
}

const NONE: readonly number[] = [];

/** A log whose lines the main thread writes. */
function logTo(tell: (reply: SearchReply) => void, fixed: LogFields): Log {
  const write = (level: Exclude<LogLevel, 'silent'>) => (event: string, fields?: LogFields) =>
    tell({ kind: 'log', level, event, fields: { ...fixed, ...fields } });
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    with: (fields) => logTo(tell, { ...fixed, ...fields }),
    setLevel: () => {},
  };
}
