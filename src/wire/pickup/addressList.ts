/**
 * The addresses of a field that a message is going to be sent to, or from: read in full or not at all.
 *
 * RFC 5322 sections 3.4 (address-list, mailbox, group) and 4.4 (obs-route, obs-local-part, obs-domain, empty members), and semicolons
 * between addresses, which can mean nothing else. mime/address.ts tells the likely reading of any field and drops what it cannot read;
 * here a member that is dropped would be a recipient who gets nothing, so whatever leaves a doubt is a problem that names the member.
 * Addresses come out as paths of SMTP (smtp/path.ts): no comments and routes, quotes only where the local part needs them.
 * Trust: nothing. Linear time; the caller bounds the field.
 */

import { WireError } from '../../base/error.ts';
import {
  createLexer,
  isAtEnd,
  type Lexer,
  octetSet,
  peek,
  readEncodedWord,
  readQuoted,
  readUntil,
  skipCfws,
} from '../mime/lexical.ts';
import { ArgumentReader } from '../smtp/argument.ts';
import { takeForwardPath } from '../smtp/path.ts';
import { shownText } from './problems.ts';

/** What a field names, in its order; `text` is the member that cannot be taken, as it may be shown. */
export type AddressList =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | {
      readonly kind: 'wrong';
      readonly code: 'addressUnclear' | 'addressWithoutDomain' | 'addressInvalid';
      readonly text: string;
    };

const ATOM_STOPS = octetSet(' \t\r\n"(<>@,;:)\\');
const LITERAL_STOPS = octetSet('[]<>;, \t\r\n\\');
const SEPARATORS = ',;';
const PLAIN_LOCAL_PART =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]+)*$/;

/** Reads a field's unfolded value, each character an octet; an empty one names nobody. */
export function readAddressList(value: string): AddressList {
  const lexer = createLexer(value);
  const addresses: string[] = [];
  let isInGroup = false;
  for (;;) {
    skipCfws(lexer);
    if (lexer.hasOpenComment) return wrong('addressUnclear', value);
    if (isAtEnd(lexer)) return { kind: 'addresses', addresses };
    const octet = peek(lexer);
    if (SEPARATORS.includes(octet)) {
      lexer.at += 1;
      isInGroup &&= octet !== ';';
      continue;
    }
    const start = lexer.at;
    const words = readWords(lexer);
    if (peek(lexer) === ':' && !isInGroup && words !== undefined && words.length > 0) {
      lexer.at += 1;
      isInGroup = true;
      continue;
    }
    const mailbox = words === undefined ? 'addressUnclear' : readMailbox(lexer, words);
    if (typeof mailbox === 'string') return wrong(mailbox, memberAt(value, start, lexer.at));
    const path = isLegible(mailbox.address) ? pathOf(mailbox.address) : undefined;
    if (path === undefined) return wrong('addressInvalid', mailbox.address);
    addresses.push(path);
  }
}

/** Whether octets are as they were written: NUL and halves of UTF-16's pairs have become U+FFFD on their way here. */
export function isLegible(octets: string): boolean {
  return !octets.includes('\xef\xbf\xbd');
}

function wrong(code: Extract<AddressList, { readonly kind: 'wrong' }>['code'], text: string): AddressList {
  return { kind: 'wrong', code, text: shownText(text) };
}

/** What stands from `start` up to the separator behind `at`. */
function memberAt(value: string, start: number, at: number): string {
  const length = value.slice(at).search(/[,;]/);
  return length < 0 ? value.slice(start) : value.slice(start, at + length);
}

interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** Words up to one of `<>@,;:` or the end; undefined where something else stands between them, or a quoted string never ends. */
function readWords(lexer: Lexer): readonly Word[] | undefined {
  const words: Word[] = [];
  for (;;) {
    skipCfws(lexer);
    if (lexer.hasOpenComment) return undefined;
    const octet = peek(lexer);
    if (octet === '' || '<>@,;:'.includes(octet)) return words;
    const isQuoted = octet === '"';
    const text = isQuoted ? readQuoted(lexer) : (readEncodedWord(lexer) ?? readUntil(lexer, ATOM_STOPS));
    if (text === undefined || (text === '' && !isQuoted)) return undefined;
    words.push({ text, isQuoted });
  }
}

type Mailbox = { readonly address: string } | 'addressUnclear' | 'addressWithoutDomain';

