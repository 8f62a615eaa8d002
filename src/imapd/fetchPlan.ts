/**
 * What a FETCH has to read for each message, worked out once from its items (RFC 3501 section 6.4.5).
 *
 * Every section but HEADER.FIELDS is one range of the content (wire/mime/section.ts); the structure that tells the ranges is
 * derived data and is asked for only where an item needs it.
 */

import { WireError } from '../base/error.ts';
import type { FetchArguments, FetchItem, SimpleFetchItem } from '../wire/imap/fetch.ts';
import { formatSectionName } from '../wire/imap/fetchData.ts';
import type { Section, SectionPartial } from '../wire/imap/section.ts';
import type { SectionText } from '../wire/mime/section.ts';

/** Items that are told from the entry alone. */
export type EntryItem = 'uid' | 'flags' | 'internalDate' | 'rfc822Size' | 'savedDate' | 'threadId';
/** Items that are told from derived data. */
export type DerivedItem = 'envelope' | 'body' | 'bodyStructure';

/** Items that are told from the content as a whole. */
export type ContentItem = 'emailId';

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
  readonly fields: readonly string[];
  readonly isInverted: boolean;
  readonly partial: SectionPartial | undefined;
}

/** One item, ready to be answered. */
export type PlannedItem =
  | { readonly kind: EntryItem }
  | { readonly kind: DerivedItem }
  | { readonly kind: ContentItem }
  | SectionItem
  | FieldsItem;

/** How to answer a FETCH. */
export interface FetchPlan {
  /** In the order asked, UID first where UID FETCH was not asked for it; names alone do not come twice. */
  readonly items: readonly PlannedItem[];
  readonly needsDerived: boolean;
  readonly needsContent: boolean;
  /** An item without PEEK: messages become \Seen, and their flags are told. */
  readonly setsSeen: boolean;
}

/** The plan for `args`. Errors: WireError for what belongs to extensions that are not offered. */
export function planFetch(args: FetchArguments, isUid: boolean): FetchPlan {
  if (args.changedSince !== undefined) throw new WireError(0, 'no CHANGEDSINCE');
  const asked: readonly FetchItem[] = isUid ? [{ kind: 'uid' }, ...args.items] : args.items;
  const unique = asked.filter((item, index) => !isRepeated(asked, item, index));
  const items = unique.map(planItem);
  const stretches = items.filter((item) => item.kind === 'section' || item.kind === 'fields');
  const isDerived = ({ kind }: PlannedItem) =>
    kind === 'envelope' || kind === 'body' || kind === 'bodyStructure';
  return {
    items,
    needsDerived: items.some(isDerived) || stretches.some((item) => !isWhole(item)),
    needsContent: stretches.length > 0 || items.some(({ kind }) => kind === 'emailId'),
    setsSeen: unique.some(setsSeen),
  };
}

/** Whether the item is all of the message, whatever of it is asked for. */
export function isWhole(item: SectionItem | FieldsItem): boolean {
  return item.kind === 'section' && item.path.length === 0 && item.text === undefined;
}

function isRepeated(items: readonly FetchItem[], { kind }: FetchItem, index: number): boolean {
  return kind !== 'bodySection' && items.findIndex((item) => item.kind === kind) < index;
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
    case 'binary':
    case 'binarySize':
    case 'modSeq':
      throw new WireError(0, 'fetch-att');
    default:
      return { kind: item.kind };
  }
}

function planSection(section: Section, partial: SectionPartial | undefined): PlannedItem {
  const name = formatSectionName(section, partial?.start);
  const { part: path, text } = section;
  if (text?.kind === 'headerFields') {
    return { kind: 'fields', name, path, fields: text.fields, isInverted: text.isInverted, partial };
  }
  return { kind: 'section', name, path, text: text && SECTION_TEXTS[text.kind], partial };
}

const SECTION_TEXTS = { header: 'HEADER', text: 'TEXT', mime: 'MIME' } as const;

const SEEN_ITEMS: readonly (SimpleFetchItem | 'bodySection')[] = ['rfc822', 'rfc822Text'];

function setsSeen(item: FetchItem): boolean {
  if (item.kind === 'bodySection') return !item.isPeek;
  return SEEN_ITEMS.some((kind) => kind === item.kind);
}
