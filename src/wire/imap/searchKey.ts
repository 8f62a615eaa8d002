/**
 * What a SEARCH key can be, and the keys that are a word or a word with arguments. Those that hold other keys are in search.ts.
 *
 * RFC 3501 section 6.4.4 and section 9: search-key; RFC 5032 section 3 (OLDER, YOUNGER); RFC 7162 section 7 (MODSEQ);
 * RFC 8474 section 7 (EMAILID, THREADID); RFC 8514 section 5 (SAVEDBEFORE, SAVEDON, SAVEDSINCE, SAVEDATESUPPORTED).
 * Keys that are defined by others come out as those others: NEW is RECENT and UNSEEN, and where every mailbox keeps save dates
 * SAVEDATESUPPORTED is ALL.
 */

import { parseDate } from './dates.ts';
import type { CalendarDate } from './dates.ts';
import type { CommandDecoder } from './decoder.ts';
import { parseKeyword } from './flags.ts';
import type { SystemFlag } from './flags.ts';
import { parseObjectId } from './objectId.ts';
import { parseMessageSet } from './sequenceSet.ts';
import type { MessageSet } from './sequenceSet.ts';

/** search-key. Texts are octets in the command's charset. */
export type SearchKey =
  | { readonly kind: 'all' }
  | { readonly kind: 'flag'; readonly flag: SystemFlag | '\\Recent'; readonly isSet: boolean }
  | { readonly kind: 'keyword'; readonly keyword: string; readonly isSet: boolean }
  | { readonly kind: 'numbers'; readonly set: MessageSet }
  | { readonly kind: 'uids'; readonly set: MessageSet }
  /** BCC, CC, FROM, SUBJECT, TO: within the fetch envelope's field. */
  | { readonly kind: 'envelope'; readonly field: EnvelopeField; readonly text: Buffer }
  /** HEADER: within any field of this name (one character for each octet); an empty text means that the field exists. */
  | { readonly kind: 'header'; readonly field: string; readonly text: Buffer }
  | { readonly kind: 'body'; readonly text: Buffer }
  | { readonly kind: 'text'; readonly text: Buffer }
  /** BEFORE, ON, SINCE: by INTERNALDATE's day, zone left aside. */
  | { readonly kind: 'internalDate'; readonly comparison: DateComparison; readonly date: CalendarDate }
  /** SENTBEFORE, SENTON, SENTSINCE: by the Date field's day, zone left aside. */
  | { readonly kind: 'sentDate'; readonly comparison: DateComparison; readonly date: CalendarDate }
  /** SAVEDBEFORE, SAVEDON, SAVEDSINCE: by SAVEDATE's day, zone left aside. */
  | { readonly kind: 'savedDate'; readonly comparison: DateComparison; readonly date: CalendarDate }
  /** OLDER, YOUNGER: by INTERNALDATE, in seconds before now. */
  | { readonly kind: 'older'; readonly seconds: number }
  | { readonly kind: 'younger'; readonly seconds: number }
  /** LARGER, SMALLER: strictly. */
  | { readonly kind: 'larger'; readonly octets: number }
  | { readonly kind: 'smaller'; readonly octets: number }
  /** A mod-sequence at least this; the entry name that may stand before it is read and left aside, as all flags share one. */
  | { readonly kind: 'modSeq'; readonly atLeast: number }
  | { readonly kind: 'emailId'; readonly id: string }
  | { readonly kind: 'threadId'; readonly id: string }
  | { readonly kind: 'not'; readonly key: SearchKey }
  | { readonly kind: 'or'; readonly left: SearchKey; readonly right: SearchKey }
  /** All of them; one at least. */
  | { readonly kind: 'and'; readonly keys: readonly SearchKey[] };

/** Fields of the fetch envelope that have a key of their own. */
export type EnvelopeField = 'bcc' | 'cc' | 'from' | 'subject' | 'to';
/** before: strictly; since: on the day or later. */
export type DateComparison = 'before' | 'on' | 'since';
const DQUOTE = 0x22;

/** Whether `key` or one within it is such. */
export function someSearchKey(key: SearchKey, isSuch: (key: SearchKey) => boolean): boolean {
  if (isSuch(key)) return true;
  switch (key.kind) {
    case 'not':
      return someSearchKey(key.key, isSuch);
    case 'or':
      return someSearchKey(key.left, isSuch) || someSearchKey(key.right, isSuch);
    case 'and':
      return key.keys.some((part) => someSearchKey(part, isSuch));
    default:
      return false;
  }
}

