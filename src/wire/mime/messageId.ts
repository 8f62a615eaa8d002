/**
 * Message IDs in Message-ID, In-Reply-To and References, in the one form in which they are compared.
 *
 * RFC 5322 section 3.6.4 with the obsolete forms of section 4.5.4: msg-id; RFC 5256 section 3 (normalisation: quoting makes no
 * difference, case does). A valid one has angle brackets and an @ with something on both sides; any octets may stand there
 * otherwise, as they do in real mail. Comments and folds inside are no part of it.
 * Trust: nothing. Linear time; the caller says how many are wanted at most.
 */

import { createLexer, isAtEnd, octetSet, peek, readQuoted, readUntil, skipCfws } from './lexical.ts';
import type { Lexer } from './lexical.ts';

const STOPS = octetSet(' \t\r\n<>"(');

/** The last `limit` message IDs of a field's value, in its order, without their angle brackets. */
export function messageIdsOf(value: string, limit: number): readonly string[] {
  const ids: string[] = [];
  const lexer = createLexer(value);
  while (passOpening(lexer)) {
    const id = readMessageId(lexer);
    if (id !== undefined) ids.push(id);
  }
  return ids.slice(-limit);
}

/** Whether it can stand in a field of ours between angle brackets: RFC 5322 section 3.6.4, leniently; longer ones are nobody's to answer to. */
export function isPlainMessageId(id: string): boolean {
  return /^[!-;=?-~]{1,250}$/.test(id);
}

/** The first message ID of a field's value. */
export function firstMessageIdOf(value: string): string | undefined {
  const lexer = createLexer(value);
  while (passOpening(lexer)) {
    const id = readMessageId(lexer);
    if (id !== undefined) return id;
  }
  return undefined;
}

function passOpening(lexer: Lexer): boolean {
  const at = lexer.text.indexOf('<', lexer.at);
  if (at === -1) return false;
  lexer.at = at + 1;
  return true;
}

/** Up to the closing bracket; undefined where it never comes, another opening one comes first, or this is no message ID. */
function readMessageId(lexer: Lexer): string | undefined {
  let id = '';
  for (;;) {
    skipCfws(lexer);
    const octet = peek(lexer);
    if (isAtEnd(lexer) || octet === '<') return undefined;
    if (octet === '>') {
      lexer.at += 1;
      break;
    }
    id += octet === '"' ? (readQuoted(lexer) ?? '') : readUntil(lexer, STOPS);
  }
  const at = id.lastIndexOf('@');
  return at > 0 && at < id.length - 1 ? id : undefined;
}
