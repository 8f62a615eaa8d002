/**
 * Addresses of a To or Cc field that every reader reads alike; anything else is `unclear`.
 *
 * RFC 5322 section 3.4 (address-list, mailbox, name-addr) without obsolete forms but empty members of a list and dots in a name, which
 * all readers take. Unclear are groups with members, routes, quoted local parts, address literals, comments and encoded words that
 * could be taken for addresses, semicolons between addresses, and UTF-8 in an address.
 * For whoever must know whom another system will send to by the header alone. Trust: nothing. Linear time.
 */

import type { OctetString } from './structure.ts';

/** Addresses of one field; Exchange Online stops at 1,000 recipients of a message. */
export const PLAIN_ADDRESSES_LIMIT = 1000;

/** What a field names, as it is written there. */
export type PlainAddresses =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'unclear' };

const ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?';
/** An encoded word in a local part is decoded by some readers. */
const ADDRESS = `(?!=\\?)${ATEXT}+(?:\\.${ATEXT}+)*@${LABEL}(?:\\.${LABEL})*`;
const WHOLE_ADDRESS = new RegExp(`^${ADDRESS}$`);
const BARE_ADDRESS = new RegExp(`${ADDRESS}(?=[ \\t,(]|$)`, 'y');
const ANGLE_ADDRESS = new RegExp(`<(${ADDRESS})>`, 'y');
/** An atom with dots, or a quoted-string. */
const WORD = /(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\u{10ffff}-]+|"(?:[^"\\\p{Cc}]|\\[\x20-\x7e])*")/uy;
/** Blanks and comments in which no reader finds an address. */
const BETWEEN = /(?:[ \t]|\([^()\\<>@,:;"\p{Cc}]*\))+/uy;
const EMPTY_GROUP = /:[ \t]*;/y;
const COMMA = /,/y;

const UNCLEAR: PlainAddresses = { kind: 'unclear' };

/** Whether an address is plain: a dot-atom, and a domain that is no literal. */
export function isPlainAddress(address: string): boolean {
  return WHOLE_ADDRESS.test(address);
}

/** Reads a field's unfolded value, which may be empty. */
export function plainAddresses(value: OctetString): PlainAddresses {
  const text = decode(value);
  if (text === undefined) return UNCLEAR;
  const reader = { text, at: 0 };
  const addresses: string[] = [];
  take(reader, BETWEEN);
  while (reader.at < text.length) {
    if (take(reader, COMMA) === undefined) {
      const member = takeMember(reader);
      if (member === undefined || addresses.length >= PLAIN_ADDRESSES_LIMIT) return UNCLEAR;
      if (member.address !== undefined) addresses.push(member.address);
      take(reader, BETWEEN);
      if (reader.at < text.length && take(reader, COMMA) === undefined) return UNCLEAR;
    }
    take(reader, BETWEEN);
  }
  return { kind: 'addresses', addresses };
}

interface Reader {
  readonly text: string;
  at: number;
}

/** A mailbox, or a group without members, which has no address; undefined for anything else. */
function takeMember(reader: Reader): { readonly address?: string } | undefined {
  const bare = take(reader, BARE_ADDRESS);
  if (bare !== undefined) return { address: bare };
  let hasName = false;
  while (take(reader, WORD) !== undefined) {
    hasName = true;
    take(reader, BETWEEN);
  }
  const address = take(reader, ANGLE_ADDRESS);
  if (address !== undefined) return { address: address.slice(1, -1) };
  return hasName && take(reader, EMPTY_GROUP) !== undefined ? {} : undefined;
}

function take(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at;
  const match = pattern.exec(reader.text)?.[0];
  if (match !== undefined) reader.at += match.length;
  return match;
}

function decode(value: OctetString): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return undefined;
  }
}
