/**
 * Mailbox names: on the wire, as text, and as the list of components that the store keeps.
 *
 * RFC 3501 section 5.1 (naming) and section 9: mailbox, list-mailbox. INBOX is the same mailbox in any case, alone and as the
 * first component (checklist: `inbox/sub` is `INBOX/sub`); all other names keep their case.
 * Trust: names hold whatever the client sends but control characters, which would end up in logs and listings; length and
 * depth are the store's to bound.
 */

import type { CommandDecoder } from './decoder.ts';
import { LIST_CHAR } from './octetClass.ts';
import { decodeModifiedUtf7, encodeModifiedUtf7 } from './modifiedUtf7.ts';
import { formatQuoted } from './format.ts';

/** The name of the one mailbox that every account has. */
export const INBOX = 'INBOX';

/** Takes a mailbox, decoded from modified UTF-7; INBOX in any case is 'INBOX'. */
export function parseMailbox(decoder: CommandDecoder): string {
  const start = decoder.offset;
  const name = decodeModifiedUtf7(decoder.astring(), start);
  if (hasControl(name)) throw decoder.error('a mailbox name without control characters', start);
  return isInbox(name) ? INBOX : name;
}

/** Takes a list-mailbox: a name with wildcards, decoded from modified UTF-7 (`%` and `*` stand for themselves in it). */
export function parseListMailbox(decoder: CommandDecoder): string {
  const start = decoder.offset;
  const octets = decoder.atString() ? decoder.string() : decoder.run(LIST_CHAR, 'list-mailbox');
  return decodeModifiedUtf7(octets, start);
}

/** A mailbox name as responses carry it, always quoted: some clients' expressions find no other form. */
export function formatMailbox(name: string): string {
  return formatQuoted(encodeModifiedUtf7(name));
}

/** Whether `name` is INBOX in any case. */
export function isInbox(name: string): boolean {
  return name.length === INBOX.length && name.toUpperCase() === INBOX;
}

/**
 * The components of `name`, one per level, the first as INBOX if it is that in any case. Empty components stay, for the caller
 * to refuse; without a delimiter the whole name is one component.
 */
export function splitMailboxName(name: string, delimiter: string | undefined): readonly string[] {
  const components = delimiter === undefined ? [name] : name.split(delimiter);
  return isInbox(components[0] ?? '') ? [INBOX, ...components.slice(1)] : components;
}

/** The name of which `components` are the levels. */
export function joinMailboxName(components: readonly string[], delimiter: string): string {
  return components.join(delimiter);
}

/** `name` without one delimiter at its end, as CREATE may send it to announce children (RFC 3501 section 6.3.3). */
export function withoutFinalDelimiter(name: string, delimiter: string): string {
  return name.length > 1 && name.endsWith(delimiter) ? name.slice(0, -delimiter.length) : name;
}

function hasControl(name: string): boolean {
  return /[\x00-\x1f\x7f-\x9f]/.test(name);
}