/** mailbox, of which the words before its @ or bracket have been read, up to the separator behind it. */
function readMailbox(lexer: Lexer, words: readonly Word[]): Mailbox {
  const octet = peek(lexer);
  if (octet === ':' || octet === '>') return 'addressUnclear';
  if (octet !== '<' && octet !== '@') return 'addressWithoutDomain';
  const mailbox = octet === '<' ? readAngle(lexer) : readAddrSpec(lexer, words);
  if (typeof mailbox === 'string') return mailbox;
  skipCfws(lexer);
  if (octet === '@' && peek(lexer) === '<') return readNamedByItself(lexer, mailbox.address);
  return isAtMemberEnd(lexer) ? mailbox : 'addressUnclear';
}

/** `a@example.com <a@example.com>`: many write the address as name and forget its quotes. The bracket is next. */
function readNamedByItself(lexer: Lexer, name: string): Mailbox {
  const mailbox = readAngle(lexer);
  if (typeof mailbox === 'string') return mailbox;
  skipCfws(lexer);
  const isItself = mailbox.address.toLowerCase() === name.toLowerCase();
  return isItself && isAtMemberEnd(lexer) ? mailbox : 'addressUnclear';
}

function isAtMemberEnd(lexer: Lexer): boolean {
  return isAtEnd(lexer) || SEPARATORS.includes(peek(lexer));
}

/** angle-addr with its obs-route. */
function readAngle(lexer: Lexer): Mailbox {
  lexer.at += 1;
  skipCfws(lexer);
  if (peek(lexer) === '@' && !passRoute(lexer)) return 'addressUnclear';
  const words = readWords(lexer);
  if (words === undefined || words.length === 0) return 'addressUnclear';
  if (peek(lexer) !== '@') return peek(lexer) === '>' ? 'addressWithoutDomain' : 'addressUnclear';
  const mailbox = readAddrSpec(lexer, words);
  if (typeof mailbox === 'string') return mailbox;
  skipCfws(lexer);
  if (peek(lexer) !== '>') return 'addressUnclear';
  lexer.at += 1;
  return mailbox;
}

/** Passes over `@a,@b:`; whether it was one. */
function passRoute(lexer: Lexer): boolean {
  for (;;) {
    skipCfws(lexer);
    const octet = peek(lexer);
    if (octet !== ',' && octet !== ':' && octet !== '@') return false;
    lexer.at += 1;
    if (octet === ':') return true;
    if (octet === '@' && readDomain(lexer) === '') return false;
  }
}

/** addr-spec whose @ is next. */
function readAddrSpec(lexer: Lexer, words: readonly Word[]): Mailbox {
  const localPart = localPartOf(words);
  lexer.at += 1;
  const domain = readDomain(lexer);
  return localPart === undefined || domain === '' ? 'addressUnclear' : { address: `${localPart}@${domain}` };
}

/** The words joined by dots; undefined where they are not, or some reader would decode one. */
function localPartOf(words: readonly Word[]): string | undefined {
  const text = words.map((word) => word.text).join('');
  const isJoined = words.every((word, at) => at === 0 || isDotted(words[at - 1], word));
  if (words.length === 0 || !isJoined || text.includes('=?')) return undefined;
  const isQuoted = words.some((word) => word.isQuoted);
  if (!isQuoted || PLAIN_LOCAL_PART.test(text)) return text;
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function isDotted(left: Word | undefined, right: Word): boolean {
  return (
    (left?.isQuoted === false && left.text.endsWith('.')) || (!right.isQuoted && right.text.startsWith('.'))
  );
}

/** domain: dot-atom, with space around its dots as obs-domain has it, or domain-literal; empty where there is none. */
function readDomain(lexer: Lexer): string {
  skipCfws(lexer);
  if (peek(lexer) === '[') {
    lexer.at += 1;
    const literal = readUntil(lexer, LITERAL_STOPS);
    if (peek(lexer) !== ']') return '';
    lexer.at += 1;
    return `[${literal}]`;
  }
  // Joined once at the end: what grows piece by piece is copied again for each look at its end.
  const pieces = [readUntil(lexer, ATOM_STOPS)];
  for (;;) {
    skipCfws(lexer);
    const last = pieces.at(-1) ?? '';
    if (last === '' || (!last.endsWith('.') && peek(lexer) !== '.')) return pieces.join('');
    pieces.push(readUntil(lexer, ATOM_STOPS));
  }
}

/** The address as a path, UTF-8 decoded; undefined where it is none. */
function pathOf(address: string): string | undefined {
  try {
    const reader = new ArgumentReader(Buffer.from(`<${address}>`, 'latin1'));
    const path = takeForwardPath(reader, {});
    return reader.isAtEnd ? path : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
