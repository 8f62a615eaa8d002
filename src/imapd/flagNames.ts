/**
 * Flags between the wire, which writes names, and the store, which keeps bits and keywords (RFC 3501 section 2.3.2).
 */

import { formatFlagsItem } from '../wire/imap/fetchData.ts';
import { SYSTEM_FLAGS } from '../wire/imap/flags.ts';
import type { FlagList, SystemFlag } from '../wire/imap/flags.ts';
import { ALL_FLAGS, FLAG } from '../store/contract/mailboxes.ts';
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

/** FLAGS in FETCH. */
export function flagsItemOf(flags: Flags, isRecent: boolean): string {
  const known = flags.keywords.length === 0 ? SYSTEM_ITEMS[Number(isRecent)]?.[flags.system] : undefined;
  return known ?? formatFlagsItem(flagNames(flags, isRecent));
}

function flagNames({ system, keywords }: Flags, isRecent: boolean): readonly string[] {
  const names: string[] = SYSTEM_FLAGS.filter((flag) => (system & BITS[flag]) !== 0);
  if (isRecent) names.push('\\Recent');
  return [...names, ...keywords];
}

/** What most messages have: system flags alone, without and with \Recent. */
const SYSTEM_ITEMS = [false, true].map((isRecent) =>
  Array.from({ length: ALL_FLAGS + 1 }, (_none, system) =>
    formatFlagsItem(flagNames({ system, keywords: [] }, isRecent)),
  ),
);
