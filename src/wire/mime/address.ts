/**
 * Address lists as ENVELOPE tells them.
 *
 * RFC 5322 sections 3.4 (address, mailbox, group) and 4.4 (routes, empty members); RFC 3501 section 7.4.2 (address structure).
 * Encoded words stay; quotes and comments go. A real address is told as Dovecot 2.3 tells it. Where there is none, Dovecot
 * writes MISSING_MAILBOX, MISSING_DOMAIN or SYNTAX_ERROR; this parser takes what looks like an address (never closed
 * quotes, no angle brackets, semicolons as separators), or else leaves mailbox and host empty: never null, which means a group.
 * Trust: nothing. Linear time without recursion; at most MAX_ADDRESSES.
 */

import { trimSpace } from './header.ts';
import type { Lexer } from './lexical.ts';
import {
  createLexer,
  isAtEnd,
  octetSet,
  peek,
  readEncodedWord,
  readQuoted,
  readUntil,
  skipCfws,
} from './lexical.ts';
import { MAX_ADDRESSES } from './limits.ts';
import type { EnvelopeAddress } from './structure.ts';
import { octetString } from './structure.ts';

const ATOM_STOPS = octetSet(' \t"(<>@,;:)');
const ROUTE_STOPS = octetSet(':<>;');
const DOMAIN_LITERAL_STOPS = octetSet(']<>;,');
const PHRASE_STOPS = '<@:,;';
const LOCAL_PART_STOPS = '<>@:,;';
const GROUP_END: EnvelopeAddress = { name: null, adl: null, mailbox: null, host: null };

/** Parses the unfolded value of From, To and their like. */
export function parseAddressList(value: string): EnvelopeAddress[] {
  const lexer = createLexer(value);
  const addresses: EnvelopeAddress[] = [];
  let isInGroup = false;
  while (addresses.length < MAX_ADDRESSES) {
    skipCfws(lexer);
    if (isAtEnd(lexer)) break;
    const octet = peek(lexer);
    if (octet === ',' || octet === ';') {
      lexer.at += 1;
      if (octet === ';' && isInGroup) addresses.push(GROUP_END);
      isInGroup &&= octet !== ';';
      continue;
    }
    lexer.comment = undefined;
    const phrase = readPhrase(lexer, PHRASE_STOPS);
    if (peek(lexer) === ':') {
      lexer.at += 1;
      if (!isInGroup) addresses.push(address(null, null, phrase.map((word) => word.text).join(' '), null));
      isInGroup = true;
    } else {
      const mailbox = readMailbox(lexer, phrase);
      if (mailbox !== undefined) addresses.push(mailbox);
    }
  }
  if (isInGroup) addresses.push(GROUP_END);
  return addresses;
}

/** A word of a phrase. */
interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** phrase: words up to one of `stops` or the end; other brackets are passed over. */
function readPhrase(lexer: Lexer, stops: string): Word[] {
  const words: Word[] = [];
  for (;;) {
    skipCfws(lexer);
    const octet = peek(lexer);
    if (octet === '' || stops.includes(octet)) return words;
    if (octet === '"') {
      const text = readQuoted(lexer);
      if (text !== undefined) words.push({ text, isQuoted: true });
    } else if (octet === '>' || octet === ')') {
      lexer.at += 1;
    } else {
      words.push({ text: readEncodedWord(lexer) ?? readUntil(lexer, ATOM_STOPS), isQuoted: false });
    }
  }
}

/** mailbox: name-addr or addr-spec, of which `phrase` has been read; undefined when there is nothing at all. */
function readMailbox(lexer: Lexer, phrase: readonly Word[]): EnvelopeAddress | undefined {
  const octet = peek(lexer);
  if (octet === '<') {
    const found = readAngleAddress(lexer, phraseText(phrase));
    skipToSeparator(lexer);
    return found;
  }
  if (octet === '@') {
    const { before, localPart } = splitLocalPart(phrase);
    lexer.at += 1;
    const host = readDomain(lexer);
    skipToSeparator(lexer);
    return address(before ?? comment(lexer), null, localPart, host);
  }
  const [first] = phrase;
  if (first === undefined) return undefined;
  return phrase.length === 1
    ? address(comment(lexer), null, first.text, '')
    : address(phraseText(phrase), null, '', '');
}