/** Keys without arguments. */
export const PLAIN_KEYS: ReadonlyMap<string, SearchKey> = new Map<string, SearchKey>([
  ['ALL', { kind: 'all' }],
  ['ANSWERED', { kind: 'flag', flag: '\\Answered', isSet: true }],
  ['DELETED', { kind: 'flag', flag: '\\Deleted', isSet: true }],
  ['DRAFT', { kind: 'flag', flag: '\\Draft', isSet: true }],
  ['FLAGGED', { kind: 'flag', flag: '\\Flagged', isSet: true }],
  [
    'NEW',
    {
      kind: 'and',
      keys: [
        { kind: 'flag', flag: '\\Recent', isSet: true },
        { kind: 'flag', flag: '\\Seen', isSet: false },
      ],
    },
  ],
  ['OLD', { kind: 'flag', flag: '\\Recent', isSet: false }],
  ['RECENT', { kind: 'flag', flag: '\\Recent', isSet: true }],
  ['SAVEDATESUPPORTED', { kind: 'all' }],
  ['SEEN', { kind: 'flag', flag: '\\Seen', isSet: true }],
  ['UNANSWERED', { kind: 'flag', flag: '\\Answered', isSet: false }],
  ['UNDELETED', { kind: 'flag', flag: '\\Deleted', isSet: false }],
  ['UNDRAFT', { kind: 'flag', flag: '\\Draft', isSet: false }],
  ['UNFLAGGED', { kind: 'flag', flag: '\\Flagged', isSet: false }],
  ['UNSEEN', { kind: 'flag', flag: '\\Seen', isSet: false }],
]);

type ArgumentParser = (decoder: CommandDecoder) => SearchKey;

/** Keys with arguments: takes those, after their SP. */
export const ARGUMENT_KEYS: ReadonlyMap<string, ArgumentParser> = new Map<string, ArgumentParser>([
  ['BCC', (decoder) => ({ kind: 'envelope', field: 'bcc', text: decoder.astring() })],
  ['BEFORE', (decoder) => ({ kind: 'internalDate', comparison: 'before', date: parseDate(decoder) })],
  ['BODY', (decoder) => ({ kind: 'body', text: decoder.astring() })],
  ['CC', (decoder) => ({ kind: 'envelope', field: 'cc', text: decoder.astring() })],
  ['EMAILID', (decoder) => ({ kind: 'emailId', id: parseObjectId(decoder) })],
  ['FROM', (decoder) => ({ kind: 'envelope', field: 'from', text: decoder.astring() })],
  ['HEADER', parseHeaderKey],
  ['KEYWORD', (decoder) => ({ kind: 'keyword', keyword: parseKeyword(decoder), isSet: true })],
  ['LARGER', (decoder) => ({ kind: 'larger', octets: decoder.number64() })],
  ['MODSEQ', parseModSeqKey],
  ['OLDER', (decoder) => ({ kind: 'older', seconds: decoder.nzNumber() })],
  ['ON', (decoder) => ({ kind: 'internalDate', comparison: 'on', date: parseDate(decoder) })],
  ['SAVEDBEFORE', (decoder) => ({ kind: 'savedDate', comparison: 'before', date: parseDate(decoder) })],
  ['SAVEDON', (decoder) => ({ kind: 'savedDate', comparison: 'on', date: parseDate(decoder) })],
  ['SAVEDSINCE', (decoder) => ({ kind: 'savedDate', comparison: 'since', date: parseDate(decoder) })],
  ['SENTBEFORE', (decoder) => ({ kind: 'sentDate', comparison: 'before', date: parseDate(decoder) })],
  ['SENTON', (decoder) => ({ kind: 'sentDate', comparison: 'on', date: parseDate(decoder) })],
  ['SENTSINCE', (decoder) => ({ kind: 'sentDate', comparison: 'since', date: parseDate(decoder) })],
  ['SINCE', (decoder) => ({ kind: 'internalDate', comparison: 'since', date: parseDate(decoder) })],
  ['SMALLER', (decoder) => ({ kind: 'smaller', octets: decoder.number64() })],
  ['SUBJECT', (decoder) => ({ kind: 'envelope', field: 'subject', text: decoder.astring() })],
  ['TEXT', (decoder) => ({ kind: 'text', text: decoder.astring() })],
  ['THREADID', (decoder) => ({ kind: 'threadId', id: parseObjectId(decoder) })],
  ['TO', (decoder) => ({ kind: 'envelope', field: 'to', text: decoder.astring() })],
  ['UID', (decoder) => ({ kind: 'uids', set: parseMessageSet(decoder) })],
  ['UNKEYWORD', (decoder) => ({ kind: 'keyword', keyword: parseKeyword(decoder), isSet: false })],
  ['YOUNGER', (decoder) => ({ kind: 'younger', seconds: decoder.nzNumber() })],
]);

function parseHeaderKey(decoder: CommandDecoder): SearchKey {
  const field = decoder.astring().toString('latin1');
  decoder.sp();
  return { kind: 'header', field, text: decoder.astring() };
}

function parseModSeqKey(decoder: CommandDecoder): SearchKey {
  if (decoder.peek() === DQUOTE) {
    decoder.quoted();
    decoder.sp();
    const start = decoder.offset;
    const entryType = decoder.label('entry-type-req');
    if (!['PRIV', 'SHARED', 'ALL'].includes(entryType)) throw decoder.error('entry-type-req', start);
    decoder.sp();
  }
  return { kind: 'modSeq', atLeast: decoder.number64() };
}
