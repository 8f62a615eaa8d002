/**
 * Mailbox names between the client and the store (RFC 3501 section 5.1).
 *
 * The client writes one text with the session's hierarchy delimiter, the store keeps components. Texts are NFC, so that one
 * name is one mailbox whichever way a client composes its umlauts.
 * Trust: names come from the client; what no client could list or select again is refused here, lengths by the store.
 */

import { splitMailboxName, withoutFinalDelimiter } from '../wire/imap/mailboxName.ts';
import type { MailboxName } from '../store/contract/mailboxes.ts';

/** The components of `text`; undefined when one would be empty, so that no such mailbox can exist. */
export function mailboxNameOf(text: string, delimiter: string): MailboxName | undefined {
  const name = splitMailboxName(text.normalize('NFC'), delimiter);
  return name.includes('') ? undefined : name;
}

/**
 * The components of a mailbox that is to be made. A delimiter at the end only says that children will follow (RFC 3501
 * section 6.3.3); undefined where a name has wildcards, which no LIST could find exactly, or characters that break lines.
 */
export function newMailboxNameOf(text: string, delimiter: string): MailboxName | undefined {
  const name = mailboxNameOf(withoutFinalDelimiter(text, delimiter), delimiter);
  return name?.some((component) => /[%*\p{Cc}\p{Cs}\u2028\u2029]/u.test(component)) ? undefined : name;
}

/**
 * The text of a name; undefined where a component holds the delimiter (made while the server had another one), so that the
 * text would name a different mailbox.
 */
export function mailboxText(name: MailboxName, delimiter: string): string | undefined {
  return name.some((component) => component.includes(delimiter)) ? undefined : name.join(delimiter);
}
