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
    const octets = octetsOf(data);
    const lines: AnswerLine[] = [];
    for (let at = 0; at < octets.length; ) {
      const { line, next } = this.#cutter.take(octets, at);
      at = next;
      if (line !== undefined) lines.push({ text: lineText(line), isRow: false });
    }
    return lines;
  }
}
