/**
 * A message's preview: the first words that a reader sees (RFC 8970 section 3).
 *
 * Taken from the first text that has any: plain text or HTML that is no attachment, of an alternative its first. Quoted lines
 * and blockquotes are left out unless there is nothing else, as Dovecot does: an answer below a quotation shows the answer.
 * Pure and deterministic: the same octets give the same preview. Whoever calls reads at most `sourceOctets` of a part.
 */

import { KIB } from '../../base/units.ts';
import { createCharsetDecoder } from './charset.ts';
import { htmlText } from './htmlText.ts';
import type { MimePart, TextPart } from './structure.ts';
import { createTransferDecoder } from './transferEncoding.ts';

/** RFC 8970 section 3.3: SHOULD be at most 200 characters, MUST NOT be more than 256. */
export const PREVIEW_CHARACTERS = 200;
/** Texts of a message that are looked at: those before may be empty, as the plain text of some HTML mailers is. */
const PART_LIMIT = 4;
/** Enough for 200 characters in any encoding, below a quotation of a page. */
const PLAIN_SOURCE_OCTETS = 16 * KIB;
/** Newsletters begin with their style sheets. */
const HTML_SOURCE_OCTETS = 64 * KIB;

/** Text that is enough for a preview, with what newsletters put between its words. */
const ENOUGH_UNITS = 4 * KIB;
const QUOTES = /<blockquote|^[ \t]*>/im;

/** A text that a preview can be taken from. */
export interface PreviewSource {
  readonly part: TextPart;
  /** How much of its body to read, from its start. */
  readonly sourceOctets: number;
}

/** The texts to try, in this order, until one gives a preview that is not empty. */
export function previewSources(structure: MimePart): readonly PreviewSource[] {
  const sources: PreviewSource[] = [];
  for (const part of textParts(structure)) {
    const sourceOctets = isHtml(part) ? HTML_SOURCE_OCTETS : PLAIN_SOURCE_OCTETS;
    sources.push({ part, sourceOctets: Math.min(sourceOctets, part.bodyEnd - part.bodyStart) });
    if (sources.length === PART_LIMIT) break;
  }
  return sources;
}

/** The preview that the beginning of a part's body gives; empty where there is nothing to show. */
export function previewOf({ part, sourceOctets }: PreviewSource, octets: Uint8Array): string {
  const isWhole = sourceOctets === part.bodyEnd - part.bodyStart;
  const text = decode(part, octets, isWhole);
  const own = shorten(shownText(part, text, true));
  return own === '' && QUOTES.test(text) ? shorten(shownText(part, text, false)) : own;
}

function* textParts(part: MimePart): Generator<TextPart> {
  if (part.disposition?.type.toLowerCase() === 'attachment') return;
  switch (part.kind) {
    case 'text':
      if (isShown(part)) yield part;
      return;
    case 'multipart':
      for (const child of part.parts) yield* textParts(child);
      return;
    case 'message':
      yield* textParts(part.message.structure);
      return;
    case 'leaf':
      return;
  }
}

/** Subtypes whose octets are no text for a reader. */
const UNSHOWN = new Set([
  'calendar',
  'css',
  'csv',
  'directory',
  'rfc822-headers',
  'rtf',
  'vcard',
  'x-vcard',
  'xml',
]);

function isShown({ subtype }: TextPart): boolean {
  return !UNSHOWN.has(subtype.toLowerCase());
}

function isHtml({ subtype }: TextPart): boolean {
  return subtype.toLowerCase() === 'html';
}

/** A character that the end of what was read cuts in two is left away. */
function decode(part: TextPart, octets: Uint8Array, isWhole: boolean): string {
  const transfer = createTransferDecoder(part.encoding);
  const charset = createCharsetDecoder(
    part.parameters.find(({ name }) => name.toLowerCase() === 'charset')?.value,
  );
  const text = charset.push(transfer.push(octets));
  return isWhole ? text + charset.push(transfer.end()) + charset.end() : text;
}

function shownText(part: TextPart, text: string, isWithoutQuotes: boolean): string {
  return isHtml(part) ? htmlText(text, ENOUGH_UNITS, isWithoutQuotes) : plainText(text, isWithoutQuotes);
}

function plainText(text: string, isWithoutQuotes: boolean): string {
  if (/^\s*-----BEGIN PGP MESSAGE-----/.test(text)) return ''; // nothing that a reader sees
  return isWithoutQuotes ? text.replace(/^[ \t]*>.*$/gm, '') : text.replace(/^[ \t]*>[> \t]*/gm, '');
}

/**
 * The first characters of a text. White space, controls and what nobody sees beside them become one space: newsletters fill up
 * their previews with characters that have no width. Within a word those stay, since scripts and emoji need them.
 */
function shorten(text: string): string {
  let preview = '';
  let count = 0;
  let gap = '';
  for (const character of text) {
    const width = widthOf(character);
    if (width === 'blank') gap = ' ';
    else if (width === 'none') gap = gap === ' ' ? gap : gap + character;
    if (width !== 'some') continue;
    if (preview === '') gap = '';
    count += gap.length + 1;
    if (count > PREVIEW_CHARACTERS) break;
    preview += gap + character;
    gap = '';
  }
  return preview;
}

/** 'turning' are the marks that turn the direction of writing for what follows: they may not outlive what is cut off. */
function widthOf(character: string): 'blank' | 'none' | 'turning' | 'some' {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0x20 || (code >= 0x7f && code <= 0xa0)) return 'blank';
  if (code < 0x300) return code === 0xad ? 'none' : 'some';
  if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) return 'turning';
  if (code === 0x34f || (code >= 0x200b && code <= 0x200f) || (code >= 0x2060 && code <= 0x2064))
    return 'none';
  if (code === 0xfeff) return 'none';
  return /\s/.test(character) ? 'blank' : 'some';
}
