/**
 * The text of a message for SEARCH: its header, and what of some texts its body holds.
 *
 * Decoded as a reader would see it: transfer encodings, charsets, encoded words, folds. Bodies are read and decoded piece by
 * piece, with the overlap that a match across two pieces needs; text parts and the headers of embedded messages are looked at,
 * attachments are not. (The search room takes this over with an index of its own.)
 */

import type { Pacer } from '../base/pacer.ts';
import { midnightUtc } from '../wire/imap/dates.ts';
import { createCharsetDecoder } from '../wire/mime/charset.ts';
import { dayOfDateField } from '../wire/mime/dateField.ts';
import { decodeEncodedWords } from '../wire/mime/encodedWord.ts';
import { fieldValues, splitHeader, unfold } from '../wire/mime/header.ts';
import { MAX_HEADER_OCTETS } from '../wire/mime/limits.ts';
import { octetString } from '../wire/mime/structure.ts';
import type { MimeMessage, MimePart, TextPart } from '../wire/mime/structure.ts';
import { createTransferDecoder } from '../wire/mime/transferEncoding.ts';
import type { Content } from '../store/contract/contents.ts';
import { foldCase } from './searchCriterion.ts';
import type { SearchableHeader } from './searchCriterion.ts';

/** A message that can be read. */
export interface SearchedMessage {
  readonly content: Content;
  readonly derived: MimeMessage;
}

/** The message's header. Errors: those of Content.read. */
export async function readHeader({ content, derived }: SearchedMessage): Promise<SearchableHeader> {
  const octets = await readPartHeader(content, derived.structure);
  const header = splitHeader(octets);
  const known = new Map<string, readonly string[]>();
  const day = dayOfDateField(derived.envelope.date ?? '');
  let text: string | undefined;
  return {
    get text() {
      text ??= foldCase(decodeText(header.text));
      return text;
    },
    values(field) {
      const values =
        known.get(field) ?? fieldValues(header, field).map((value) => foldCase(decodeText(value)));
      known.set(field, values);
      return values;
    },
    sentDay: day && midnightUtc(day),
  };
}

/** Which of `needles` (folded) the message's body holds. Errors: those of Content.read. */
export async function findInBody(
  { content, derived }: SearchedMessage,
  needles: readonly string[],
  pacer: Pacer,
): Promise<ReadonlySet<string>> {
  const found = new Set(needles.filter((needle) => needle === ''));
  for (const { kind, part } of searchedParts(derived.structure)) {
    if (found.size === needles.length) break;
    const search = new PieceSearch(needles, found);
    if (kind === 'text') await searchText(content, part, search, pacer);
    else search.add(decodeText((await readPartHeader(content, part)).toString('latin1')));
    await pacer.breathe();
  }
  return found;
}

/** What of a part is looked at: a text part's body, or the header of an embedded message. */
type SearchedPart =
  | { readonly kind: 'text'; readonly part: TextPart }
  | { readonly kind: 'header'; readonly part: MimePart };

function* searchedParts(part: MimePart): Generator<SearchedPart> {
  switch (part.kind) {
    case 'text':
      yield { kind: 'text', part };
      return;
    case 'multipart':
      for (const child of part.parts) yield* searchedParts(child);
      return;
    case 'message':
      yield { kind: 'header', part: part.message.structure };
      yield* searchedParts(part.message.structure);
      return;
    case 'leaf':
      return;
  }
}

async function searchText(
  content: Content,
  part: TextPart,
  search: PieceSearch,
  pacer: Pacer,
): Promise<void> {
  const transfer = createTransferDecoder(part.encoding);
  const charset = createCharsetDecoder(charsetOf(part));
  for await (const piece of content.read(part.bodyStart, part.bodyEnd)) {
    search.add(charset.push(transfer.push(piece)));
    if (search.isDone) return;
    await pacer.breathe();
  }
  search.add(charset.push(transfer.end()) + charset.end());
}

function charsetOf({ parameters }: TextPart): string | undefined {
  return parameters.find(({ name }) => name.toLowerCase() === 'charset')?.value;
}

async function readPartHeader(content: Content, { headerStart, bodyStart }: MimePart): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const end = Math.min(bodyStart, headerStart + MAX_HEADER_OCTETS);
  for await (const piece of content.read(headerStart, end)) pieces.push(piece);
  return Buffer.concat(pieces);
}

function decodeText(octets: string): string {
  return decodeEncodedWords(Buffer.from(unfold(octetString(octets)), 'latin1'));
}

/** Looks for texts in a text that comes in pieces. */
class PieceSearch {
  readonly #needles: readonly string[];
  readonly #found: Set<string>;
  readonly #overlap: number;
  #tail = '';

  constructor(needles: readonly string[], found: Set<string>) {
    this.#needles = needles;
    this.#found = found;
    this.#overlap = Math.max(0, ...needles.map((needle) => needle.length - 1));
  }

  /** Whether there is nothing left to look for. */
  get isDone(): boolean {
    return this.#found.size === this.#needles.length;
  }

  add(piece: string): void {
    const text = this.#tail + foldCase(piece);
    for (const needle of this.#needles) {
      if (!this.#found.has(needle) && text.includes(needle)) this.#found.add(needle);
    }
    this.#tail = this.#overlap === 0 ? '' : text.slice(-this.#overlap);
  }
}
