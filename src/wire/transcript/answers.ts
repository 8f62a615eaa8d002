/**
 * What a server sends, as a transcript has it: one value for each line, made from the octets as they leave, in any pieces.
 *
 * Implemented for each protocol beside this file; what a command's answer looks like can hang on the command.
 */

import type { CutLine } from './lineCutter.ts';
import { summary } from './masking.ts';
import { printable } from './printable.ts';

/** A line of the server's. */
export interface AnswerLine {
  /** Printable, without line end. */
  readonly text: string;
  /** Whether it is one of perhaps very many of its kind, as those of a listing are: some of them say as much as all. */
  readonly isRow: boolean;
}

/** Reads one session's output. */
export interface AnswerTranscript {
  /** The client's next command, as ClientTranscript and its like give it. */
  expect(command: string): void;
  /** The lines that `data` (text as UTF-8) ends. */
  push(data: string | Uint8Array): readonly AnswerLine[];
}

/** `data` as octets, not copied. */
export function octetsOf(data: string | Uint8Array): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  return Buffer.from(data.buffer, data.byteOffset, data.length);
}

/** A line as text. */
export function lineText({ head, cutOctets }: CutLine): string {
  return cutOctets === 0 ? printable(head) : `${printable(head)} ${summary(cutOctets)}`;
}
