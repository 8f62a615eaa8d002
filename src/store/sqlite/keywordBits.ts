/**
 * Keywords of an entry as bits in two numbers of 50 bits, by their position in the mailbox.
 *
 * Two integer columns make STORE and COPY of thousands of entries one statement each; JavaScript's numbers hold 53 bits, so
 * they are taken apart by division, not by bit operators.
 */

import { KEYWORDS_PER_MAILBOX } from './limits.ts';

const BITS_PER_COLUMN = KEYWORDS_PER_MAILBOX / 2;

/** All bits of one column. */
export const ALL_KEYWORD_BITS = 2 ** BITS_PER_COLUMN - 1;

/** Some of a mailbox's keywords. */
export interface KeywordBits {
  readonly low: number;
  readonly high: number;
}

/** The bits of these positions. */
export function bitsOf(positions: Iterable<number>): KeywordBits {
  let low = 0;
  let high = 0;
  for (const position of new Set(positions)) {
    if (position < BITS_PER_COLUMN) low += 2 ** position;
    else high += 2 ** (position - BITS_PER_COLUMN);
  }
  return { low, high };
}

/** The positions of these bits, in order. */
export function positionsOf(bits: KeywordBits): readonly number[] {
  return [...positionsIn(bits.low, 0), ...positionsIn(bits.high, BITS_PER_COLUMN)];
}

function positionsIn(column: number, first: number): readonly number[] {
  const positions: number[] = [];
  let rest = column;
  for (let position = first; rest > 0; position += 1) {
    if (rest % 2 === 1) positions.push(position);
    rest = Math.floor(rest / 2);
  }
  return positions;
}
