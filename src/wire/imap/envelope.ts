/**
 * ENVELOPE: the fetch envelope as IMAP writes it.
 *
 * RFC 3501 section 7.4.2 and section 9: address, envelope. Encoded words stay as they are; 8-bit makes a literal.
 */

import type { EnvelopeAddress, FetchEnvelope } from '../mime/structure.ts';
import { formatNstring, NIL } from './format.ts';

/** An envelope with its parentheses. */
export function formatEnvelope(envelope: FetchEnvelope): string {
  const fields = [
    formatNstring(envelope.date),
    formatNstring(envelope.subject),
    formatAddresses(envelope.from),
    formatAddresses(envelope.sender),
    formatAddresses(envelope.replyTo),
    formatAddresses(envelope.to),
    formatAddresses(envelope.cc),
    formatAddresses(envelope.bcc),
    formatNstring(envelope.inReplyTo),
    formatNstring(envelope.messageId),
  ];
  return `(${fields.join(' ')})`;
}

/** Addresses follow one another without a space (1*address). */
function formatAddresses(addresses: readonly EnvelopeAddress[] | null): string {
  if (addresses === null || addresses.length === 0) return NIL;
  return `(${addresses.map(formatAddress).join('')})`;
}

function formatAddress({ name, adl, mailbox, host }: EnvelopeAddress): string {
  return `(${[name, adl, mailbox, host].map(formatNstring).join(' ')})`;
}
