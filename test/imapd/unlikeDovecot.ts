/**
 * What our server tells of messages otherwise than Dovecot 2.3, and why that stays.
 *
 * dovecot.test.ts asks both for everything that IMAP tells of every odd message: each difference has to be one of these, each of
 * these has to be met, and docs/DOVECOT.md shows them. A difference lies in what the octets are, or concerns named messages.
 */

import { formatBody, formatBodyStructure } from '../../src/wire/imap/bodyStructure.ts';
import { locatePart } from '../../src/wire/mime/section.ts';
import type { MimeMessage } from '../../src/wire/mime/structure.ts';
import { walkMessage } from '../../src/wire/mime/walker.ts';
import { differences, parseImapValue } from '../support/dovecot.ts';
import type { ImapValue } from '../support/dovecot.ts';

/** An item of a FETCH response that differs. */
export interface Found {
  readonly message: string;
  readonly octets: Buffer;
  readonly structure: MimeMessage;
  /** As it was asked, without PEEK: `BODY[1.MIME]<5.7>`. */
  readonly item: string;
  readonly theirs: ImapValue;
  readonly ours: ImapValue;
  /** Whether it is exactly its part of the whole item of the same server, on both sides; false where it is no partial. */
  readonly isSlice: boolean;
}

/** A row of docs/DOVECOT.md. */
export interface Difference {
  readonly what: string;
  readonly dovecot: string;
  readonly here: string;
  readonly why: string;
  explains(found: Found): boolean;
}

