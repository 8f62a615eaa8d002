/**
 * What an IMAP server sends, for a transcript: response lines with their literals counted (RFC 3501 sections 2.2.2, 4.3 and 7).
 *
 * Three things of an answer could tell a secret or a text: the tag, which is the client's own first word and perhaps a password
 * on a wrong line; where a syntax error of LOGIN is, which tells lengths; PREVIEW, which is a message's text. They are masked.
 */

import { parseLiteralAnnouncement } from '../imap/segment.ts';
import { type AnswerLine, type AnswerTranscript, lineText, octetsOf } from './answers.ts';
import { type CutLine, LineCutter, SHOWN_LIMIT_OCTETS } from './lineCutter.ts';
import { MASK, summary } from './masking.ts';

/** Tags that may wait for their answer; those of a client that pipelines more are masked. */
const TAG_LIMIT = 1000;
const PREVIEW = /\bPREVIEW "(?:[^"\\]|\\.)*"/g;
const CONDITION = /^\* (?:OK|NO|BAD|BYE|PREAUTH)\b/;
const ERROR_PLACE = /\bat octet \d+/;
const CREDENTIALS = /^\S+ +(?:LOGIN|AUTHENTICATE)\b/i;

/** Reads an IMAP server's responses. */
export class ImapAnswers implements AnswerTranscript {
  readonly #cutter = new LineCutter();
  /** How many commands of a tag wait, and whether one of them had credentials. */
  readonly #tags = new Map<string, { count: number; hasCredentials: boolean }>();
  #literalOctets = 0;
  #text = '';

  expect(command: string): void {
    const tag = command.split(' ', 1)[0] ?? '';
    if (tag === MASK || (!this.#tags.has(tag) && this.#tags.size >= TAG_LIMIT)) return;
    const known = this.#tags.get(tag) ?? { count: 0, hasCredentials: false };
    const hasCredentials = known.hasCredentials || CREDENTIALS.test(command);
    this.#tags.set(tag, { count: known.count + 1, hasCredentials });
  }

  push(data: string | Uint8Array): readonly AnswerLine[] {
    const octets = octetsOf(data);
    const lines: AnswerLine[] = [];
    for (let at = 0; at < octets.length; ) {
      if (this.#literalOctets > 0) {
        const count = Math.min(this.#literalOctets, octets.length - at);
        this.#literalOctets -= count;
        at += count;
        continue;
      }
      const { line, next } = this.#cutter.take(octets, at);
      at = next;
      if (line !== undefined) this.#takeLine(line, lines);
    }
    return lines;
  }

  #takeLine(line: CutLine, lines: AnswerLine[]): void {
    const literal = parseLiteralAnnouncement(line.tail);
    const text = lineText(line);
    if (this.#text.length < SHOWN_LIMIT_OCTETS) this.#text += text;
    if (literal === undefined) {
      lines.push(this.#finish());
      return;
    }
    this.#text += summary(literal.octetCount);
    this.#literalOctets = literal.octetCount;
  }

  #finish(): AnswerLine {
    const text = this.#text;
    this.#text = '';
    if (text.startsWith('* '))
      return { text: text.replace(PREVIEW, `PREVIEW ${MASK}`), isRow: !CONDITION.test(text) };
    if (text.startsWith('+')) return { text, isRow: false };
    return { text: this.#withTag(text), isRow: false };
  }

  #withTag(text: string): string {
    const [tag = ''] = text.split(' ', 1);
    const known = this.#tags.get(tag);
    const rest = text.slice(tag.length);
    if (known === undefined) return `${MASK}${rest.replace(ERROR_PLACE, `at octet ${MASK}`)}`;
    if (known.count > 1) this.#tags.set(tag, { ...known, count: known.count - 1 });
    else this.#tags.delete(tag);
    return known.hasCredentials ? tag + rest.replace(ERROR_PLACE, `at octet ${MASK}`) : text;
  }
}
