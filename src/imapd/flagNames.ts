/**
 * Flags between the wire, which writes names, and the store, which keeps bits and keywords (RFC 3501 section 2.3.2).
 */

import { SYSTEM_FLAGS } from '../wire/imap/flags.ts';
import type { FlagList, SystemFlag } from '../wire/imap/flags.ts';
import { FLAG } from '../store/contract/mailboxes.ts';
import type { Flags } from '../store/contract/mailboxes.ts';

const BITS: Readonly<Record<SystemFlag, number>> = {
  '\\Answered': FLAG.answered,
  '\\Flagged': FLAG.flagged,
  '\\Deleted': FLAG.deleted,
  '\\Seen': FLAG.seen,
  '\\Draft': FLAG.draft,
};

/** The store's bit for a system flag. */
export function flagBit(flag: SystemFlag): number {
  return BITS[flag];
}

/** What a client named, for the store. */
export function storedFlags({ system, keywords }: FlagList): Flags {
  return { system: system.reduce((bits, flag) => bits | BITS[flag], 0), keywords };
}

/** What the store has, for the client. */
export function flagNames({ system, keywords }: Flags, isRecent: boolean): readonly string[] {
  const names: string[] = SYSTEM_FLAGS.filter((flag) => (system & BITS[flag]) !== 0);
  if (isRecent) names.push('\\Recent');
  return [...names, ...keywords];
}
