/**
 * Object identifiers (RFC 8474): of a mailbox, and of a message's content.
 *
 * A letter in front keeps the kinds apart and the first character no digit, and there are no letters but in lower case after
 * it (section 8.1). The store knows no threads: THREADID is NIL and nothing is found by it (section 5.2).
 * An EMAILID is the content's number, by which SEARCH finds it, and a digest of what may never change with it: the octets and
 * the internal date (section 5.1). A number that is given a second time, after a backup was restored, makes another identifier.
 */

import { createHash } from 'node:crypto';

import type { ContentId } from '../base/ids.ts';
import type { Content } from '../store/contract/contents.ts';
import type { InternalDate, Mailbox } from '../store/contract/mailboxes.ts';

/** Hexadecimal digits of the digest: 128 bits, so that nobody finds two messages with one. */
const DIGEST_DIGITS = 32;

/** MAILBOXID. */
export function mailboxIdOf({ objectId }: Pick<Mailbox, 'objectId'>): string {
  return `F${objectId}`;
}

/** EMAILID: the same for every entry of a content, as all of them have one internal date. */
export function emailIdOf({ id, sha256 }: Pick<Content, 'id' | 'sha256'>, date: InternalDate): string {
  const digest = createHash('sha256').update(sha256).update(`${date.at} ${date.zoneMinutes}`).digest('hex');
  return `M${id.toString(16)}-${digest.slice(0, DIGEST_DIGITS)}`;
}

/** The content that alone can have this EMAILID. */
export function contentOfEmailId(emailId: string): ContentId | undefined {
  const [, digits] = /^M([0-9a-f]{1,13})-/.exec(emailId) ?? [];
  return digits === undefined ? undefined : (Number.parseInt(digits, 16) as ContentId);
}
