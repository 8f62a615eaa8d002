/**
 * Branded ids: numbers and strings that TypeScript keeps apart, because an AccountId in place of a MailboxId is a leak
 * of somebody's mail. A brand is given where an id is made or read from outside (the store's rows, wire's parsers).
 */

import { randomBytes } from 'node:crypto';
import type { UnixMs } from './clock.ts';

/** A domain's row. */
export type DomainId = number & { readonly __brand: 'DomainId' };
/** An account's row: one login and its mailboxes. */
export type AccountId = number & { readonly __brand: 'AccountId' };
/** A mailbox's row (an IMAP folder). */
export type MailboxId = number & { readonly __brand: 'MailboxId' };
/** Immutable octets in the store. */
export type ContentId = number & { readonly __brand: 'ContentId' };
/** An IMAP UID, 1 to 2^32-1 (RFC 3501 section 2.3.1.1). */
export type Uid = number & { readonly __brand: 'Uid' };
/** A mod-sequence value, 1 to 2^53-1 (RFC 7162 allows 2^63-1; a JavaScript number holds 2^53-1, and so many never pass). */
export type ModSeq = number & { readonly __brand: 'ModSeq' };
/** A message for one recipient in the queue. */
export type QueueId = number & { readonly __brand: 'QueueId' };
/** What an administrator quotes to find a message: 20 characters 0-9A-Z, sortable by time. Answered in the 250. */
export type TraceId = string & { readonly __brand: 'TraceId' };

const TRACE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TRACE_TIME_CHARS = 10;
const TRACE_RANDOM_CHARS = 10;

/** A new TraceId: 10 characters of time in milliseconds, 10 of randomness (50 bits), Crockford's base 32 without I, L, O, U. */
export function newTraceId(now: UnixMs): TraceId {
  let time = now as number;
  let text = '';
  for (let index = 0; index < TRACE_TIME_CHARS; index += 1) {
    text = TRACE_ALPHABET.charAt(time % 32) + text;
    time = Math.floor(time / 32);
  }
  for (const octet of randomBytes(TRACE_RANDOM_CHARS)) text += TRACE_ALPHABET.charAt(octet % 32);
  return text as TraceId;
}

/** When a trace began, by the calendar of the machine that made its id. */
export function traceIdTime(traceId: TraceId): UnixMs {
  let time = 0;
  for (const character of traceId.slice(0, TRACE_TIME_CHARS))
    time = time * 32 + TRACE_ALPHABET.indexOf(character);
  return time as UnixMs;
}

/** `text` as a TraceId when it has the form of one (any case), else undefined. */
export function parseTraceId(text: string): TraceId | undefined {
  const upper = text.toUpperCase();
  return /^[0-9A-HJKMNP-TV-Z]{20}$/.test(upper) ? (upper as TraceId) : undefined;
}
