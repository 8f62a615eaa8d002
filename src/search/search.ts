/**
 * The search room's door: which messages hold which texts.
 *
 * The thread behind it is started by the first search, or by the index a while after the start or a change, so that opening
 * costs nothing. Whoever asks is told of errors as MailErrors; that a message can be asked of is the asker's care (a hold).
 */

import { join } from 'node:path';

import { MailError } from '../base/error.ts';
import type { ContentId } from '../base/ids.ts';
import { IndexNudges } from './indexNudges.ts';
import { ASK_LIMIT_CONTENTS } from './limits.ts';
import { DEFAULT_INDEXED_TEXT_LIMIT_CHARS, type SearchOptions } from './options.ts';
import { deleteIndex } from './openIndex.ts';
import { checkQuestions, type TextQuestion } from './question.ts';
import { SearchThreadClient } from './thread.ts';
import { Turns } from './turns.ts';

/** The open room. */
export interface Search {
  /** Begins a search, whose questions are asked of messages one lot after the other. Errors: `limit`. */
  begin(questions: readonly TextQuestion[]): TextSearch;
  /** Indexes now what is not indexed yet, and takes out what was deleted. */
  bringIndexUpToDate(): Promise<void>;
  /** Ends the thread; what is under way rejects with `shuttingDown`. */
  close(): Promise<void>;
}

/** One search. One request at a time. */
export interface TextSearch {
  readonly questions: readonly TextQuestion[];
  /** Messages read so far; the others were answered by the index. */
  readonly readCount: number;
  /**
   * The questions that each of the messages answers yes, in the order of `contents`. Errors: `contentGone`, `contentCorrupt`,
   * `storeUnavailable` (the thread died), `tooBusy`, `deadlineExceeded`, `shuttingDown`.
   */
  ask(contents: readonly ContentId[]): Promise<readonly ReadonlySet<TextQuestion>[]>;
  end(): void;
}

/** Opens the room; nothing runs until it is needed. */
export function openSearch(options: SearchOptions): Search {
  const { directory, reserveOctets, clock, log, feed, isIndexed = true } = options;
  const path = join(directory, 'hauspost-search.db');
  if (!isIndexed) deleteIndex(path);
  const indexPath = isIndexed ? path : undefined;
  const textLimitChars = options.indexedTextLimitChars ?? DEFAULT_INDEXED_TEXT_LIMIT_CHARS;
  const data = { directory, indexPath, textLimitChars, reserveOctets };
  const thread = new SearchThreadClient(data, clock, log, () => nudges?.rest());
  const turns = new Turns(clock);
  /** Nobody waits for it: a thread that the system does not grant is asked for again after a rest. */
  const nudge = () => {
    try {
      thread.start();
      thread.tell({ kind: 'index', request: 0, isUrgent: false });
    } catch (error) {
      log.error('search.thread.unstarted', { error });
      nudges?.rest();
    }
  };
  const nudges = isIndexed ? new IndexNudges(feed, clock, nudge) : undefined;
  let searches = 0;
  return {
    begin: (questions) => {
      checkQuestions(questions);
      searches += 1;
      return new RunningSearch(searches, questions, thread, turns);
    },
    bringIndexUpToDate: async () => {
      await thread.ask((request) => ({ kind: 'index', request, isUrgent: true }), false);
    },
    close: async () => {
      nudges?.end();
      await thread.close();
    },
  };
}

/** Most messages answer nothing yes. */
const NOTHING: ReadonlySet<TextQuestion> = new Set();

class RunningSearch implements TextSearch {
  readonly questions: readonly TextQuestion[];
  readonly #number: number;
  readonly #thread: SearchThreadClient;
  readonly #turns: Turns;
  /** The thread that knows this search. */
  #threadNumber: number | undefined;
  #readCount = 0;

  constructor(number: number, questions: readonly TextQuestion[], thread: SearchThreadClient, turns: Turns) {
    this.#number = number;
    this.questions = questions;
    this.#thread = thread;
    this.#turns = turns;
  }

  get readCount(): number {
    return this.#readCount;
  }

  async ask(contents: readonly ContentId[]): Promise<readonly ReadonlySet<TextQuestion>[]> {
    const answers: ReadonlySet<TextQuestion>[] = [];
    while (answers.length < contents.length) {
      const rest = contents.slice(answers.length, answers.length + ASK_LIMIT_CONTENTS);
      for (const numbers of await this.#turns.run(() => this.#askThread(rest))) {
        answers.push(numbers.length === 0 ? NOTHING : this.#questionsAt(numbers));
      }
    }
    return answers;
  }

  end(): void {
    const isKnown = this.#threadNumber === this.#thread.threads;
    if (isKnown) this.#thread.tell({ kind: 'end', search: this.#number });
    this.#threadNumber = undefined;
  }

  #questionsAt(numbers: readonly number[]): ReadonlySet<TextQuestion> {
    return new Set(numbers.map((number) => this.questions[number] as TextQuestion));
  }

  async #askThread(contents: readonly ContentId[]): Promise<readonly (readonly number[])[]> {
    this.#thread.start();
    const isFirst = this.#threadNumber !== this.#thread.threads;
    this.#threadNumber = this.#thread.threads;
    const reply = await this.#thread.ask((request) => ({
      kind: 'ask',
      request,
      search: this.#number,
      questions: isFirst ? this.questions : undefined,
      contents,
    }));
    if (reply.kind !== 'answered')
      throw new MailError('internal', 'the search thread answered something else');
    this.#readCount += reply.read;
    return reply.yes;
  }
}
