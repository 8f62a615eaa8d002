/**
 * Sequence sets: message sequence numbers or UIDs, with `*` for the largest in use.
 *
 * RFC 3501 section 9: seq-number, seq-range, sequence-set; RFC 4315 section 4: uid-set; RFC 5182 section 3:
 * seq-last-command.
 * As parsed a set keeps `*`; for a mailbox it becomes ranges that are sorted, disjoint and within 1 and the largest number,
 * so that walking them never costs more than the mailbox is large.
 * Trust: a set has as many ranges as fit into a command line; its numbers are bounded only once it is resolved.
 */

import type { CommandDecoder } from './decoder.ts';

/** seq-number: a number, or the largest in use. */
export type SequenceNumber = number | '*';

/** seq-range, or one seq-number as both ends. The ends stand in the order that they were sent in. */
export interface SequenceRange {
  readonly first: SequenceNumber;
  readonly last: SequenceNumber;
}

/** sequence-set: one range at least. */
export type SequenceSet = readonly SequenceRange[];

/** sequence-set where commands name messages: `$` is the result that a SEARCH saved. */
export type MessageSet = SequenceSet | '$';

/** Numbers from `first` to `last`, both included, `first` not above `last`. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

const COLON = 0x3a;
const COMMA = 0x2c;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;

/** Takes a sequence-set. */
export function parseSequenceSet(decoder: CommandDecoder): SequenceSet {
  const ranges: SequenceRange[] = [];
  do {
    const first = parseSequenceNumber(decoder);
    ranges.push({ first, last: decoder.accept(COLON) ? parseSequenceNumber(decoder) : first });
  } while (decoder.accept(COMMA));
  return ranges;
}

/** Takes a sequence-set or `$`. */
export function parseMessageSet(decoder: CommandDecoder): MessageSet {
  return decoder.accept(DOLLAR) ? '$' : parseSequenceSet(decoder);
}

/** Whether a sequence-set or `$` begins here. */
export function isAtMessageSet(decoder: CommandDecoder): boolean {
  const octet = decoder.peek();
  return octet === DOLLAR || octet === ASTERISK || (octet >= 0x30 && octet <= 0x39);
}

function parseSequenceNumber(decoder: CommandDecoder): SequenceNumber {
  return decoder.accept(ASTERISK) ? '*' : decoder.nzNumber();
}

/**
 * The numbers of `set` in a mailbox whose largest number is `largest` (0 when it is empty): sorted, disjoint, adjacent ranges
 * joined, numbers above `largest` left out. `*:5` and `5:*` hold the largest even where that is below 5.
 */
export function resolveSequenceSet(set: SequenceSet, largest: number): readonly NumberRange[] {
  const ranges: NumberRange[] = [];
  for (const range of set) {
    const first = range.first === '*' ? largest : range.first;
    const last = range.last === '*' ? largest : range.last;
    const low = Math.max(1, Math.min(first, last));
    const high = Math.min(largest, Math.max(first, last));
    if (low <= high) ranges.push({ first: low, last: high });
  }
  return joinRanges(ranges);
}

/** `ranges` sorted, with those that overlap or touch joined. */
export function joinRanges(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const sorted = ranges.toSorted((a, b) => a.first - b.first);
  const joined: NumberRange[] = [];
  for (const range of sorted) {
    const previous = joined.at(-1);
    if (previous === undefined || range.first > previous.last + 1) joined.push(range);
    else if (range.last > previous.last) joined[joined.length - 1] = { ...previous, last: range.last };
  }
  return joined;
}

/** Whether `set` names a number above `largest`, which is BAD for sequence numbers; `*` never does, but in an empty mailbox. */
export function exceedsSequenceSet(set: SequenceSet, largest: number): boolean {
  const isAbove = (number: SequenceNumber) => (number === '*' ? largest === 0 : number > largest);
  return set.some((range) => isAbove(range.first) || isAbove(range.last));
}

/** The numbers of ranges that resolveSequenceSet() answered, in order. */
export function* numbersOf(ranges: readonly NumberRange[]): Generator<number, void> {
  for (const { first, last } of ranges) {
    for (let number = first; number <= last; number += 1) yield number;
  }
}

/** Whether `number` is in ranges that resolveSequenceSet() answered. */
export function holdsNumber(ranges: readonly NumberRange[], number: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined) return false;
    if (number < range.first) high = middle - 1;
    else if (number > range.last) low = middle + 1;
    else return true;
  }
  return false;
}

/** A set as parsed, in the octets of the grammar. */
export function formatSequenceSet(set: SequenceSet): string {
  return set.map(({ first, last }) => (first === last ? `${first}` : `${first}:${last}`)).join(',');
}

/** `numbers` in their order as a uid-set or sequence-set, runs that go up by one as ranges: 1,2,3,7 is `1:3,7`. */
export function formatNumberSet(numbers: Iterable<number>): string {
  return formatSequenceSet(rangesOfNumbers(numbers));
}

/** `numbers` in their order as ranges: runs that go up by one are one range. */
export function rangesOfNumbers(numbers: Iterable<number>): readonly NumberRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const previous = ranges.at(-1);
    if (previous !== undefined && number === previous.last + 1) previous.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges;
}
