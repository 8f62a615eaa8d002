/**
 * Mailbox names between the client and the store (RFC 3501 section 5.1).
 *
 * The client writes one text with the session's hierarchy delimiter, the store keeps components. INBOX is INBOX in any
 * case, and so it is as the first component: otherwise `Inbox/a` would stand beside `INBOX/a`, under a second inbox.
 * Texts are NFC, so that one name is one mailbox whichever way a client composes its umlauts.
 * Trust: names come from the client; what no client could list or select again is refused here, lengths by the store.
 */

import type { MailboxName } from '../store/contract/mailboxes.ts';

/** The name that every account has. */
export const INBOX: MailboxName = ['INBOX'];

/** The components of `text`; undefined when one would be empty. */
export function splitMailboxName(text: string, delimiter: string): MailboxName | undefined {
  const components = text.normalize('NFC').split(delimiter);
  if (components.includes('')) return undefined;
  const [first = '', ...rest] = components;
  return [first.toUpperCase() === 'INBOX' ? 'INBOX' : first, ...rest];
}

/**
 * The components of a mailbox that is to be made. A delimiter at the end only says that children will follow (RFC 3501
 * section 6.3.3); undefined where a name has wildcards, which no LIST could find exactly, or control characters.
 */
export function splitNewMailboxName(text: string, delimiter: string): MailboxName | undefined {
  const name = splitMailboxName(text.endsWith(delimiter) ? text.slice(0, -1) : text, delimiter);
  return name?.some((component) => /[%*\p{Cc}\p{Cs}\u2028\u2029]/u.test(component)) ? undefined : name;
}

/**
 * The text of a name; undefined where a component holds the delimiter (made while the server had another one), so that the
 * text would name a different mailbox.
 */
export function joinMailboxName(name: MailboxName, delimiter: string): string | undefined {
  return name.some((component) => component.includes(delimiter)) ? undefined : name.join(delimiter);
}

/** Whether both name the same mailbox. */
export function isSameMailboxName(one: MailboxName, other: MailboxName): boolean {
  return one.length === other.length && one.every((component, index) => component === other[index]);
}
