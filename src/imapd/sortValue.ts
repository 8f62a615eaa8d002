/**
 * What a message is sorted by (RFC 5256 sections 2.2 and 3; RFC 5957 sections 3 and 4), and the comparison.
 *
 * Pure. Texts are compared by i;unicode-casemap; what is missing is the empty text, which comes first.
 */

import { SECOND_MS } from '../base/units.ts';
import type { SortCriterion, SortKey } from '../wire/imap/sort.ts';
import { baseSubjectOf } from '../wire/mime/baseSubject.ts';
import type { BaseSubject } from '../wire/mime/baseSubject.ts';
import { casemapKey } from '../wire/mime/casemap.ts';
import { momentOfDateField } from '../wire/mime/dateField.ts';
import { decodeEncodedWords } from '../wire/mime/encodedWord.ts';
import { octetString } from '../wire/mime/structure.ts';
import type { EnvelopeAddress, FetchEnvelope } from '../wire/mime/structure.ts';
import type { Entry } from '../store/contract/mailboxes.ts';
import { SORT_TEXT_CHARS } from './limits.ts';

/** A value that compares by `<` and `>`. */
export type SortValue = number | string;

/** A message as it is sorted. */
export interface SortItem {
  readonly number: number;
  /** One for each criterion, in their order. */
  readonly values: readonly SortValue[];
}

/** Keys that the entry alone answers. */
export const ENTRY_KEYS: ReadonlySet<SortKey> = new Set<SortKey>(['ARRIVAL', 'SIZE']);

/** The value of `key`; `envelope` may be absent for ENTRY_KEYS alone. */
export function sortValueOf(key: SortKey, entry: Entry, envelope: FetchEnvelope | undefined): SortValue {
  switch (key) {
    case 'ARRIVAL':
      return arrivalOf(entry);
    case 'SIZE':
      return entry.octets;
    case 'DATE':
      return sentDateOf(entry, envelope);
    case 'SUBJECT':
      return subjectKeyOf(baseSubjectOf(envelope?.subject ?? octetString('')));
    case 'CC':
      return mailboxOf(envelope?.cc);
    case 'FROM':
      return mailboxOf(envelope?.from);
    case 'TO':
      return mailboxOf(envelope?.to);
    case 'DISPLAYFROM':
      return displayOf(envelope?.from);
    case 'DISPLAYTO':
      return displayOf(envelope?.to);
  }
}

/** Compares two items by `criteria`, and last by number. */
export function comparison(criteria: readonly SortCriterion[]): (left: SortItem, right: SortItem) => number {
  return (left, right) => {
    for (const [index, { isReverse }] of criteria.entries()) {
      const [one, other] = [left.values[index] ?? '', right.values[index] ?? ''];
      if (one < other) return isReverse ? 1 : -1;
      if (one > other) return isReverse ? -1 : 1;
    }
    return left.number - right.number;
  };
}

/** RFC 5256 section 2.2: the sent date, in milliseconds since 1970; INTERNALDATE where the message has none. */
export function sentDateOf(entry: Entry, envelope: FetchEnvelope | undefined): number {
  const { date = null } = envelope ?? {};
  return (date === null ? undefined : momentOfDateField(date)) ?? arrivalOf(entry) * SECOND_MS;
}

/** A base subject as it is compared. */
export function subjectKeyOf({ text }: BaseSubject): string {
  return casemapKey(text.slice(0, SORT_TEXT_CHARS));
}

/** Seconds, as INTERNALDATE is told: what looks alike to the client stays in its order. */
function arrivalOf({ internalDate }: Entry): number {
  return Math.floor(internalDate.at / SECOND_MS);
}

/** addr-mailbox of the first address. */
function mailboxOf(addresses: readonly EnvelopeAddress[] | null | undefined): string {
  return casemapKey(decode(addresses?.[0]?.mailbox).slice(0, SORT_TEXT_CHARS));
}

/** RFC 5957 section 3: the first address's name, decoded, or else the address, or what there is of it. */
function displayOf(addresses: readonly EnvelopeAddress[] | null | undefined): string {
  const [first] = addresses ?? [];
  const name = decode(first?.name);
  const address = first?.host ? `${decode(first.mailbox)}@${decode(first.host)}` : decode(first?.mailbox);
  return casemapKey((name === '' ? address : name).slice(0, SORT_TEXT_CHARS));
}

function decode(octets: string | null | undefined): string {
  return octets ? decodeEncodedWords(Buffer.from(octets, 'latin1')) : '';
}
