/**
 * Lexical tokens that structured fields share: CFWS, comments and quoted strings (RFC 5322 sections 3.2.1 to 3.2.4), encoded words.
 *
 * Invariant: linear time over a field, whatever it holds. A quotation mark or parenthesis that is never closed is passed
 * over as if it were space, and so is every later one of its kind: nobody looks for the end twice. Comments nest by
 * counting, not by recursion.
 */

const SPACE_OCTETS = octetSet(' \t\r\n');
/** Between its question marks neither space nor question mark, so that no try looks further than three of them. */
const ENCODED_WORD = /=\?[^\s?]+\?[bq]\?[^\s?]*\?=/iy;

/** 1 for each octet that is in the set. */
export type OctetSet = Readonly<Uint8Array>;

/** The set of these characters. */
export function octetSet(characters: string): OctetSet {
  const set = new Uint8Array(256);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  return set;
}

/** A field's text and how far it has been read. */
export interface Lexer {
  readonly text: string;
  at: number;
  /** The comment read last, without its outer parentheses. */
  comment: string | undefined;
  hasOpenComment: boolean;
  hasOpenQuote: boolean;
}

/** A lexer at the start of `text`, which is unfolded. */
export function createLexer(text: string): Lexer {
  return { text, at: 0, comment: undefined, hasOpenComment: false, hasOpenQuote: false };
}

/** Whether everything has been read. */
export function isAtEnd(lexer: Lexer): boolean {
  return lexer.at >= lexer.text.length;
}

/** The next octet, empty at the end. */
export function peek(lexer: Lexer): string {
  return lexer.text.charAt(lexer.at);
}

/** Passes over CFWS: space and comments. */
export function skipCfws(lexer: Lexer): void {
  for (;;) {
    while (SPACE_OCTETS[lexer.text.charCodeAt(lexer.at)] === 1) lexer.at += 1;
    if (peek(lexer) !== '(') return;
    skipComment(lexer);
  }
}

/** Reads a quoted-string whose opening mark is next, and undoes its quoted-pairs; undefined when it is never closed. */
export function readQuoted(lexer: Lexer): string | undefined {
  const closing = lexer.hasOpenQuote ? -1 : closingQuote(lexer.text, lexer.at + 1);
  if (closing === -1) {
    lexer.hasOpenQuote = true;
    lexer.at += 1;
    return undefined;
  }
  const quoted = undoQuotedPairs(lexer.text.slice(lexer.at + 1, closing));
  lexer.at = closing + 1;
  return quoted;
}

/** Reads an encoded word, whole even where it has a comma or colon inside, which RFC 2047 section 5 (3) forbids and many write. */
export function readEncodedWord(lexer: Lexer): string | undefined {
  if (peek(lexer) !== '=') return undefined;
  ENCODED_WORD.lastIndex = lexer.at;
  const word = ENCODED_WORD.exec(lexer.text)?.[0];
  if (word !== undefined) lexer.at += word.length;
  return word;
}

/** Reads octets up to one of `stops` (or the end); the caller's loop has to advance when nothing is read. */
export function readUntil(lexer: Lexer, stops: OctetSet): string {
  const { text, at: start } = lexer;
  let at = start;
  while (at < text.length && stops[text.charCodeAt(at)] !== 1) at += 1;
  lexer.at = at;
  return text.slice(start, at);
}

/** Text with its quoted-pairs undone. */
export function undoQuotedPairs(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/gs, '$1') : text;
}

function closingQuote(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    const octet = text.charAt(at);
    if (octet === '"') return at;
    if (octet === '\\') at += 1;
  }
  return -1;
}

function skipComment(lexer: Lexer): void {
  const closing = lexer.hasOpenComment ? -1 : closingParenthesis(lexer.text, lexer.at + 1);
  if (closing === -1) {
    lexer.hasOpenComment = true;
    lexer.at += 1;
    return;
  }
  lexer.comment = undoQuotedPairs(lexer.text.slice(lexer.at + 1, closing));
  lexer.at = closing + 1;
}

function closingParenthesis(text: string, start: number): number {
  let depth = 1;
  for (let at = start; at < text.length; at += 1) {
    const octet = text.charAt(at);
    if (octet === '\\') at += 1;
    else if (octet === '(') depth += 1;
    else if (octet === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}
