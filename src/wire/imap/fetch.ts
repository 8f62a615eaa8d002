/**
 * FETCH and UID FETCH: which data of which messages.
 *
 * RFC 3501 section 6.4.5 and section 9: fetch, fetch-att; RFC 3516 section 7: BINARY; RFC 4466 section 3: fetch-modifiers;
 * RFC 7162 section 7: MODSEQ, CHANGEDSINCE, VANISHED; RFC 8474 section 7: EMAILID, THREADID; RFC 8514 section 5: SAVEDATE;
 * RFC 8970 section 6: PREVIEW, preview-mod.
 * Macros stand alone and come out as the items they stand for.
 */

import type { CommandDecoder } from './decoder.ts';
import { parsePartial, parseSection, parseSectionBinary } from './section.ts';
import type { Section, SectionPartial } from './section.ts';
import { parseMessageSet } from './sequenceSet.ts';
import type { MessageSet } from './sequenceSet.ts';

/** fetch-att. */
export type FetchItem =
  | { readonly kind: SimpleFetchItem }
  | {
      readonly kind: 'bodySection';
      readonly section: Section;
      readonly partial: SectionPartial | undefined;
      /** BODY.PEEK: \Seen stays as it is. */
      readonly isPeek: boolean;
    }
  | {
      readonly kind: 'binary';
      readonly part: readonly number[];
      readonly partial: SectionPartial | undefined;
      readonly isPeek: boolean;
    }
  | { readonly kind: 'binarySize'; readonly part: readonly number[] }
  | {
      readonly kind: 'preview';
      /** LAZY: NIL will do where a preview cannot be had quickly. */
      readonly isLazy: boolean;
    };

/** Items that are only a name. */
export type SimpleFetchItem = (typeof SIMPLE_ITEMS)[keyof typeof SIMPLE_ITEMS];

/** FETCH's arguments. */
export interface FetchArguments {
  readonly set: MessageSet;
  /** At least one, in the order asked; an item asked twice comes twice. */
  readonly items: readonly FetchItem[];
  /** Only what has a higher mod-sequence. */
  readonly changedSince: number | undefined;
  /** UIDs expunged since then are wanted as well; only UID FETCH may ask for it. */
  readonly isVanished: boolean;
}

/** Items in one FETCH. A message of 150 MB times the items that fit into a line would be an attack; mail clients ask for about ten. */
export const FETCH_ITEM_LIMIT = 256;

const SIMPLE_ITEMS = {
  ENVELOPE: 'envelope',
  FLAGS: 'flags',
  INTERNALDATE: 'internalDate',
  RFC822: 'rfc822',
  'RFC822.HEADER': 'rfc822Header',
  'RFC822.SIZE': 'rfc822Size',
  'RFC822.TEXT': 'rfc822Text',
  BODY: 'body',
  BODYSTRUCTURE: 'bodyStructure',
  UID: 'uid',
  MODSEQ: 'modSeq',
  EMAILID: 'emailId',
  THREADID: 'threadId',
  SAVEDATE: 'savedDate',
} as const;

const FAST: readonly SimpleFetchItem[] = ['flags', 'internalDate', 'rfc822Size'];
const MACROS: ReadonlyMap<string, readonly SimpleFetchItem[]> = new Map([
  ['FAST', FAST],
  ['ALL', [...FAST, 'envelope']],
  ['FULL', [...FAST, 'envelope', 'body']],
]);

const BRACKET_OPEN = 0x5b;
const PARENTHESIS_OPEN = 0x28;
const SP = 0x20;

/** Takes FETCH's arguments. */
export function parseFetch(decoder: CommandDecoder): FetchArguments {
  decoder.sp();
  const set = parseMessageSet(decoder);
  decoder.sp();
  const start = decoder.offset;
  const items = parseItems(decoder);
  if (items.length > FETCH_ITEM_LIMIT) throw decoder.error(`at most ${FETCH_ITEM_LIMIT} items`, start);
  const modifiers = decoder.accept(SP) ? parseModifiers(decoder) : NO_MODIFIERS;
  decoder.eof();
  return { set, items, ...modifiers };
}

function parseItems(decoder: CommandDecoder): readonly FetchItem[] {
  if (decoder.peek() === PARENTHESIS_OPEN) {
    return decoder.list(() => parseItem(decoder, decoder.offset, decoder.label('fetch-att')));
  }
  const start = decoder.offset;
  const name = decoder.label('fetch-att');
  return MACROS.get(name)?.map((kind) => ({ kind })) ?? [parseItem(decoder, start, name)];
}

function parseItem(decoder: CommandDecoder, start: number, name: string): FetchItem {
  const hasSection = decoder.peek() === BRACKET_OPEN;
  if (!hasSection && isSimple(name)) return { kind: SIMPLE_ITEMS[name] };
  if (name === 'PREVIEW' && !hasSection) return { kind: 'preview', isLazy: parsePreviewModifiers(decoder) };
  if (hasSection && (name === 'BODY' || name === 'BODY.PEEK')) {
    const section = parseSection(decoder);
    return { kind: 'bodySection', section, partial: parsePartial(decoder), isPeek: name === 'BODY.PEEK' };
  }
  if (hasSection && (name === 'BINARY' || name === 'BINARY.PEEK')) {
    const part = parseSectionBinary(decoder);
    return { kind: 'binary', part, partial: parsePartial(decoder), isPeek: name === 'BINARY.PEEK' };
  }
  if (hasSection && name === 'BINARY.SIZE') return { kind: 'binarySize', part: parseSectionBinary(decoder) };
  throw decoder.error('fetch-att', start);
}

/** Behind a bare PREVIEW may stand FETCH's own modifiers as well, of which none is called LAZY. */
function parsePreviewModifiers(decoder: CommandDecoder): boolean {
  if (!decoder.comesNext(' (LAZY')) return false;
  decoder.sp();
  decoder.list(() => {
    const start = decoder.offset;
    if (decoder.label('preview-mod') !== 'LAZY') throw decoder.error('preview-mod', start);
  });
  return true;
}

function isSimple(name: string): name is keyof typeof SIMPLE_ITEMS {
  return Object.hasOwn(SIMPLE_ITEMS, name);
}

type FetchModifiers = Pick<FetchArguments, 'changedSince' | 'isVanished'>;
const NO_MODIFIERS: FetchModifiers = { changedSince: undefined, isVanished: false };

function parseModifiers(decoder: CommandDecoder): FetchModifiers {
  let changedSince: number | undefined;
  let isVanished = false;
  const listStart = decoder.offset;
  decoder.list(() => {
    const start = decoder.offset;
    const name = decoder.label('fetch-modifier');
    if (name === 'VANISHED') {
      isVanished = true;
    } else if (name === 'CHANGEDSINCE') {
      decoder.sp();
      changedSince = decoder.number64();
    } else {
      throw decoder.error('CHANGEDSINCE or VANISHED', start);
    }
  });
  if (isVanished && changedSince === undefined) throw decoder.error('CHANGEDSINCE with VANISHED', listStart);
  return { changedSince, isVanished };
}
