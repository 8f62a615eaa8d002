/**
 * SELECT and its optional parameters.
 *
 * RFC 3501 section 6.3.1 and section 9: select; RFC 4466 section 3: select-params; RFC 7162 section 7: condstore-param, QRESYNC.
 * Unknown parameters are errors, as RFC 4466 section 2.1 asks.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';
import { parseSequenceSet } from './sequenceSet.ts';
import type { SequenceSet } from './sequenceSet.ts';

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
  readonly sequenceMatch: { readonly numbers: SequenceSet; readonly uids: SequenceSet } | undefined;
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

function parseSequenceMatch(decoder: CommandDecoder): QresyncParameter['sequenceMatch'] {
  decoder.special('(');
  const numbers = parseKnownSet(decoder);
  decoder.sp();
  const uids = parseKnownSet(decoder);
  decoder.special(')');
  return { numbers, uids };
}

function parseKnownSet(decoder: CommandDecoder): SequenceSet {
  const start = decoder.offset;
  const set = parseSequenceSet(decoder);
  if (set.some(({ first, last }) => first === '*' || last === '*')) {
    throw decoder.error('a set without "*"', start);
  }
  return set;
}
