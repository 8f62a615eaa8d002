/**
 * What an SMTP server sends, for a transcript: lines (RFC 5321 section 4.2).
 */

import { type AnswerLine, type AnswerTranscript, lineText, octetsOf } from './answers.ts';
import { LineCutter } from './lineCutter.ts';

/** Reads an SMTP server's replies. */
export class SmtpAnswers implements AnswerTranscript {
  readonly #cutter = new LineCutter();

  expect(): void {}

  push(data: string | Uint8Array): readonly AnswerLine[] {
    return Array.from(this.#cutter.lines(octetsOf(data)), (line) => ({ text: lineText(line), isRow: false }));
  }
}
