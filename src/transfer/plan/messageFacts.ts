/**
 * What rules may ask of a message: its fields as texts, who sent it, its size.
 *
 * RFC 2047 (encoded words), RFC 5322 section 3.6.2 (From). A field is decoded and folded when a rule first asks for it, and once.
 * Trust: nothing. The header is what the sender wrote, a megabyte of one field if he likes, and each rule of each recipient looks
 * at it: of all fields of one name together FIELD_LIMIT_OCTETS and VALUES_LIMIT count.
 */

import { KIB } from '../../base/units.ts';
import { parseAddressList } from '../../wire/mime/address.ts';
import { decodeEncodedWords } from '../../wire/mime/encodedWord.ts';
import { type MessageHeader, valuesOf } from '../../wire/mime/messageHeader.ts';
import { type FoldedText, folded } from './textMatch.ts';

/** Octets of all fields of one name that rules see: a To with some 2,000 addresses. */
export const FIELD_LIMIT_OCTETS = 128 * KIB;
/** Fields of one name, and addresses in From, that rules see. */
const VALUES_LIMIT = 1000;

/** A message, for rules. */
export interface MessageFacts {
  /** Of the message as it came, our trace fields not counted. */
  readonly octets: number;
  /** The values of all fields of this name (lower case), unfolded and decoded. */
  textsOf(field: string): readonly FoldedText[];
  /** The reverse path and the addresses in From. */
  senders(): readonly FoldedText[];
}

/** The facts of a message with this header. */
export function factsOf(header: MessageHeader, reversePath: string, octets: number): MessageFacts {
  const texts = new Map<string, readonly FoldedText[]>();
  let senders: readonly FoldedText[] | undefined;
  return {
    octets,
    textsOf(field) {
      const known = texts.get(field);
      if (known !== undefined) return known;
      const decoded = seenValues(header, field).map((value) =>
        folded(decodeEncodedWords(Buffer.from(value, 'latin1'))),
      );
      texts.set(field, decoded);
      return decoded;
    },
    senders() {
      senders ??= [reversePath, ...seenValues(header, 'from').flatMap(addressesIn)]
        .slice(0, VALUES_LIMIT)
        .map(folded);
      return senders;
    },
  };
}

/** What of the fields of a name counts. */
function seenValues(header: MessageHeader, field: string): readonly string[] {
  const seen: string[] = [];
  let left = FIELD_LIMIT_OCTETS;
  for (const value of valuesOf(header, field).slice(0, VALUES_LIMIT)) {
    seen.push(value.slice(0, left));
    left -= value.length;
    if (left <= 0) break;
  }
  return seen;
}

function addressesIn(value: string): string[] {
  return parseAddressList(value).flatMap(({ mailbox, host }) =>
    // A group has no host; raw UTF-8 in an address is what it says (RFC 6532).
    mailbox === null || host === null || mailbox === '' ? [] : [utf8(`${mailbox}@${host}`)],
  );
}

function utf8(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8');
}
