/**
 * A SEARCH's keys made ready to be asked of many messages, and the asking (RFC 3501 section 6.4.4).
 *
 * Pure. Three-valued: a criterion that needs the header or the body answers undefined until they are known, so that most
 * messages are decided by their entry alone, without being read. Texts are compared without case, decoded.
 */

import type { UnixMs } from '../base/clock.ts';
import type { ContentId } from '../base/ids.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import { midnightUtc } from '../wire/imap/dates.ts';
import type { SystemFlag } from '../wire/imap/flags.ts';
import type { DateComparison, SearchKey } from '../wire/imap/searchKey.ts';
import { holdsNumber } from '../wire/imap/sequenceSet.ts';
import type { NumberRange } from '../wire/imap/sequenceSet.ts';
import type { Entry, Flags, InternalDate } from '../store/contract/mailboxes.ts';
import { foldCase } from '../search/foldCase.ts';
import type { TextQuestion } from '../search/question.ts';
import { contentOfEmailId } from './objectIds.ts';
import { inServerZone } from './serverZone.ts';

/** One criterion. */
export type Criterion =
  | { readonly kind: 'all' }
  | { readonly kind: 'systemFlag'; readonly bit: number; readonly isSet: boolean }
  | { readonly kind: 'recent'; readonly isSet: boolean }
  | { readonly kind: 'keyword'; readonly folded: string; readonly isSet: boolean }
  | { readonly kind: 'numbers'; readonly ranges: readonly NumberRange[] }
  | { readonly kind: 'internalDate'; readonly comparison: DateComparison; readonly midnight: number }
  | { readonly kind: 'savedDate'; readonly comparison: DateComparison; readonly midnight: number }
  /** Seconds since 1970, both included. */
  | { readonly kind: 'arrived'; readonly since: number; readonly until: number }
  | { readonly kind: 'modSeq'; readonly atLeast: number }
  | { readonly kind: 'octets'; readonly above: number; readonly below: number }
  /** What the message itself has to be asked, by the search room. */
  | { readonly kind: 'question'; readonly question: TextQuestion }
  | { readonly kind: 'emailId'; readonly id: string; readonly contentId: ContentId | undefined }
  | { readonly kind: 'not'; readonly criterion: Criterion }
  | { readonly kind: 'some'; readonly criteria: readonly Criterion[] }
  | { readonly kind: 'every'; readonly criteria: readonly Criterion[] };

/** What the search room has answered of a message. */
export interface TextAnswers {
  /** What it was asked. */
  readonly asked: ReadonlySet<TextQuestion>;
  readonly yes: ReadonlySet<TextQuestion>;
}

/** A message that is asked. */
export interface Candidate {
  readonly number: number;
  readonly entry: Entry;
  readonly isRecent: boolean;
  /** Its EMAILID, where one of its content is asked for. */
  readonly emailId: string | undefined;
  /** What is known of its texts so far. */
  readonly answers: readonly TextAnswers[];
}

/** What keys are made ready with. */
export interface CriterionSurroundings {
  /** Texts of keys, in the command's charset. */
  decode(text: Buffer): string;
  /** Numbers of messages for a set. */
  numbers(key: Extract<SearchKey, { kind: 'numbers' | 'uids' }>): readonly NumberRange[];
  bit(flag: SystemFlag): number;
  readonly now: UnixMs;
}

/** RFC 8474 section 5.2: nothing is found by THREADID. */
const NONE: Criterion = { kind: 'not', criterion: { kind: 'all' } };

/** Makes a key ready. */
export function criterionOf(key: SearchKey, surroundings: CriterionSurroundings): Criterion {
  const of = (inner: SearchKey) => criterionOf(inner, surroundings);
  const needle = (text: Buffer) => foldCase(surroundings.decode(text));
  switch (key.kind) {
    case 'all':
      return key;
    case 'flag':
      return key.flag === '\\Recent'
        ? { kind: 'recent', isSet: key.isSet }
        : { kind: 'systemFlag', bit: surroundings.bit(key.flag), isSet: key.isSet };
    case 'keyword':
      return { kind: 'keyword', folded: key.keyword.toLowerCase(), isSet: key.isSet };
    case 'numbers':
    case 'uids':
      return { kind: 'numbers', ranges: surroundings.numbers(key) };
    case 'envelope':
    case 'header':
      return asked({ kind: 'header', field: key.field.toLowerCase(), needle: needle(key.text) });
    case 'body':
    case 'text':
      return asked({ kind: key.kind, needle: needle(key.text) });
    case 'sentDate':
      return asked({ kind: 'sent', ...daysOf(key.comparison, midnightUtc(key.date)) });
    case 'internalDate':
    case 'savedDate':
      return { kind: key.kind, comparison: key.comparison, midnight: midnightUtc(key.date) };
    case 'older':
      return {
        kind: 'arrived',
        since: Number.NEGATIVE_INFINITY,
        until: secondOf(surroundings.now) - key.seconds,
      };
    case 'younger':
      return {
        kind: 'arrived',
        since: secondOf(surroundings.now) - key.seconds,
        until: Number.POSITIVE_INFINITY,
      };
    case 'larger':
      return { kind: 'octets', above: key.octets, below: Number.POSITIVE_INFINITY };
    case 'smaller':
      return { kind: 'octets', above: -1, below: key.octets };
    case 'emailId':
      return { ...key, contentId: contentOfEmailId(key.id) };
    case 'threadId':
      return NONE;
    case 'not':
      return { kind: 'not', criterion: of(key.key) };
    case 'or':
      return { kind: 'some', criteria: [of(key.left), of(key.right)] };
    case 'and':
      return { kind: 'every', criteria: key.keys.map(of) };
    case 'modSeq':
      return key;
  }
}

