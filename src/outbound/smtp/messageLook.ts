/**
 * A look at a message before it leaves: whether its header needs SMTPUTF8, and whether BODY=8BITMIME is said of it.
 *
 * RFC 6531 section 3.5 (UTF-8 in a header), RFC 6152 section 2. Only the header and what comes with it in the same piece is read: a
 * message that ends there is known whole, a longer one is said to be 8BITMIME, which means that it may have 8-bit octets.
 */

import { isAscii } from 'node:buffer';

import { headerEnd } from '../../wire/mime/header.ts';
import type { RelayedMessage } from '../../transfer/relay.ts';
import { HEADER_LOOK_LIMIT_OCTETS } from './limits.ts';

/** What was seen. */
export interface MessageLook {
  /** Octets above 127 in the header, or a header too long to tell. */
  readonly hasUtf8Header: boolean;
  /** Octets above 127 anywhere, or more of the message than was read. */
  readonly mayHave8Bit: boolean;
}

/** Looks. Rejects as `open` does. */
export async function lookAt(message: RelayedMessage): Promise<MessageLook> {
  let seen: Buffer = Buffer.alloc(0);
  for await (const piece of message.open()) {
    seen = seen.length === 0 ? piece : Buffer.concat([seen, piece]);
    if (headerEnd(seen) < seen.length || seen.length > HEADER_LOOK_LIMIT_OCTETS) break;
  }
  const isWhole = seen.length >= message.octets;
  const end = headerEnd(seen);
  const isCut = end === seen.length && !isWhole;
  return {
    hasUtf8Header: isCut || !isAscii(seen.subarray(0, end)),
    mayHave8Bit: !isWhole || !isAscii(seen),
  };
}
