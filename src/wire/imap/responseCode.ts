/**
 * Response codes that carry something; the others (ALERT, READ-ONLY, TRYCREATE and those of RFC 5530) are their bare name.
 *
 * RFC 3501 section 7.1 and section 9: resp-text-code; RFC 4315 section 4: resp-code-apnd, resp-code-copy; RFC 7162 section 7;
 * RFC 8474 section 7.
 * Each answers what stands between the brackets.
 */

import { formatAstring, formatFlagList } from './format.ts';
import { formatObjectId } from './objectId.ts';
import { formatNumberSet } from './sequenceSet.ts';

/** BADCHARSET with the charsets that are supported. */
export function formatBadCharset(charsets: readonly string[]): string {
  return `BADCHARSET (${charsets.map(formatAstring).join(' ')})`;
}

/** CAPABILITY with the capabilities of this state. */
export function formatCapabilityCode(capabilities: readonly string[]): string {
  return `CAPABILITY ${capabilities.join(' ')}`;
}

/** PERMANENTFLAGS; `\*` among them where keywords can be added. */
export function formatPermanentFlags(flags: readonly string[]): string {
  return `PERMANENTFLAGS ${formatFlagList(flags)}`;
}

/** UIDNEXT. */
export function formatUidNext(uid: number): string {
  return `UIDNEXT ${uid}`;
}

/** UIDVALIDITY. */
export function formatUidValidity(uidValidity: number): string {
  return `UIDVALIDITY ${uidValidity}`;
}

/** UNSEEN: the sequence number of the first message without \Seen. */
export function formatFirstUnseen(sequenceNumber: number): string {
  return `UNSEEN ${sequenceNumber}`;
}

/** APPENDUID: the UIDs in the order of the messages. */
export function formatAppendUid(uidValidity: number, uids: readonly number[]): string {
  return `APPENDUID ${uidValidity} ${formatNumberSet(uids)}`;
}

/** COPYUID: `from[i]` became `to[i]`; both of the same length and not empty, ascending. */
export function formatCopyUid(uidValidity: number, from: readonly number[], to: readonly number[]): string {
  return `COPYUID ${uidValidity} ${formatNumberSet(from)} ${formatNumberSet(to)}`;
}

/** HIGHESTMODSEQ. */
export function formatHighestModSeq(modSeq: number): string {
  return `HIGHESTMODSEQ ${modSeq}`;
}

/** MAILBOXID. */
export function formatMailboxId(id: string): string {
  return `MAILBOXID ${formatObjectId(id)}`;
}

/** MODIFIED: the sequence numbers or UIDs that a STORE with UNCHANGEDSINCE left alone. */
export function formatModified(numbers: readonly number[]): string {
  return `MODIFIED ${formatNumberSet(numbers)}`;
}
