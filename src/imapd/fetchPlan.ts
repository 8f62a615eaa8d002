/**
 * What a FETCH has to read for each message, worked out once from its items (RFC 3501 section 6.4.5).
 *
 * Every section but HEADER.FIELDS is one range of the content (wire/mime/section.ts), BINARY is a range decoded (RFC 3516); the
 * structure that tells the ranges is derived data and is asked for only where an item needs it.
 */

import type { FetchArguments, FetchItem, SimpleFetchItem } from '../wire/imap/fetch.ts';
import { formatBinaryName, formatBinarySizeName, formatSectionName } from '../wire/imap/fetchData.ts';
import type { Section, SectionPartial } from '../wire/imap/section.ts';
import type { SectionText } from '../wire/mime/section.ts';

/** Items that are told from the entry alone. */
export type EntryItem = 'uid' | 'flags' | 'modSeq' | 'internalDate' | 'rfc822Size' | 'savedDate' | 'threadId';
/** Items that are told from derived data. */
export type DerivedItem = 'envelope' | 'body' | 'bodyStructure';

/** Items that are made from the content. */
export type ContentItem = 'emailId' | 'preview';

/** A stretch of the message. */
export interface SectionItem {
  readonly kind: 'section';
  /** As the response names it: `BODY[1.TEXT]<0>`, `RFC822`. */
  readonly name: string;
  readonly path: readonly number[];
  readonly text: SectionText | undefined;
  readonly partial: SectionPartial | undefined;
}

/** Some fields of a header. */
export interface FieldsItem {
  readonly kind: 'fields';
  readonly name: string;
  readonly path: readonly number[];
  /** Names of fields, in lower case. */
  readonly fields: ReadonlySet<string>;
  readonly isInverted: boolean;
  readonly partial: SectionPartial | undefined;
}

/** A part without its encoding, or how long that is. */
export interface BinaryItem {
  readonly kind: 'binary' | 'binarySize';
  /** As the response names it: `BINARY[1]<0>`, `BINARY.SIZE[1]`. */
  readonly name: string;
  readonly path: readonly number[];
  readonly partial: SectionPartial | undefined;
}

/** One item, ready to be answered. */
export type PlannedItem =
  | { readonly kind: EntryItem }
  | { readonly kind: DerivedItem }
  | { readonly kind: ContentItem }
  | SectionItem
  | FieldsItem
  | BinaryItem;

/** How to answer a FETCH. */
export interface FetchPlan {
  /** In the order asked, UID first where UID FETCH was not asked for it; names alone do not come twice. */
  readonly items: readonly PlannedItem[];
  readonly needsDerived: boolean;
  readonly needsContent: boolean;
  /** The message's header or text is told: octets in memory say where that is, and for others derived data is needed. */
  readonly needsHeaderEnd: boolean;
  /** Nothing but flags, UIDs and mod-sequences is told. */
  readonly needsFlagsOnly: boolean;
  readonly tellsFlags: boolean;
  /** Mod-sequences are told: asked for, or implied by CHANGEDSINCE. */
  readonly tellsModSeq: boolean;
  /** An item without PEEK: messages become \Seen, and their flags are told. */
  readonly setsSeen: boolean;
}

/** The plan for `args`. Errors: WireError for what belongs to extensions that are not offered. */
export function planFetch(args: FetchArguments, isUid: boolean): FetchPlan {
  const asked = itemsOf(args, isUid);
  const unique = asked.filter((item, index) => !isRepeated(asked, item, index));
  const items = unique.map(planItem);
  const stretches = items.filter((item) => 'path' in item);
  const isDerived = ({ kind }: PlannedItem) =>
    kind === 'envelope' || kind === 'body' || kind === 'bodyStructure' || kind === 'preview';
  return {
    items,
    needsDerived: items.some(isDerived) || stretches.some(({ path }) => path.length > 0),
    needsContent: stretches.length > 0 || items.some(({ kind }) => kind === 'emailId' || kind === 'preview'),
    needsHeaderEnd: stretches.some((item) => item.path.length === 0 && !isWhole(item)),
    needsFlagsOnly: items.every(({ kind }) => kind === 'flags' || kind === 'uid' || kind === 'modSeq'),
    tellsFlags: items.some(({ kind }) => kind === 'flags'),
    tellsModSeq: items.some(({ kind }) => kind === 'modSeq'),
    setsSeen: unique.some(setsSeen),
  };
}

/** Whether the item is all of the message, whatever of it is asked for. */
export function isWhole(item: SectionItem | FieldsItem | BinaryItem): boolean {
  if (item.kind === 'fields' || item.path.length > 0) return false;
  return item.kind !== 'section' || item.text === undefined;
}

/** The size of one part is counted once, however often it is asked for: counting may cost the whole message. */
function isRepeated(items: readonly FetchItem[], item: FetchItem, index: number): boolean {
  if (item.kind === 'bodySection' || item.kind === 'binary') return false;
  const name = nameOf(item);
  return items.findIndex((other) => nameOf(other) === name) < index;
}

function nameOf(item: FetchItem): string {
  return item.kind === 'binarySize' ? formatBinarySizeName(item.part) : item.kind;
}

/** UID FETCH tells UID, and CHANGEDSINCE adds MODSEQ (RFC 7162 section 3.1.4.1). */
function itemsOf({ items, changedSince }: FetchArguments, isUid: boolean): readonly FetchItem[] {
  const before: readonly FetchItem[] = isUid ? [{ kind: 'uid' }] : [];
  const after: readonly FetchItem[] = changedSince === undefined ? [] : [{ kind: 'modSeq' }];
  return [...before, ...items, ...after];
}

function planItem(item: FetchItem): PlannedItem {
  switch (item.kind) {
    case 'bodySection':
      return planSection(item.section, item.partial);
    case 'rfc822':
      return { kind: 'section', name: 'RFC822', path: [], text: undefined, partial: undefined };
    case 'rfc822Header':
      return { kind: 'section', name: 'RFC822.HEADER', path: [], text: 'HEADER', partial: undefined };
    case 'rfc822Text':
      return { kind: 'section', name: 'RFC822.TEXT', path: [], text: 'TEXT', partial: undefined };
    case 'binary': {
      const { part: path, partial } = item;
      return { kind: 'binary', name: formatBinaryName(path, partial?.start), path, partial };
    }
    case 'binarySize':
      return {
        kind: 'binarySize',
        name: formatBinarySizeName(item.part),
        path: item.part,
        partial: undefined,
      };
    default:
      return { kind: item.kind };
  }
}

function planSection(section: Section, partial: SectionPartial | undefined): PlannedItem {
  const name = formatSectionName(section, partial?.start);
  const { part: path, text } = section;
  if (text?.kind === 'headerFields') {
    const fields = new Set(text.fields.map((field) => field.toLowerCase()));
    return { kind: 'fields', name, path, fields, isInverted: text.isInverted, partial };
  }
  return { kind: 'section', name, path, text: text && SECTION_TEXTS[text.kind], partial };
}

const SECTION_TEXTS = { header: 'HEADER', text: 'TEXT', mime: 'MIME' } as const;

const SEEN_ITEMS: readonly (SimpleFetchItem | 'bodySection')[] = ['rfc822', 'rfc822Text'];

function setsSeen(item: FetchItem): boolean {
  if (item.kind === 'bodySection' || item.kind === 'binary') return !item.isPeek;
  return SEEN_ITEMS.some((kind) => kind === item.kind);
}
