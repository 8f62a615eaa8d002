/**
 * Sections: which part of a message BODY[...] asks for.
 *
 * RFC 3501 section 9: header-fld-name, header-list, section, section-msgtext, section-part, section-spec, section-text;
 * RFC 3516 section 7: partial, section-binary.
 * The response repeats the section as it was asked, so it formats back to the names in the case that they were sent in.
 * Trust: part numbers and field names are as many as fit into a command line; the message decides what exists.
 */

import type { CommandDecoder } from './decoder.ts';
import { formatAstring } from './format.ts';

/** section-msgtext and section-text. */
export type SectionText =
  | { readonly kind: 'header' }
  | {
      readonly kind: 'headerFields';
      /** The names as they were sent, one character for each octet. */
      readonly fields: readonly string[];
      /** HEADER.FIELDS.NOT: all fields but these. */
      readonly isInverted: boolean;
    }
  | { readonly kind: 'text' }
  /** A part's own MIME header; only after part numbers. */
  | { readonly kind: 'mime' };

/** section: the part by its numbers (none: the whole message), and what of it (undefined: its body, or the whole message). */
export interface Section {
  readonly part: readonly number[];
  readonly text: SectionText | undefined;
}

/** partial: at most `octets` from `start` on. */
export interface SectionPartial {
  readonly start: number;
  readonly octets: number;
}

const BRACKET_CLOSE = 0x5d;
const DOT = 0x2e;

/** Takes a section with its brackets. */
export function parseSection(decoder: CommandDecoder): Section {
  decoder.special('[');
  const { part, isOpen } = parsePartNumbers(decoder);
  const mayEnd = !isOpen;
  if (mayEnd && decoder.accept(BRACKET_CLOSE)) return { part, text: undefined };
  if (mayEnd && part.length > 0) throw decoder.error('"." or "]"');
  const text = parseSectionText(decoder, part.length > 0);
  decoder.special(']');
  return { part, text };
}

/** Takes a section-binary with its brackets: part numbers only. */
export function parseSectionBinary(decoder: CommandDecoder): readonly number[] {
  decoder.special('[');
  const { part, isOpen } = parsePartNumbers(decoder);
  if (isOpen) throw decoder.error('nz-number');
  decoder.special(']');
  return part;
}

/** Takes a partial if one comes next. Its count may be 0, as in Dovecot: clients that ask piece by piece come to ask for none. */
export function parsePartial(decoder: CommandDecoder): SectionPartial | undefined {
  if (!decoder.accept(0x3c)) return undefined;
  const start = decoder.number64();
  decoder.special('.');
  const octets = decoder.number64();
  decoder.special('>');
  return { start, octets };
}

/** A section with its brackets, as responses name it. */
export function formatSection({ part, text }: Section): string {
  const names = text === undefined ? [] : [formatSectionText(text)];
  return `[${[...part, ...names].join('.')}]`;
}

function parsePartNumbers(decoder: CommandDecoder): { part: readonly number[]; isOpen: boolean } {
  const part: number[] = [];
  while (isAtDigit(decoder)) {
    part.push(decoder.nzNumber());
    if (!decoder.accept(DOT)) return { part, isOpen: false };
  }
  return { part, isOpen: part.length > 0 };
}

function parseSectionText(decoder: CommandDecoder, isOfPart: boolean): SectionText {
  const start = decoder.offset;
  const name = decoder.label('section-text');
  if (name === 'HEADER') return { kind: 'header' };
  if (name === 'TEXT') return { kind: 'text' };
  if (name === 'MIME' && isOfPart) return { kind: 'mime' };
  if (name !== 'HEADER.FIELDS' && name !== 'HEADER.FIELDS.NOT') {
    throw decoder.error(isOfPart ? 'section-text' : 'section-msgtext', start);
  }
  decoder.sp();
  const fields = decoder.list(() => decoder.astring().toString('latin1'));
  return { kind: 'headerFields', fields, isInverted: name === 'HEADER.FIELDS.NOT' };
}

function formatSectionText(text: SectionText): string {
  switch (text.kind) {
    case 'header':
      return 'HEADER';
    case 'text':
      return 'TEXT';
    case 'mime':
      return 'MIME';
    case 'headerFields':
      return `HEADER.FIELDS${text.isInverted ? '.NOT' : ''} (${text.fields.map(formatAstring).join(' ')})`;
  }
}

function isAtDigit(decoder: CommandDecoder): boolean {
  const octet = decoder.peek();
  return octet >= 0x30 && octet <= 0x39;
}
