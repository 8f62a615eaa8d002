/**
 * SELECT and its optional parameters.
 *
 * RFC 3501 section 6.3.1 and section 9: select; RFC 4466 section 3: select-params; RFC 7162 section 7: condstore-param, QRESYNC.
 * Unknown parameters are errors, as RFC 4466 section 2.1 asks.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';
import { parseSequenceSet } from './sequenceSet.ts';
import type { NumberRange, SequenceSet } from './sequenceSet.ts';

/** SELECT's and EXAMINE's arguments. */
export interface SelectArguments {
  readonly mailbox: string;
  /** The CONDSTORE parameter was given; QRESYNC implies it. */
  readonly isCondstore: boolean;
  readonly qresync: QresyncParameter | undefined;
}

/** What a client remembers of the mailbox (RFC 7162 section 3.2.5). */
export interface QresyncParameter {
  readonly uidValidity: number;
  readonly modSeq: number;
  /** Without `*`. Undefined: all. */
  readonly knownUids: SequenceSet | undefined;
  readonly sequenceMatch: SequenceMatch | undefined;
}

/** Message numbers with the UIDs that the client knows them by: as many of the one as of the other, both ascending. */
export interface SequenceMatch {
  readonly numbers: readonly NumberRange[];
  readonly uids: readonly NumberRange[];
}

const SP = 0x20;
const PARENTHESIS_OPEN = 0x28;

/** Takes SELECT's arguments. */
export function parseSelect(decoder: CommandDecoder): SelectArguments {
  decoder.sp();
  const mailbox = parseMailbox(decoder);
  let isCondstore = false;
  let qresync: QresyncParameter | undefined;
  if (decoder.accept(SP)) {
    decoder.list(() => {
      const start = decoder.offset;
      const name = decoder.label('select-param');
      if (name === 'CONDSTORE') isCondstore = true;
      else if (name === 'QRESYNC' && qresync === undefined) qresync = parseQresync(decoder);
      else throw decoder.error('CONDSTORE or QRESYNC', start);
    });
  }
  decoder.eof();
  return { mailbox, isCondstore, qresync };
}

function parseQresync(decoder: CommandDecoder): QresyncParameter {
  decoder.sp();
  decoder.special('(');
  const uidValidity = decoder.nzNumber();
  decoder.sp();
  const modSeq = decoder.number64();
  let knownUids: SequenceSet | undefined;
  let sequenceMatch: QresyncParameter['sequenceMatch'];
  if (decoder.accept(SP)) {
    if (decoder.peek() !== PARENTHESIS_OPEN) {
      knownUids = parseKnownSet(decoder);
      if (decoder.accept(SP)) sequenceMatch = parseSequenceMatch(decoder);
    } else {
      sequenceMatch = parseSequenceMatch(decoder);
    }
  }
  decoder.special(')');
  return { uidValidity, modSeq, knownUids, sequenceMatch };
}

function parseSequenceMatch(decoder: CommandDecoder): SequenceMatch {
  decoder.special('(');
  const numbers = parseAscendingSet(decoder);
  decoder.sp();
  const start = decoder.offset;
  const uids = parseAscendingSet(decoder);
  if (countNumbers(numbers) !== countNumbers(uids)) throw decoder.error('a UID for each number', start);
  decoder.special(')');
  return { numbers, uids };
}

function parseAscendingSet(decoder: CommandDecoder): readonly NumberRange[] {
  const start = decoder.offset;
  const set = parseKnownSet(decoder);
  let before = 0;
  for (const { first, last } of set) {
    if (first <= before || last < first) throw decoder.error('a set in ascending order', start);
    before = last;
  }
  return set;
}

function parseKnownSet(decoder: CommandDecoder): readonly NumberRange[] {
  const start = decoder.offset;
  return parseSequenceSet(decoder).map(({ first, last }) => {
    if (first === '*' || last === '*') throw decoder.error('a set without "*"', start);
    return { first, last };
  });
}

function countNumbers(ranges: readonly NumberRange[]): number {
  return ranges.reduce((count, { first, last }) => count + last - first + 1, 0);
}
