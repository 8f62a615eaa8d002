/**
 * SEARCH and UID SEARCH: which messages, by what they are. SORT and THREAD take the same keys (sort.ts, thread.ts).
 *
 * RFC 3501 section 6.4.4 and section 9: search; RFC 4466 section 3: search-return-opts, search-program; RFC 4731 section 4
 * (MIN, MAX, ALL, COUNT); RFC 5182 section 3 (SAVE). Keys are in searchKey.ts; one that is not known is an error.
 * Trust: nesting and the number of keys are bounded, so that neither this parser nor whoever walks its result can be exhausted.
 */

import type { CommandDecoder } from './decoder.ts';
import { ARGUMENT_KEYS, PLAIN_KEYS } from './searchKey.ts';
import type { SearchKey } from './searchKey.ts';
import { isAtMessageSet, parseMessageSet } from './sequenceSet.ts';

/** search-return-opt. */
export type SearchReturn = 'ALL' | 'COUNT' | 'MAX' | 'MIN' | 'SAVE';

/** search-return-opts; `RETURN ()` is ALL. Undefined: a plain SEARCH or SORT response. */
export type SearchReturns = ReadonlySet<SearchReturn> | undefined;

/** search-program; search-criteria of SORT and THREAD. */
export interface SearchProgram {
  /** In upper case; undefined: US-ASCII. Whether it is supported is the command's to say. */
  readonly charset: string | undefined;
  readonly key: SearchKey;
}

/** SEARCH's arguments. */
export interface SearchArguments extends SearchProgram {
  readonly returns: SearchReturns;
}

/** Levels of NOT, OR and parentheses. Clients nest one OR for each of many addresses; a stack holds thousands. */
export const SEARCH_NESTING_LIMIT = 500;
/** Keys in one SEARCH. Each is evaluated for each message; more than this is an attack, not a question. */
export const SEARCH_KEY_LIMIT = 5000;

const RETURN_OPTIONS: readonly SearchReturn[] = ['ALL', 'COUNT', 'MAX', 'MIN', 'SAVE'];
const SP = 0x20;
const PARENTHESIS_OPEN = 0x28;
const PARENTHESIS_CLOSE = 0x29;

/** Takes SEARCH's arguments. */
export function parseSearch(decoder: CommandDecoder): SearchArguments {
  decoder.sp();
  const parser = new SearchKeyParser(decoder);
  let word = parser.word();
  let returns: SearchReturns;
  if (word === 'RETURN') {
    returns = parseSearchReturns(decoder);
    word = parser.word();
  }
  let charset: string | undefined;
  if (word === 'CHARSET') {
    decoder.sp();
    charset = parseCharset(decoder);
    decoder.sp();
    word = parser.word();
  }
  return { charset, key: parseKeys(decoder, parser, word), returns };
}

/** Takes ` (options) `, that is what follows the word RETURN, up to what comes next. */
export function parseSearchReturns(decoder: CommandDecoder): SearchReturns {
  decoder.sp();
  const options = decoder.listOrEmpty(() => {
    const start = decoder.offset;
    const name = decoder.label('search-return-opt');
    const option = RETURN_OPTIONS.find((known) => known === name);
    if (option === undefined) throw decoder.error('search-return-opt', start);
    return option;
  });
  decoder.sp();
  return new Set(options.length === 0 ? ['ALL'] : options);
}

/** Takes SORT's and THREAD's search-criteria (RFC 5256 section 5), in which the charset always stands, up to the end. */
export function parseSearchCriteria(decoder: CommandDecoder): SearchProgram {
  const charset = parseCharset(decoder);
  decoder.sp();
  const parser = new SearchKeyParser(decoder);
  return { charset, key: parseKeys(decoder, parser, parser.word()) };
}

function parseCharset(decoder: CommandDecoder): string {
  return decoder.astring().toString('latin1').toUpperCase();
}

function parseKeys(decoder: CommandDecoder, parser: SearchKeyParser, word: string | undefined): SearchKey {
  const keys = [parser.key(word, 0)];
  while (decoder.accept(SP)) keys.push(parser.key(parser.word(), 0));
  decoder.eof();
  return conjunction(keys);
}

function conjunction(keys: readonly SearchKey[]): SearchKey {
  const [first] = keys;
  return first !== undefined && keys.length === 1 ? first : { kind: 'and', keys };
}

/** Keys of one SEARCH: counts them and knows where the last word began. */
class SearchKeyParser {
  readonly #decoder: CommandDecoder;
  #keyCount = 0;
  #wordOffset = 0;

  constructor(decoder: CommandDecoder) {
    this.#decoder = decoder;
  }

  /** The word that a key begins with; undefined where it is a set or a parenthesis, which stays to be taken. */
  word(): string | undefined {
    this.#wordOffset = this.#decoder.offset;
    if (isAtMessageSet(this.#decoder) || this.#decoder.peek() === PARENTHESIS_OPEN) return undefined;
    return this.#decoder.label('search-key');
  }

  /** Takes the rest of the key that began with `word`. */
  key(word: string | undefined, depth: number): SearchKey {
    this.#keyCount += 1;
    if (this.#keyCount > SEARCH_KEY_LIMIT) throw this.#error(`at most ${SEARCH_KEY_LIMIT} search keys`);
    if (depth > SEARCH_NESTING_LIMIT) throw this.#error(`at most ${SEARCH_NESTING_LIMIT} nested search keys`);
    if (word === undefined) return this.#setOrParentheses(depth);
    const plain = PLAIN_KEYS.get(word);
    if (plain !== undefined) return plain;
    const parse = ARGUMENT_KEYS.get(word);
    if (parse !== undefined) {
      this.#decoder.sp();
      return parse(this.#decoder);
    }
    if (word === 'NOT') return { kind: 'not', key: this.#operand(depth) };
    if (word === 'OR') return { kind: 'or', left: this.#operand(depth), right: this.#operand(depth) };
    throw this.#error('search-key');
  }

  #setOrParentheses(depth: number): SearchKey {
    if (!this.#decoder.accept(PARENTHESIS_OPEN)) {
      return { kind: 'numbers', set: parseMessageSet(this.#decoder) };
    }
    const keys = [this.key(this.word(), depth + 1)];
    while (!this.#decoder.accept(PARENTHESIS_CLOSE)) {
      if (!this.#decoder.accept(SP)) throw this.#decoder.error('SP or ")"');
      keys.push(this.key(this.word(), depth + 1));
    }
    return conjunction(keys);
  }

  #operand(depth: number): SearchKey {
    this.#decoder.sp();
    return this.key(this.word(), depth + 1);
  }

  #error(expected: string): Error {
    return this.#decoder.error(expected, this.#wordOffset);
  }
}
