/**
 * How a mailbox's name stands in the database: a JSON array of its components, written by JSON.stringify and by nothing
 * else, so that equal names are equal text and the names below one begin with its text without the bracket, and a comma.
 */

import { MailError } from '../../base/error.ts';
import type { MailboxName } from '../contract/mailboxes.ts';
import { MAILBOX_DEPTH_LIMIT, MAILBOX_NAME_LIMIT_CHARS } from './limits.ts';

/** The name as it is stored. */
export function storedName(name: MailboxName): string {
  return JSON.stringify(name);
}

/** The name that `stored` is. */
export function parseStoredName(stored: string): MailboxName {
  return JSON.parse(stored) as MailboxName;
}

/** What the stored names of all mailboxes below `name` begin with. */
export function storedPrefix(name: MailboxName): string {
  return `${JSON.stringify(name).slice(0, -1)},`;
}

/** Whether this is the INBOX itself. */
export function isInbox(name: MailboxName): boolean {
  return name.length === 1 && name[0] === 'INBOX';
}

/** The names above `name`, the highest first. */
export function parentsOf(name: MailboxName): readonly MailboxName[] {
  return name.slice(1).map((_component, index) => name.slice(0, index + 1));
}

/** Refuses a name that no mailbox may have. Errors: `invalid` (no or empty components), `limit` (depth, length). */
export function checkName(name: MailboxName): void {
  if (name.length === 0 || name.includes(''))
    throw new MailError('invalid', 'a mailbox name has an empty part');
  if (name.length > MAILBOX_DEPTH_LIMIT) throw new MailError('limit', 'a mailbox name has too many levels');
  const characters = name.reduce((sum, component) => sum + component.length, 0);
  if (characters > MAILBOX_NAME_LIMIT_CHARS) throw new MailError('limit', 'a mailbox name is too long');
}

/** Whether `checkName` would take it. */
export function isUsableName(name: MailboxName): boolean {
  const characters = name.reduce((sum, component) => sum + component.length, 0);
  return (
    name.length > 0 &&
    name.length <= MAILBOX_DEPTH_LIMIT &&
    !name.includes('') &&
    characters <= MAILBOX_NAME_LIMIT_CHARS
  );
}

/** Order of a list of mailboxes: the INBOX first, then by name, children after their parent. */
export function compareNames(one: MailboxName, other: MailboxName): number {
  if (isInbox(one) !== isInbox(other)) return isInbox(one) ? -1 : 1;
  const shared = Math.min(one.length, other.length);
  for (let level = 0; level < shared; level += 1) {
    const left = one[level] ?? '';
    const right = other[level] ?? '';
    if (left !== right) return left < right ? -1 : 1;
  }
  return one.length - other.length;
}