/** angle-addr, with its obs-route: [name] "<" [route ":"] addr-spec ">". */
function readAngleAddress(lexer: Lexer, name: string | null): EnvelopeAddress {
  while (peek(lexer) === '<') {
    lexer.at += 1;
    skipCfws(lexer);
  }
  const adl = peek(lexer) === '@' ? readRoute(lexer) : null;
  let localPart = joinWords(readPhrase(lexer, LOCAL_PART_STOPS));
  if (peek(lexer) === ':') {
    // <mailto:user@example.com>
    lexer.at += 1;
    localPart = joinWords(readPhrase(lexer, LOCAL_PART_STOPS));
  }
  let host = '';
  if (peek(lexer) === '@') {
    lexer.at += 1;
    host = readDomain(lexer);
  }
  return address(name, adl, localPart, host);
}

/** obs-route without its colon. */
function readRoute(lexer: Lexer): string {
  const route = readUntil(lexer, ROUTE_STOPS);
  if (peek(lexer) === ':') lexer.at += 1;
  return route.replaceAll(/[ \t]/g, '').replace(/,+$/, '');
}

/** domain: dot-atom (space around dots, as obs-domain has it) or domain-literal. */
function readDomain(lexer: Lexer): string {
  skipCfws(lexer);
  if (peek(lexer) === '[') {
    const literal = readUntil(lexer, DOMAIN_LITERAL_STOPS);
    if (peek(lexer) !== ']') return literal;
    lexer.at += 1;
    return `${literal}]`;
  }
  const pieces: string[] = [];
  let piece = readUntil(lexer, ATOM_STOPS);
  while (piece !== '') {
    pieces.push(piece);
    skipCfws(lexer);
    if (!piece.endsWith('.') && peek(lexer) !== '.') break;
    piece = readUntil(lexer, ATOM_STOPS);
  }
  return pieces.join('');
}

/** Passes over what follows an address and is none: a second angle-addr, words. */
function skipToSeparator(lexer: Lexer): void {
  for (;;) {
    skipCfws(lexer);
    const octet = peek(lexer);
    if (octet === '' || octet === ',' || octet === ';') return;
    if (octet !== '"') lexer.at += 1;
    else readQuoted(lexer);
  }
}

/** The words before the local part and the local part itself: `John Doe john@example.com` has only its last word as such. */
function splitLocalPart(phrase: readonly Word[]): { before: string | null; localPart: string } {
  let start = phrase.length - 1;
  while (start > 0 && isDotted(phrase[start - 1], phrase[start])) start -= 1;
  if (start <= 0) return { before: null, localPart: joinWords(phrase) };
  return { before: phraseText(phrase.slice(0, start)), localPart: joinWords(phrase.slice(start)) };
}

function isDotted(left: Word | undefined, right: Word | undefined): boolean {
  return (
    (left?.isQuoted === false && left.text.endsWith('.')) ||
    (right?.isQuoted === false && right.text.startsWith('.'))
  );
}

/** Words of a local part: no space around dots, one space where the sender put some. */
function joinWords(words: readonly Word[]): string {
  let joined = '';
  words.forEach((word, index) => {
    const needsSpace = index > 0 && !isDotted(words[index - 1], word);
    joined += needsSpace ? ` ${word.text}` : word.text;
  });
  return joined;
}

function phraseText(words: readonly Word[]): string | null {
  const text = words.map((word) => word.text).join(' ');
  return text === '' ? null : text;
}

function comment(lexer: Lexer): string | null {
  const text = trimSpace(lexer.comment ?? '');
  return text === '' ? null : text;
}

function address(
  name: string | null,
  adl: string | null,
  mailbox: string,
  host: string | null,
): EnvelopeAddress {
  return {
    name: name === null ? null : octetString(name),
    adl: adl === null ? null : octetString(adl),
    mailbox: octetString(mailbox),
    host: host === null ? null : octetString(host),
  };
}
