/**
 * How a rule compares texts: without regard to case, and with wildcards instead of regular expressions.
 *
 * Trust: the text is a stranger's header field. A wildcard pattern is walked piece by piece from left to right, without trying
 * one branch after the other, and looks at WILDCARD_LIMIT_CHARS of the text.
 */

import type { TextMatch } from '../../store/contract/routing.ts';

/** Of a longer text a wildcard pattern sees only the beginning; a thousand characters of pattern then cost some milliseconds at most. */
export const WILDCARD_LIMIT_CHARS = 32_768;

/** A text in the form in which it is compared: made once, since many rules may look at it. */
export type FoldedText = string & { readonly isFolded: true };

/** Whether `subject` fits; `wanted` is the rule's. */
export function matchesText(match: TextMatch, wanted: string, subject: FoldedText): boolean {
  const pattern = folded(wanted);
  switch (match) {
    case 'contains':
      return subject.includes(pattern);
    case 'is':
      return subject === pattern;
    case 'startsWith':
      return subject.startsWith(pattern);
    case 'endsWith':
      return subject.endsWith(pattern);
    case 'wildcard':
      return matchesWildcard(pattern, subject.slice(0, WILDCARD_LIMIT_CHARS));
  }
}

/** One form for texts that people take for the same: precomposed, lower case. */
export function folded(text: string): FoldedText {
  return text.normalize('NFC').toLowerCase() as FoldedText;
}

/** `*` is any text, `?` one character; the whole of `text` has to fit. */
function matchesWildcard(pattern: string, text: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  if (!fitsAt(first, text, 0)) return false;
  const last = others.pop();
  if (last === undefined) return first.length === text.length;
  // The leftmost place for each piece leaves the most room for those behind it.
  let at = first.length;
  for (const piece of others) {
    at = placeOf(piece, text, at);
    if (at < 0) return false;
    at += piece.length;
  }
  return text.length - last.length >= at && fitsAt(last, text, text.length - last.length);
}

function placeOf(piece: string, text: string, from: number): number {
  if (!piece.includes('?')) return text.indexOf(piece, from);
  for (let at = from; at + piece.length <= text.length; at += 1) if (fitsAt(piece, text, at)) return at;
  return -1;
}

function fitsAt(piece: string, text: string, at: number): boolean {
  if (at + piece.length > text.length) return false;
  for (let index = 0; index < piece.length; index += 1) {
    const wanted = piece[index];
    if (wanted !== '?' && wanted !== text[at + index]) return false;
  }
  return true;
}
