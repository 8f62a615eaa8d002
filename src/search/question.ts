/**
 * What can be asked of a message's text, and how much of it in one search.
 *
 * Trust: texts come from clients; `checkQuestions` bounds their number and length before anything else looks at them.
 */

import { MailError } from '../base/error.ts';
import { BODY_NEEDLE_LIMIT, NEEDLE_LIMIT_CHARS, QUESTION_LIMIT } from './limits.ts';

/** One question. Needles are folded (foldCase); an empty one is held by every text. */
export type TextQuestion =
  /** Whether a header field of this name (in lower case) holds the needle. */
  | { readonly kind: 'header'; readonly field: string; readonly needle: string }
  /** Whether the body holds the needle: text parts, and headers of embedded messages. */
  | { readonly kind: 'body'; readonly needle: string }
  /** Whether the header or the body holds it. */
  | { readonly kind: 'text'; readonly needle: string }
  /** Whether the Date field's day, zone left aside, is from the day `first` on and before `end` (midnights UTC). */
  | { readonly kind: 'sent'; readonly first: number; readonly end: number };

/** Whether the question can be answered without the body. */
export function isOfHeader({ kind }: TextQuestion): boolean {
  return kind === 'header' || kind === 'sent';
}

/** The text that is looked for; undefined where it is a date. */
export function needleOf(question: TextQuestion): string | undefined {
  return question.kind === 'sent' ? undefined : question.needle;
}

/** Throws MailError('limit') where a search asks too much. */
export function checkQuestions(questions: readonly TextQuestion[]): void {
  const ofBody = questions.filter((question) => !isOfHeader(question)).map(needleOf);
  const chars = questions.reduce((sum, question) => sum + (needleOf(question)?.length ?? 0), 0);
  const isTooMuch =
    questions.length > QUESTION_LIMIT ||
    new Set(ofBody).size > BODY_NEEDLE_LIMIT ||
    chars > NEEDLE_LIMIT_CHARS;
  if (isTooMuch)
    throw new MailError('limit', `a search with ${questions.length} texts of ${chars} characters`);
}
