/**
 * STATUS: which counters of a mailbox to tell; and the names of those counters, which LIST's STATUS return option shares.
 *
 * RFC 3501 section 6.3.10 and section 9: status, status-att; RFC 7162 section 7 (HIGHESTMODSEQ), RFC 7889 section 5 (APPENDLIMIT), RFC 8438 section 3 (SIZE),
 * RFC 8474 section 7 (MAILBOXID), RFC 9051 section 6.3.11 (DELETED), RFC 9208 section 7 (DELETED-STORAGE).
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';

/** What STATUS can tell. */
export const STATUS_ITEMS = [
  'MESSAGES',
  'RECENT',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
  'HIGHESTMODSEQ',
  'SIZE',
  'DELETED',
  'DELETED-STORAGE',
  'APPENDLIMIT',
  'MAILBOXID',
] as const;
export type StatusItem = (typeof STATUS_ITEMS)[number];

/** STATUS's arguments. */
export interface StatusArguments {
  readonly mailbox: string;
  /** At least one, in the order asked, without doubles. */
  readonly items: readonly StatusItem[];
}

/** Takes STATUS's arguments. */
export function parseStatus(decoder: CommandDecoder): StatusArguments {
  decoder.sp();
  const mailbox = parseMailbox(decoder);
  decoder.sp();
  const items = parseStatusItems(decoder);
  decoder.eof();
  return { mailbox, items };
}

/** Takes status-att in parentheses. */
export function parseStatusItems(decoder: CommandDecoder): readonly StatusItem[] {
  return [...new Set(decoder.list(() => parseStatusItem(decoder)))];
}

function parseStatusItem(decoder: CommandDecoder): StatusItem {
  const start = decoder.offset;
  const name = decoder.label('status-att');
  const item = STATUS_ITEMS.find((known) => known === name);
  if (item === undefined) throw decoder.error('status-att', start);
  return item;
}
