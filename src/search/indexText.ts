/**
 * The text of a message as it is put into the index: everything that a question can be about, one after the other.
 *
 * Every text that answerQuestions looks at is in it as it stands, or the index would lose a true match. Where two of them
 * meet, a line feed stands between, and trigrams across it do no harm.
 */

import type { Pacer } from '../base/pacer.ts';
import type { ContentPrint, ContentReader } from '../store/sqlite/contentReader.ts';
import type { IndexedDocument } from '../store/sqlite/searchIndex.ts';
import { type MessageHeader, readBody, readHeader, type TextSink } from './messageText.ts';
import { indexForm } from './trigrams.ts';

/** Reads a content for the index; its text is undefined when it is longer than `limitChars`. Errors: `contentGone`, `contentCorrupt`. */
export async function readDocument(
  reader: ContentReader,
  print: ContentPrint,
  limitChars: number,
  pacer: Pacer,
): Promise<IndexedDocument> {
  const { structure } = await reader.derived(print.id);
  const content = reader.open(print.id);
  const texts = new Texts(limitChars);
  for (const text of headerTexts(await readHeader(content, structure))) texts.takeWhole(text);
  await readBody(content, structure, texts, pacer);
  return { ...print, text: texts.isDone ? undefined : indexForm(texts.joined) };
}

/** The header, and those values that, decoded alone, are not part of it: encoded words join with what stands beside them. */
function* headerTexts(header: MessageHeader): Generator<string> {
  yield header.text;
  for (const name of header.names) {
    for (const value of header.values(name)) if (!header.text.includes(value)) yield value;
  }
}

/** Gathers texts up to a limit. */
class Texts implements TextSink {
  readonly #limitChars: number;
  readonly #pieces: string[] = [];
  #chars = 0;

  constructor(limitChars: number) {
    this.#limitChars = limitChars;
  }

  /** Whether the limit is passed. */
  get isDone(): boolean {
    return this.#chars > this.#limitChars;
  }

  get joined(): string {
    return this.#pieces.join('');
  }

  begin(): void {
    this.add('\n');
  }

  add(piece: string): void {
    this.#chars += piece.length;
    if (!this.isDone) this.#pieces.push(piece);
  }

  takeWhole(text: string): void {
    this.begin();
    this.add(text);
  }
}
