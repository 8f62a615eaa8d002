/**
 * What rules may ask of a message: its fields as texts, who sent it, its size.
 *
 * RFC 2047 (encoded words), RFC 5322 section 3.6.2 (From). A field is decoded when a rule first asks for it, and once.
 * Trust: nothing. The header is what the sender wrote; it was bounded when it was read (transfer/readHeader.ts).
 */

import { parseAddressList } from '../../wire/mime/address.ts';
import { decodeEncodedWords } from '../../wire/mime/encodedWord.ts';
import { type MessageHeader, valuesOf } from '../../wire/mime/messageHeader.ts';

/** A message, for rules. */
export interface MessageFacts {
  /** Without angle brackets; empty for the null path. */
  readonly reversePath: string;
  /** Of the message as it came, our trace fields not counted. */
  readonly octets: number;
  /** The values of all fields of this name (lower case), unfolded and decoded. */
  textsOf(field: string): readonly string[];
  /** Addresses in From. */
  fromAddresses(): readonly string[];
}

/** The facts of a message with this header. */
export function factsOf(header: MessageHeader, reversePath: string, octets: number): MessageFacts {
  const texts = new Map<string, readonly string[]>();
  let from: readonly string[] | undefined;
  return {
    reversePath,
    octets,
    textsOf(field) {
      const known = texts.get(field);
      if (known !== undefined) return known;
      const decoded = valuesOf(header, field).map((value) =>
        decodeEncodedWords(Buffer.from(value, 'latin1')),
      );
      texts.set(field, decoded);
      return decoded;
    },
    fromAddresses() {
      from ??= valuesOf(header, 'from').flatMap(addressesIn);
      return from;
    },
  };
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
