/**
 * The structured Content-* fields: type, disposition, transfer encoding, language.
 *
 * RFC 2045 sections 5.1 (content, parameter) and 6.1 (encoding), RFC 2183 section 2 (disposition), RFC 3282 (Content-Language).
 * Values stay as written but for quotes: RFC 2231's name*0= and name*= are the client's affair, only `joinedParameter` (for
 * the boundary) undoes them. Read as lenient as the mail in the world needs it: a missing semicolon, unquoted values with
 * tspecials (boundary=----=_Part_1), words that are no parameter, quotes never closed.
 * Trust: nothing; the number of parameters and tags is bounded, time is linear.
 */

import type { Lexer } from './lexical.ts';
import { createLexer, isAtEnd, octetSet, peek, readQuoted, readUntil, skipCfws } from './lexical.ts';
import { MAX_LANGUAGES, MAX_PARAMETERS } from './limits.ts';
import type { MimeDisposition, MimeParameter, OctetString } from './structure.ts';
import { octetString } from './structure.ts';

const TOKEN_STOPS = octetSet(' \t/;,()"');
const NAME_STOPS = octetSet(' \t;=(');
const VALUE_STOPS = octetSet(' \t;');
const NO_STOPS = octetSet('');

/** A media type with its parameters. */
export interface ContentType {
  readonly type: OctetString;
  readonly subtype: OctetString;
  readonly parameters: readonly MimeParameter[];
}

/**
 * Parses Content-Type. What has no type is undefined (RFC 2045 section 5.2: text/plain is to be assumed); what has a type but
 * no subtype is text/plain for text and application/octet-stream for the rest.
 */
export function parseContentType(value: string): ContentType | undefined {
  const lexer = createLexer(value);
  const type = readToken(lexer);
  if (type === '') return undefined;
  skipCfws(lexer);
  let subtype = '';
  if (peek(lexer) === '/') {
    lexer.at += 1;
    subtype = readToken(lexer);
  }
  const parameters = readParameters(lexer);
  if (subtype !== '') return { type: octetString(type), subtype: octetString(subtype), parameters };
  const isText = type.toLowerCase() === 'text';
  return {
    type: octetString(isText ? type : 'APPLICATION'),
    subtype: octetString(isText ? 'PLAIN' : 'OCTET-STREAM'),
    parameters,
  };
}

/** Parses Content-Disposition; parameters without a type belong to an attachment (RFC 2183 section 2.8). */
export function parseContentDisposition(value: string): MimeDisposition | null {
  const lexer = createLexer(value);
  const type = readToken(lexer);
  const parameters = readParameters(lexer);
  if (type === '' && parameters.length === 0) return null;
  return { type: octetString(type === '' ? 'ATTACHMENT' : type), parameters };
}

/** Parses Content-Transfer-Encoding; null when it says nothing, or several words (`8 bit`). */
export function parseContentEncoding(value: string): OctetString | null {
  const lexer = createLexer(value);
  const token = readToken(lexer);
  skipCfws(lexer);
  const isWhole = isAtEnd(lexer) || peek(lexer) === ';';
  return token === '' || !isWhole ? null : octetString(token);
}

/** Parses Content-Language; null when it has no tag. */
export function parseContentLanguage(value: string): readonly OctetString[] | null {
  const lexer = createLexer(value);
  const tags: OctetString[] = [];
  while (tags.length < MAX_LANGUAGES) {
    const tag = readToken(lexer);
    if (tag !== '') tags.push(octetString(tag));
    skipCfws(lexer);
    if (peek(lexer) !== ',') break;
    lexer.at += 1;
  }
  return tags.length === 0 ? null : tags;
}

/** The value of a parameter, RFC 2231 sections 3 and 4 undone (continuations, percent encoding; no charset conversion). */
export function joinedParameter(parameters: readonly MimeParameter[], name: string): string | undefined {
  const values = new Map<string, string>();
  for (const parameter of parameters) {
    const key = parameter.name.toLowerCase();
    if (!values.has(key)) values.set(key, parameter.value);
  }
  const plain = values.get(name);
  if (plain !== undefined) return plain;
  const extended = values.get(`${name}*`);
  if (extended !== undefined) return decodeExtended(extended, true);
  let joined: string | undefined;
  for (let section = 0; section < MAX_PARAMETERS; section += 1) {
    const encoded = values.get(`${name}*${section}*`);
    const piece =
      encoded === undefined ? values.get(`${name}*${section}`) : decodeExtended(encoded, section === 0);
    if (piece === undefined) break;
    joined = (joined ?? '') + piece;
  }
  return joined;
}

function decodeExtended(value: string, hasCharset: boolean): string {
  const text = hasCharset ? value.replace(/^[^']*'[^']*'/, '') : value;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** A token, or the quoted-string that some write in its place. */
function readToken(lexer: Lexer): string {
  skipCfws(lexer);
  if (peek(lexer) === '"') return readQuoted(lexer) ?? readUntil(lexer, TOKEN_STOPS);
  return readUntil(lexer, TOKEN_STOPS);
}

function readParameters(lexer: Lexer): MimeParameter[] {
  const parameters: MimeParameter[] = [];
  while (!isAtEnd(lexer) && parameters.length < MAX_PARAMETERS) {
    skipCfws(lexer);
    const name = readName(lexer);
    skipCfws(lexer);
    const octet = peek(lexer);
    if (octet === ';' || (octet === '=' && name === '')) lexer.at += 1;
    if (octet !== '=' || name === '') continue;
    lexer.at += 1;
    parameters.push({ name: octetString(name), value: octetString(readValue(lexer)) });
  }
  return parameters;
}

function readName(lexer: Lexer): string {
  if (peek(lexer) === '"') return readQuoted(lexer) ?? '';
  return readUntil(lexer, NAME_STOPS);
}

function readValue(lexer: Lexer): string {
  skipCfws(lexer);
  if (peek(lexer) !== '"') return readUntil(lexer, VALUE_STOPS);
  return readQuoted(lexer) ?? readUntil(lexer, NO_STOPS);
}