/** Whether the message meets the criterion; undefined when that cannot be told yet. */
export function meets(criterion: Criterion, candidate: Candidate): boolean | undefined {
  const { entry } = candidate;
  switch (criterion.kind) {
    case 'all':
      return true;
    case 'systemFlag':
      return ((entry.flags.system & criterion.bit) !== 0) === criterion.isSet;
    case 'recent':
      return candidate.isRecent === criterion.isSet;
    case 'keyword':
      return hasKeyword(entry.flags, criterion.folded) === criterion.isSet;
    case 'numbers':
      return holdsNumber(criterion.ranges, candidate.number);
    case 'internalDate':
      return isOnDay(localDay(entry.internalDate), criterion.comparison, criterion.midnight);
    case 'savedDate':
      return isOnDay(savedDay(entry), criterion.comparison, criterion.midnight);
    case 'arrived':
      return isWithin(secondOf(entry.internalDate.at), criterion.since, criterion.until);
    case 'modSeq':
      return entry.modSeq >= criterion.atLeast;
    case 'octets':
      return entry.octets > criterion.above && entry.octets < criterion.below;
    case 'question':
      return answerOf(criterion.question, candidate);
    case 'emailId':
      if (entry.contentId !== criterion.contentId) return false;
      return candidate.emailId === undefined ? undefined : candidate.emailId === criterion.id;
    case 'not':
      return negated(meets(criterion.criterion, candidate));
    case 'some':
      return some(criterion.criteria, candidate);
    case 'every':
      return every(criterion.criteria, candidate);
  }
}

/** The contents that EMAILID keys name. */
export function emailContentsOf(criterion: Criterion): readonly ContentId[] {
  switch (criterion.kind) {
    case 'emailId':
      return criterion.contentId === undefined ? [] : [criterion.contentId];
    case 'not':
      return emailContentsOf(criterion.criterion);
    case 'some':
    case 'every':
      return criterion.criteria.flatMap(emailContentsOf);
    default:
      return [];
  }
}

/** What has to be asked of messages themselves. */
export function questionsOf(criterion: Criterion): readonly TextQuestion[] {
  switch (criterion.kind) {
    case 'question':
      return [criterion.question];
    case 'not':
      return questionsOf(criterion.criterion);
    case 'some':
    case 'every':
      return criterion.criteria.flatMap(questionsOf);
    default:
      return [];
  }
}

/** Whether MODSEQ is asked for anywhere (RFC 7162 section 3.1.5). */
export function usesModSeq(criterion: Criterion): boolean {
  switch (criterion.kind) {
    case 'modSeq':
      return true;
    case 'not':
      return usesModSeq(criterion.criterion);
    case 'some':
    case 'every':
      return criterion.criteria.some(usesModSeq);
    default:
      return false;
  }
}

/** The messages that the criterion can be met by at all, where it says so by a set of numbers. */
export function numbersOf(criterion: Criterion): readonly NumberRange[] | undefined {
  if (criterion.kind === 'numbers') return criterion.ranges;
  if (criterion.kind !== 'every') return undefined;
  return criterion.criteria.map(numbersOf).find((ranges) => ranges !== undefined);
}

function asked(question: TextQuestion): Criterion {
  return { kind: 'question', question };
}

function daysOf(comparison: DateComparison, midnight: number): { first: number; end: number } {
  switch (comparison) {
    case 'before':
      return { first: Number.NEGATIVE_INFINITY, end: midnight };
    case 'on':
      return { first: midnight, end: midnight + DAY_MS };
    case 'since':
      return { first: midnight, end: Number.POSITIVE_INFINITY };
  }
}

function answerOf(question: TextQuestion, { answers }: Candidate): boolean | undefined {
  return answers.find(({ asked: known }) => known.has(question))?.yes.has(question);
}

/** Whether a keyword, in lower case, is among the flags. */
export function hasKeyword({ keywords }: Flags, folded: string): boolean {
  return keywords.some((keyword) => keyword.toLowerCase() === folded);
}

/** The day on which it came into its mailbox, as SAVEDATE tells it; where that was not kept, the internal date's (RFC 8514 section 4.3). */
function savedDay({ savedAt, internalDate }: Entry): number {
  return localDay(savedAt === undefined ? internalDate : inServerZone(savedAt));
}

/** The day of a date in its own zone, as midnight UTC (RFC 3501: "disregarding time and timezone"). */
function localDay({ at, zoneMinutes }: InternalDate): number {
  const local = at + zoneMinutes * MINUTE_MS;
  return local - (((local % DAY_MS) + DAY_MS) % DAY_MS);
}

function isOnDay(day: number, comparison: DateComparison, midnight: number): boolean {
  if (comparison === 'before') return day < midnight;
  return comparison === 'on' ? day === midnight : day >= midnight;
}

/** RFC 5032 section 2: OLDER and YOUNGER match to the resolution of a second, as INTERNALDATE is told. */
function secondOf(at: UnixMs): number {
  return Math.floor(at / SECOND_MS);
}

function isWithin(at: number, since: number, until: number): boolean {
  return at >= since && at <= until;
}

function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function some(criteria: readonly Criterion[], candidate: Candidate): boolean | undefined {
  let result: boolean | undefined = false;
  for (const criterion of criteria) {
    const value = meets(criterion, candidate);
    if (value === true) return true;
    if (value === undefined) result = undefined;
  }
  return result;
}

function every(criteria: readonly Criterion[], candidate: Candidate): boolean | undefined {
  let result: boolean | undefined = true;
  for (const criterion of criteria) {
    const value = meets(criterion, candidate);
    if (value === false) return false;
    if (value === undefined) result = undefined;
  }
  return result;
}
