/**
 * The addresses that a From field names, for whoever has to decide whether a sender may use them.
 *
 * RFC 5322 section 3.6.2 (mailbox-list) with what real mail writes. address.ts tells the one likely reading of an odd field;
 * here every reading counts, since clients differ: whatever stands around an @ outside of quoted strings, comments and encoded
 * words is an address. What leaves a doubt (an @ without both sides, brackets without address, quotes that never close, encoded
 * words in a local part, which some clients decode) is `unclear`, and nobody should vouch for it.
 * Trust: nothing. Linear time; ADDRESSES_LIMIT bounds what there is to decide.
 */

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
} from './lexical.ts';

/** Addresses of one field; a message has one author, hardly ever three. */
export const SENDER_ADDRESSES_LIMIT = 50;

const ATOM_STOPS = octetSet(' \t\r\n"(<>@,;:)');
const LITERAL_STOPS = octetSet('[]<>;,');
const BOUNDARIES = ',;:<>';

/** What a field names: addresses as text, a quoted local part with its quotes. */
export type SenderAddresses =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'unclear' };

const UNCLEAR: SenderAddresses = { kind: 'unclear' };

interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** Reads the unfolded value of a field. */
export function senderAddresses(value: string): SenderAddresses {
  const lexer = createLexer(value);
  const found: string[] = [];
  let words: Word[] = [];
  /** How many addresses there were before the bracket that is open. */
  let foundBeforeBracket = -1;
  for (;;) {
    skipCfws(lexer);
    if (lexer.hasOpenComment || found.length > SENDER_ADDRESSES_LIMIT) return UNCLEAR;
    if (isAtEnd(lexer)) break;
    const octet = peek(lexer);
    if (octet === '@') {
      const address = readAddress(lexer, words, foundBeforeBracket >= 0);
      if (address === undefined) return UNCLEAR;
      found.push(address);
      words = [];
    } else if (BOUNDARIES.includes(octet)) {
      const isBracketed = foundBeforeBracket >= 0;
      if ((octet === '>') !== isBracketed || (isBracketed && found.length !== foundBeforeBracket + 1))
        return UNCLEAR;
      foundBeforeBracket = octet === '<' ? found.length : -1;
      lexer.at += 1;
      words = [];
    } else {
      const word = readWord(lexer);
      if (word === undefined) return UNCLEAR;
      words.push(word);
    }
  }
  return found.length === 0 ? UNCLEAR : { kind: 'addresses', addresses: [...new Set(found)] };
}

function readWord(lexer: Lexer): Word | undefined {
  if (peek(lexer) === '"') {
    const text = readQuoted(lexer);
    return text === undefined ? undefined : { text, isQuoted: true };
  }
  const text = readEncodedWord(lexer) ?? readUntil(lexer, ATOM_STOPS);
  return text === '' ? undefined : { text, isQuoted: false };
}

/** The address around the @ that is next. */
function readAddress(lexer: Lexer, words: readonly Word[], isBracketed: boolean): string | undefined {
  const localPart = localPartOf(words, isBracketed);
  lexer.at += 1;
  const domain = readDomain(lexer);
  if (localPart === undefined || domain === '') return undefined;
  return Buffer.from(`${localPart}@${domain}`, 'latin1').toString();
}

/** The last words as far as dots join them (obs-local-part); in brackets there are no others. */
function localPartOf(words: readonly Word[], isBracketed: boolean): string | undefined {
  let start = words.length - 1;
  while (start > 0 && isDotted(words[start - 1], words[start])) start -= 1;
  if (isBracketed && start > 0) return undefined;
  const own = words.slice(Math.max(0, start));
  const text = own.map((word) => word.text).join('');
  if (text === '' || text.includes('=?')) return undefined;
  return own.some(({ isQuoted }) => isQuoted) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text;
}

function isDotted(left: Word | undefined, right: Word | undefined): boolean {
  return (
    (left?.isQuoted === false && left.text.endsWith('.')) ||
    (right?.isQuoted === false && right.text.startsWith('.'))
  );
}

/** domain: dot-atom, with space around its dots as obs-domain has it, or domain-literal. */
function readDomain(lexer: Lexer): string {
  skipCfws(lexer);
  if (peek(lexer) === '[') {
    lexer.at += 1;
    const literal = readUntil(lexer, LITERAL_STOPS);
    if (peek(lexer) !== ']') return '';
    lexer.at += 1;
    return `[${literal}]`;
  }
  let domain = readUntil(lexer, ATOM_STOPS);
  for (;;) {
    skipCfws(lexer);
    if (!domain.endsWith('.') && peek(lexer) !== '.') return domain;
    const piece = readUntil(lexer, ATOM_STOPS);
    if (piece === '') return domain;
    domain += piece;
  }
}
