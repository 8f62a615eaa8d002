/**
 * The text of a message as a reader would see it, folded: transfer encodings, charsets, encoded words and folds taken off.
 *
 * Of a body its text parts (HTML as it stands, tags and all) and the headers of embedded messages; other parts hold no text.
 * It comes in pieces of about 256 KiB, so a message of any size takes the memory of a piece; between pieces others have
 * their turn. Trust: nothing. Broken encodings decode as far as they go (wire/mime), and SEARCHED_OCTETS_PER_MESSAGE bounds it.
 */

import type { Pacer } from '../base/pacer.ts';
import { createCharsetDecoder } from '../wire/mime/charset.ts';
import { decodeEncodedWords } from '../wire/mime/encodedWord.ts';
import { fieldValues, type Header, splitHeader, unfold } from '../wire/mime/header.ts';
import { MAX_HEADER_OCTETS } from '../wire/mime/limits.ts';
import { octetString } from '../wire/mime/structure.ts';
import type { MimePart, TextPart } from '../wire/mime/structure.ts';
import { createTransferDecoder } from '../wire/mime/transferEncoding.ts';
import type { Content } from '../store/contract/contents.ts';
import { createFolder, foldCase } from './foldCase.ts';
import { SEARCHED_OCTETS_PER_MESSAGE } from './limits.ts';

/** Who takes texts: each is begun, then comes in pieces. */
export interface TextSink {
  /** Nothing more needs to come. */
  readonly isDone: boolean;
  begin(): void;
  add(piece: string): void;
}

/** A message's header, decoded and folded. */
export class MessageHeader {
  readonly #header: Header;
  readonly #values = new Map<string, readonly string[]>();
  #text: string | undefined;

  constructor(octets: Uint8Array) {
    this.#header = splitHeader(octets);
  }

  /** All of it. */
  get text(): string {
    this.#text ??= foldedText(this.#header.text);
    return this.#text;
  }

  /** The values of the fields with this name, in lower case. */
  values(field: string): readonly string[] {
    const known = this.#values.get(field);
    if (known !== undefined) return known;
    const values = fieldValues(this.#header, field).map(foldedText);
    this.#values.set(field, values);
    return values;
  }

  /** The names of its fields, each once. */
  get names(): ReadonlySet<string> {
    return new Set(this.#header.fields.map(({ name }) => name));
  }
}

/** Reads the header of a message or of an embedded one. Errors: those of Content.read. */
export async function readHeader(content: Content, part: MimePart): Promise<MessageHeader> {
  return new MessageHeader(await readHeaderOctets(content, part));
}

/** Gives the texts of a message's body to `sink`, until it is done. Errors: those of Content.read. */
export async function readBody(
  content: Content,
  structure: MimePart,
  sink: TextSink,
  pacer: Pacer,
): Promise<void> {
  const left = { octets: SEARCHED_OCTETS_PER_MESSAGE };
  for (const { kind, part } of partsWithText(structure)) {
    if (sink.isDone || left.octets <= 0) return;
    sink.begin();
    if (kind === 'text') await readText(content, part, sink, left, pacer);
    else sink.add(foldedText((await readHeaderOctets(content, part)).toString('latin1')));
    await pacer.breathe();
  }
}

/** What of a part is looked at: a text part's body, or the header of an embedded message. */
type PartWithText =
  | { readonly kind: 'text'; readonly part: TextPart }
  | { readonly kind: 'header'; readonly part: MimePart };

function* partsWithText(part: MimePart): Generator<PartWithText> {
  switch (part.kind) {
    case 'text':
      yield { kind: 'text', part };
      return;
    case 'multipart':
      for (const child of part.parts) yield* partsWithText(child);
      return;
    case 'message':
      yield { kind: 'header', part: part.message.structure };
      yield* partsWithText(part.message.structure);
      return;
    case 'leaf':
      return;
  }
}

async function readText(
  content: Content,
  part: TextPart,
  sink: TextSink,
  left: { octets: number },
  pacer: Pacer,
): Promise<void> {
  const transfer = createTransferDecoder(part.encoding);
  const charset = createCharsetDecoder(charsetOf(part));
  const folder = createFolder();
  for await (const piece of content.read(part.bodyStart, part.bodyEnd)) {
    left.octets -= piece.length;
    sink.add(folder.push(charset.push(transfer.push(piece))));
    if (sink.isDone || left.octets <= 0) return;
    await pacer.breathe();
  }
  sink.add(folder.push(charset.push(transfer.end()) + charset.end()) + folder.end());
}

function charsetOf({ parameters }: TextPart): string | undefined {
  return parameters.find(({ name }) => name.toLowerCase() === 'charset')?.value;
}

async function readHeaderOctets(content: Content, { headerStart, bodyStart }: MimePart): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const end = Math.min(bodyStart, headerStart + MAX_HEADER_OCTETS);
  for await (const piece of content.read(headerStart, end)) pieces.push(piece);
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

/** Text of a header, given undecoded, one character for each octet. */
function foldedText(octets: string): string {
  return foldCase(decodeEncodedWords(Buffer.from(unfold(octetString(octets)), 'latin1')));
}
