/**
 * Why a message gets no automatic answer: pure decisions.
 *
 * RFC 3834 section 2 (when not to respond) and section 5 (Auto-Submitted), RFC 5230 section 4.6 (names of list software),
 * RFC 2369 and RFC 2919 (fields of lists), MS-OXCMAIL (X-Auto-Response-Suppress).
 * Trust: nothing. What is in doubt is not answered: an answer too few harms nobody, two programs that answer each other do.
 */

import type { UnixMs } from '../../base/clock.ts';
import { type MessageHeader, valuesOf } from '../../wire/mime/messageHeader.ts';
import type { Vacation } from '../../store/contract/vacation.ts';

/** Why nobody is answered, whichever account has the message. */
export type MessageSilence =
  /** It has no sender: a report, or an answer itself. */
  | 'nullPath'
  /** Its sender is a program by its name. */
  | 'systemSender'
  /** Its header says that a program wrote it. */
  | 'automatic'
  /** It is bulk mail, or came by a mailing list. */
  | 'list'
  /** Its header asks for silence. */
  | 'suppressed'
  /** Its header is too long to be read to its end. */
  | 'headerTooLong';

/** Local parts of those who do not read answers. */
const SYSTEM_SENDER = /^(postmaster|mailer-daemon|listserv|majordomo|owner-.*|.*-(owner|request))$/i;
const BULK: ReadonlySet<string> = new Set(['bulk', 'junk', 'list']);
const SUPPRESSING: ReadonlySet<string> = new Set(['all', 'autoreply', 'oof']);

/** Why this message is answered by nobody; undefined where it may be. */
export function messageSilence(reversePath: string, header: MessageHeader): MessageSilence | undefined {
  if (reversePath === '') return 'nullPath';
  const at = reversePath.lastIndexOf('@');
  if (SYSTEM_SENDER.test(at === -1 ? reversePath : reversePath.slice(0, at))) return 'systemSender';
  if (valuesOf(header, 'auto-submitted').some((value) => firstWord(value) !== 'no')) return 'automatic';
  if (header.fields.some(({ name }) => name.startsWith('list-'))) return 'list';
  if (valuesOf(header, 'precedence').some((value) => BULK.has(firstWord(value)))) return 'list';
  const suppressed = valuesOf(header, 'x-auto-response-suppress').flatMap((value) => value.split(','));
  if (suppressed.some((word) => SUPPRESSING.has(word.trim().toLowerCase()))) return 'suppressed';
  return header.isWhole ? undefined : 'headerTooLong';
}

/** Whether an account answers at `now`. From `startsAt`, until just before `endsAt`. */
export function isAway({ isEnabled, startsAt, endsAt }: Vacation, now: UnixMs): boolean {
  return isEnabled && (startsAt === undefined || now >= startsAt) && (endsAt === undefined || now < endsAt);
}

/** What stands before parameters and comments, in lower case. */
function firstWord(value: string): string {
  return /^[^\s;(]*/.exec(value.trim())?.[0].toLowerCase() ?? '';
}
