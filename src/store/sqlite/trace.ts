/**
 * The Trace view of the SQLite store.
 *
 * A session that fetches ten thousand messages must not wait for ten thousand rows: notes gather in memory for a moment and
 * are written by one job at a time, at once where somebody asks. When the writer cannot keep up, or cannot write at all, they are
 * dropped, counted and told to the log; the mail itself is never held up by its trace.
 */

import type { Clock, Timer } from '../../base/clock.ts';
import { within } from '../../base/deadline.ts';
import type { Log } from '../../base/log.ts';
import { yieldTurn } from '../../base/pacer.ts';
import type { TraceId } from '../../base/ids.ts';
import { casemapKey } from '../../wire/mime/casemap.ts';
import type { MessageTrace, Trace } from '../contract/trace.ts';
import type { Note } from './jobs/trace.ts';
import {
  TRACE_MESSAGE_ID_LIMIT_CHARS,
  TRACE_NOTES_LIMIT,
  TRACE_NOTES_PER_JOB,
  TRACE_NOTES_WAIT_MS,
  TRACE_READ_WAIT_MS,
  TRACE_SLICE_MESSAGES,
  TRACE_SUBJECT_SLICE_ROWS,
} from './limits.ts';
import type { Reader } from './reader.ts';
import { traceAddress } from './traceAddress.ts';
import {
  selectSubjects,
  selectTrace,
  selectTraceIdsByAddress,
  selectTraceIdsByMessageId,
} from './traceQueries.ts';
import type { Writer } from './writer/client.ts';

/** Sorts behind every trace id. */
const AFTER_ALL_IDS = '~';

/** The Trace, and its end. */
export interface FlushableTrace extends Trace {
  /**
   * Resolves when every note so far has been written or given up; never rejects. Called before the writer closes, and before
   * contents are deleted, which take with them what their notes are written to.
   */
  flush(): Promise<void>;
}

/** What writes the notes; the Writer is one. */
export type NoteWriter = Pick<Writer, 'run'>;

/** The Trace that reads by `reader` and writes by `writer`; a note that cannot be written is told to `log`. */
export function createTrace(reader: Reader, writer: NoteWriter, clock: Clock, log: Log): FlushableTrace {
  const notes = new Notes(writer, clock, log);
  // A busy writer keeps nobody from reading what there is.
  const noted = () =>
    within(clock, TRACE_READ_WAIT_MS, 'writing notes', notes.flush()).catch(() => undefined);
  return {
    async find(traceId) {
      await noted();
      return reader.read((db) => selectTrace(db, traceId));
    },
    async findByAddress(address, limit) {
      await noted();
      const key = traceAddress(address);
      return readTraces(
        reader,
        reader.read((db) => selectTraceIdsByAddress(db, key, limit)),
      );
    },
    async findByMessageId(messageId, limit) {
      await noted();
      const key = cutMessageId(messageId);
      return readTraces(
        reader,
        reader.read((db) => selectTraceIdsByMessageId(db, key, limit)),
      );
    },
    async findBySubject(words, limit) {
      await noted();
      return readTraces(reader, await findBySubject(reader, words, limit));
    },
    note: (contentId, event) => notes.add({ kind: 'content', contentId, event }),
    noteRefusal: (refusal) => notes.add({ kind: 'refusal', refusal }),
    flush: () => notes.flush(),
  };
}

function cutMessageId(messageId: string): string {
  return messageId.slice(0, TRACE_MESSAGE_ID_LIMIT_CHARS).toWellFormed();
}

/** Looks at all subjects, slice by slice: a hundred thousand take a part of a second, and nobody waits for them. */
async function findBySubject(reader: Reader, words: readonly string[], limit: number): Promise<TraceId[]> {
  const keys = words.map(casemapKey);
  const found: TraceId[] = [];
  let before = AFTER_ALL_IDS;
  for (;;) {
    const from = before;
    const slice = reader.read((db) => selectSubjects(db, from, TRACE_SUBJECT_SLICE_ROWS));
    for (const [traceId, subject] of slice) {
      if (subject === null) continue;
      const key = casemapKey(subject);
      if (keys.every((word) => key.includes(word))) found.push(traceId);
      if (found.length === limit) return found;
    }
    const last = slice.at(-1);
    if (last === undefined || slice.length < TRACE_SUBJECT_SLICE_ROWS) return found;
    before = last[0];
    await yieldTurn();
  }
}

async function readTraces(reader: Reader, ids: readonly TraceId[]): Promise<MessageTrace[]> {
  const traces: MessageTrace[] = [];
  for (const [index, id] of ids.entries()) {
    if (index > 0 && index % TRACE_SLICE_MESSAGES === 0) await yieldTurn();
    const trace = reader.read((db) => selectTrace(db, id));
    if (trace !== undefined) traces.push(trace);
  }
  return traces;
}

/** Notes on their way to the writer. */
class Notes {
  readonly #writer: NoteWriter;
  readonly #clock: Clock;
  readonly #log: Log;
  #waiting: Note[] = [];
  /** Notes since the start that were taken, and those of them that are written or given up. */
  #taken = 0;
  #settled = 0;
  #dropped = 0;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;

  constructor(writer: NoteWriter, clock: Clock, log: Log) {
    this.#writer = writer;
    this.#clock = clock;
    this.#log = log;
  }

  add(note: Note): void {
    if (this.#waiting.length >= TRACE_NOTES_LIMIT) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(note);
    this.#taken += 1;
    this.#schedule();
  }

  /** Those of the moment and no others: where more come all the time, it ends all the same. */
  async flush(): Promise<void> {
    const last = this.#taken;
    while (this.#settled < last) await this.#writeSome();
  }

  /** One job at a time; whoever asks meanwhile waits for the one that runs. */
  #writeSome(): Promise<void> {
    this.#timer?.clear();
    this.#timer = undefined;
    this.#running ??= this.#write(this.#waiting.splice(0, TRACE_NOTES_PER_JOB)).finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
    return this.#running;
  }

  #schedule(): void {
    if (this.#waiting.length === 0 || this.#running !== undefined) return;
    if (this.#waiting.length >= TRACE_NOTES_PER_JOB) void this.#writeSome();
    else this.#timer ??= this.#clock.after(TRACE_NOTES_WAIT_MS, () => void this.#writeSome());
  }

  async #write(notes: readonly Note[]): Promise<void> {
    try {
      await this.#writer.run('writeTraceNotes', notes);
    } catch (error) {
      this.#dropped += notes.length;
      this.#log.warn('store.trace.unwritten', { notes: notes.length, error });
    }
    this.#settled += notes.length;
    if (this.#dropped === 0) return;
    this.#log.warn('store.trace.dropped', { notes: this.#dropped });
    this.#dropped = 0;
  }
}