/** All of them. The first that explains what was found counts. */
export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'A part that is not there',
    dovecot: 'the empty string',
    here: 'NIL',
    why: 'both are allowed (RFC 3501 section 7.4.2: nstring); NIL tells it from an empty part',
    explains: ({ theirs, ours }) => theirs === '' && ours === null,
  },
  {
    what: 'Part 1 of a part that has no parts (`BODY[2.1]` of a text)',
    dovecot: 'the part itself',
    here: 'NIL',
    why: 'only a message has a part 1 without being a multipart (RFC 3501 section 6.4.5)',
    explains: ({ item, structure, ours }) => {
      const path = pathOf(item);
      const parent = path.at(-1) === 1 ? locatePart(structure, path.slice(0, -1)) : undefined;
      return ours === null && (parent?.kind === 'text' || parent?.kind === 'leaf');
    },
  },
  {
    what: 'A bare LF in a message',
    dovecot: 'CRLF, counted in all sizes',
    here: 'LF, as it came',
    why: 'a message goes out byte for byte as it came in (docs/RFC.md)',
    explains: (found) => hasBareLf(found.octets) && isLikeWith(found, withCrlf),
  },
  {
    what: 'NUL in a message',
    dovecot: 'the octet 0x80',
    here: 'NUL, as it came',
    why: 'a message goes out byte for byte as it came in (docs/RFC.md)',
    explains: (found) => found.octets.includes(0) && isLikeWith(found, (text) => text),
  },
  {
    what: 'HEADER.FIELDS of a header without blank line',
    dovecot: 'a line end more than the header has',
    here: 'the header as it ends',
    why: 'RFC 3501 section 6.4.5: no blank line for a message that has none',
    explains: ({ item, theirs, ours, isSlice }) =>
      item.includes('HEADER.FIELDS') &&
      (isSlice ||
        theirs === `${String(ours)}\r\n` ||
        (theirs === `${String(ours)}\n` && String(ours).endsWith('\r'))),
  },
  {
    what: 'A delimiter directly behind the blank line of a part’s header',
    dovecot: 'the header has no blank line',
    here: 'the header has its blank line',
    why: 'RFC 2046 gives that line end to the delimiter, but clients expect a blank line behind every header that has one',
    explains: ({ item, theirs, ours, isSlice }) =>
      /(MIME|HEADER)\]/.test(item) && (isSlice || ours === `${String(theirs)}\r\n`),
  },
  {
    what: 'The line end between an inner multipart’s close-delimiter, or an embedded header, and the outer delimiter',
    dovecot: 'counted to the inner part',
    here: 'the outer delimiter’s',
    why: 'RFC 2046 section 5.1.1: the line end before a delimiter belongs to the delimiter',
    explains: inMessages(/^BODY/, [
      'multiparts side by side with the same boundary',
      'a digest whose part has no blank line',
      'a message whose header is cut by a delimiter',
      'a message whose multipart ends with the outer delimiter',
      'rfc2060.eml',
    ]),
  },
  {
    what: 'Boundaries that end with space, have tspecials outside quotes, come in RFC 2231 pieces, or have over 80 octets',
    dovecot: 'parts are not found',
    here: 'parts are found',
    why: 'the sender’s intention is plain, and other clients and servers find them',
    explains: inMessages(/^BODY/, [
      'a boundary that ends with space',
      'an unquoted boundary with tspecials',
      'a boundary in RFC 2231 pieces',
      'a boundary of 90 octets',
    ]),
  },
  {
    what: 'message/rfc822 in base64',
    dovecot: 'the base64 text is read as a header',
    here: 'an empty envelope and a text under that encoding',
    why: 'RFC 2046 section 5.2.1 forbids it; no field of the message can be told without decoding',
    explains: inMessages(/^BODY/, [
      'a message in base64',
      'an embedded message in base64 in a multipart',
      'an embedded message in uppercase BASE64',
    ]),
  },
  {
    what: 'Content-Type that is no type/subtype',
    dovecot: 'an empty media type or subtype',
    here: 'text/plain, or application/octet-stream',
    why: 'RFC 2045 section 5.2; no client expects an empty media type',
    explains: inMessages(/^BODY(STRUCTURE)?$/, [
      'message without subtype',
      'a comment that is never closed',
      'a type without subtype',
      'a type with a second slash',
      'a type that is a sentence',
      'an empty type',
      'commas for semicolons',
      'missing-subtype.eml',
    ]),
  },
  {
    what: 'Parameters that RFC 2231 splits (`name*0=`, `name*1=`)',
    dovecot: 'joined into one',
    here: 'as written',
    why: 'joining is the client’s affair: IMAP has no form for what was joined',
    explains: inMessages(/^BODY(STRUCTURE)?$/, ['RFC 2231 out of order', 'RFC 2231 in a disposition']),
  },
  {
    what: 'A parameter without value, or whose quotes are never closed',
    dovecot: 'it and what follows is lost',
    here: 'the others are told, the open one up to its end',
    why: 'what can be made out is told',
    explains: inMessages(/^BODY(STRUCTURE)?$/, ['a parameter without value', 'a quote that is never closed']),
  },
  {
    what: 'Addresses with open quotes, comments or brackets, empty places, semicolons between, commas or colons in encoded words',
    dovecot: 'SYNTAX_ERROR, MISSING_MAILBOX and MISSING_DOMAIN',
    here: 'the address that can be made out, or empty strings',
    why: 'clients show those words as if they were addresses',
    explains: inMessages(/^ENVELOPE$|^BODY(STRUCTURE)?$/, [
      'an unclosed quote',
      'an unclosed comment',
      'an unclosed angle bracket',
      'an address in brackets twice',
      'addresses with semicolons between',
      'names with commas in encoded words',
      'empty addresses between commas',
      'feedback-report.eml',
      'stack-overflow.eml',
    ]),
  },
  {
    what: 'HEADER.FIELDS of lines that end with CR CR LF',
    dovecot: 'the first CR is left out',
    here: 'as it came',
    why: 'the same octets as HEADER has; Dovecot’s own HEADER has them too',
    explains: inMessages(/HEADER\.FIELDS/, ['CR CR LF for CRLF']),
  },
];

function inMessages(items: RegExp, messages: readonly string[]): (found: Found) => boolean {
  return ({ message, item }) => items.test(item) && messages.includes(message);
}

/** The part numbers that an item asks for. */
function pathOf(item: string): number[] {
  const [, path = ''] = /\[([\d.]*)/.exec(item) ?? [];
  return path
    .split('.')
    .filter((number) => number !== '')
    .map(Number);
}

function hasBareLf(octets: Buffer): boolean {
  return /(?<!\r)\n/.test(octets.toString('latin1'));
}

function withCrlf(text: string): string {
  return text.replace(/(?<!\r)\n/g, '\r\n');
}

/** Whether Dovecot's answer is what is to be expected once `change` was made to the octets and NUL made 0x80. */
function isLikeWith(found: Found, change: (text: string) => string): boolean {
  const { item, theirs, ours, octets, isSlice } = found;
  if (isSlice) return true;
  const changed = Buffer.from(change(octets.toString('latin1')), 'latin1');
  if (item === 'RFC822.SIZE') return theirs === String(changed.length);
  if (item === 'BODY' || item === 'BODYSTRUCTURE') {
    const { structure } = walkMessage(changed);
    const format = item === 'BODY' ? formatBody : formatBodyStructure;
    return differences(theirs, parseImapValue(format(structure))).length === 0;
  }
  return typeof ours === 'string' && change(ours).replaceAll('\0', '\x80') === theirs;
}
