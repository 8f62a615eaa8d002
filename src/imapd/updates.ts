/**
 * Tells the client what changed in its mailbox: EXPUNGE, EXISTS, RECENT, FLAGS, FETCH (RFC 3501 sections 5.2 and 7).
 *
 * The view says what and in which order; keywords that the client has not heard of are announced first.
 */

import type { Pacer } from '../base/pacer.ts';
import { formatFetch, formatFlagsItem, formatUidItem } from '../wire/imap/fetchData.ts';
import { SYSTEM_FLAGS } from '../wire/imap/flags.ts';
import { formatPermanentFlags } from '../wire/imap/responseCode.ts';
import {
  formatExists,
  formatExpunge,
  formatFlags,
  formatRecent,
  formatUntagged,
} from '../wire/imap/responses.ts';
import { flagNames } from './flagNames.ts';
import type { ResponseWriter } from './responseWriter.ts';
import type { Selection } from './selection.ts';
import type { ViewUpdate } from './view.ts';

/** Writes `updates` of `selection`, of which there may be thousands. With `isUid`, FETCH names the UID. */
export async function writeUpdates(
  { writer, pacer }: { readonly writer: ResponseWriter; readonly pacer: Pacer },
  selection: Selection,
  updates: readonly ViewUpdate[],
  isUid: boolean,
): Promise<void> {
  for (const update of updates) {
    if (update.kind === 'flags') announceKeywords(writer, selection, update.flags.keywords);
    writer.write(formatUpdate(selection, update, isUid));
    if (writer.isFlushDue) await writer.flush();
    await pacer.breathe();
  }
}

/** Writes FLAGS and PERMANENTFLAGS when one of `keywords` is new to the client. */
export function announceKeywords(
  writer: ResponseWriter,
  selection: Selection,
  keywords: readonly string[],
): void {
  if (selection.keywords.add(keywords)) writeFlagNames(writer, selection);
}

/** Writes FLAGS and PERMANENTFLAGS as they stand. A mailbox that is read-only keeps none. */
export function writeFlagNames(writer: ResponseWriter, { keywords, isReadOnly }: Selection): void {
  const names = [...SYSTEM_FLAGS, ...keywords.names];
  const text = isReadOnly ? 'No permanent flags permitted' : 'Flags permitted';
  writer.write(formatFlags(names));
  writer.write(formatUntagged('OK', text, formatPermanentFlags(isReadOnly ? [] : [...names, '\\*'])));
}

function formatUpdate({ view }: Selection, update: ViewUpdate, isUid: boolean): string {
  switch (update.kind) {
    case 'expunge':
      return formatExpunge(update.number);
    case 'exists':
      return formatExists(update.count);
    case 'recent':
      return formatRecent(update.count);
    case 'flags': {
      const flags = formatFlagsItem(flagNames(update.flags, view.isRecent(update.uid)));
      return formatFetch(update.number, isUid ? [formatUidItem(update.uid), flags] : [flags]);
    }
  }
}
