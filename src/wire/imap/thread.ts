/**
 * THREAD and UID THREAD: which messages, threaded by which algorithm; and the THREAD response.
 *
 * RFC 5256 section 5: thread, thread-alg, search-criteria; thread-data, thread-list, thread-members, thread-nested.
 * Trust: how deep threads are is for those to say who wrote the messages, so that nothing here recurses.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseSearchCriteria } from './search.ts';
import type { SearchProgram } from './search.ts';

/** thread-alg. */
export type ThreadAlgorithm = (typeof ALGORITHMS)[number];

/** THREAD's arguments. */
export interface ThreadArguments extends SearchProgram {
  readonly algorithm: ThreadAlgorithm;
}

/** A message with those that follow from it; without a number it stands for one that is not there. */
export interface Thread {
  readonly number: number | undefined;
  readonly children: readonly Thread[];
}

const ALGORITHMS = ['ORDEREDSUBJECT', 'REFERENCES'] as const;

/** Characters in one piece of a response, about. */
const PIECE_CHARS = 4096;

/** Takes THREAD's arguments. */
export function parseThread(decoder: CommandDecoder): ThreadArguments {
  decoder.sp();
  const start = decoder.offset;
  const name = decoder.atom().toUpperCase();
  const algorithm = ALGORITHMS.find((known) => known === name);
  if (algorithm === undefined) throw decoder.error(ALGORITHMS.join(' or '), start);
  decoder.sp();
  return { algorithm, ...parseSearchCriteria(decoder) };
}

/** THREAD, in pieces; the line is sent without a thread too. Every thread holds one message at least. */
export function* formatThreads(threads: readonly Thread[]): Generator<string, void> {
  let piece = threads.length === 0 ? '* THREAD' : '* THREAD ';
  for (const thread of threads) {
    const waiting: (Thread | '(' | ')')[] = [')', thread, '('];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      piece += typeof next === 'string' ? next : openMembers(next, waiting);
      if (piece.length < PIECE_CHARS) continue;
      yield piece;
      piece = '';
    }
  }
  yield `${piece}\r\n`;
}

/** A member's own text; what follows it is put on top of `waiting`. One child goes on in its list, several nest. */
function openMembers({ number, children }: Thread, waiting: (Thread | '(' | ')')[]): string {
  const [first] = children;
  if (number !== undefined && children.length === 1 && first !== undefined) {
    waiting.push(first);
    return `${number} `;
  }
  for (const child of children.toReversed()) waiting.push(')', child, '(');
  if (number === undefined) return '';
  return children.length === 0 ? `${number}` : `${number} `;
}
