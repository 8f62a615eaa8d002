/**
 * What a POP3 server sends, for a transcript: which answers have several lines hangs on the command (RFC 1939 section 3), and
 * messages are only counted.
 */

import { type AnswerLine, type AnswerTranscript, lineText, octetsOf } from './answers.ts';
import { LineCutter } from './lineCutter.ts';
import { summary } from './masking.ts';

/** Commands that may wait for their answer: those of a client that pipelines more are answered like lines alone. */
const EXPECTED_LIMIT = 10_000;

type Form = 'line' | 'listing' | 'message';

const MESSAGE = /^(RETR|TOP)\b/i;
/** LIST and UIDL with an argument have one line; CAPA never, AUTH and LANG without one have more. */
const LISTING = /^(CAPA\b|(LIST|UIDL|AUTH|LANG)$)/i;
const CRLF_OCTETS = 2;
const DOT = 0x2e;
const LONE_DOT = Buffer.from('.');

/** Reads a POP3 server's answers. */
export class Pop3Answers implements AnswerTranscript {
  readonly #cutter = new LineCutter();
  readonly #expected: Form[] = ['line'];
  #isWithin: Form = 'line';
  #messageOctets = 0;

  expect(command: string): void {
    if (this.#expected.length < EXPECTED_LIMIT) this.#expected.push(formOf(command));
  }

  push(data: string | Uint8Array): readonly AnswerLine[] {
    const lines: AnswerLine[] = [];
    for (const line of this.#cutter.lines(octetsOf(data))) {
      if (this.#isWithin === 'line') lines.push(this.#status(lineText(line)));
      else if (line.head.equals(LONE_DOT)) lines.push(...this.#end());
      else if (this.#isWithin === 'listing') lines.push({ text: lineText(line), isRow: true });
      else this.#messageOctets += line.head.length + line.cutOctets + CRLF_OCTETS - stuffing(line.head);
    }
    return lines;
  }

  #status(text: string): AnswerLine {
    if (!text.startsWith('+ ')) {
      const form = this.#expected.shift() ?? 'line';
      if (text.startsWith('+OK')) this.#isWithin = form;
    }
    return { text, isRow: false };
  }

  #end(): AnswerLine[] {
    const wasWithin = this.#isWithin;
    const content = { text: summary(this.#messageOctets), isRow: false };
    this.#isWithin = 'line';
    this.#messageOctets = 0;
    const end = { text: '.', isRow: false };
    return wasWithin === 'message' ? [content, end] : [end];
  }
}

/** The dot that a line beginning with one has got in front (RFC 1939 section 3). */
function stuffing(head: Buffer): number {
  return head[0] === DOT ? 1 : 0;
}

function formOf(command: string): Form {
  if (MESSAGE.test(command)) return 'message';
  return LISTING.test(command.trim()) ? 'listing' : 'line';
}
