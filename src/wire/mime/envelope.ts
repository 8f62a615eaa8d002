/**
 * IMAP's ENVELOPE from a message's header.
 *
 * RFC 3501 section 7.4.2. Repeated address fields are told as one list (RFC 7103 section 7.5.1); of other repeated fields the
 * last one counts, as in Dovecot 2.3: what relays put in stands above what the author wrote. Encoded words are not decoded.
 */

import { parseAddressList } from './address.ts';
import type { Header } from './header.ts';
import { fieldValue } from './header.ts';
import { MAX_ADDRESSES } from './limits.ts';
import type { EnvelopeAddress, FetchEnvelope, OctetString } from './structure.ts';

const TEXT_FIELDS: ReadonlySet<string> = new Set(['date', 'subject', 'in-reply-to', 'message-id']);
const ADDRESS_FIELDS: ReadonlySet<string> = new Set(['from', 'sender', 'reply-to', 'to', 'cc', 'bcc']);

type Addresses = readonly EnvelopeAddress[] | null;

/** The envelope of a message without header. */
export const EMPTY_ENVELOPE: FetchEnvelope = {
  date: null,
  subject: null,
  from: null,
  sender: null,
  replyTo: null,
  to: null,
  cc: null,
  bcc: null,
  inReplyTo: null,
  messageId: null,
};

/** Parses the envelope fields of `header`. */
export function parseEnvelope(header: Header): FetchEnvelope {
  const texts = new Map<string, OctetString>();
  const lists = new Map<string, EnvelopeAddress[]>();
  for (const field of header.fields) {
    if (TEXT_FIELDS.has(field.name)) texts.set(field.name, fieldValue(header, field));
    if (!ADDRESS_FIELDS.has(field.name)) continue;
    const list = lists.get(field.name);
    if (list === undefined) lists.set(field.name, parseAddressList(fieldValue(header, field)));
    else if (list.length < MAX_ADDRESSES) list.push(...parseAddressList(fieldValue(header, field)));
  }
  const addresses = (name: string): Addresses => {
    const list = lists.get(name);
    return list === undefined || list.length === 0 ? null : list;
  };
  const text = (name: string): OctetString | null => texts.get(name) ?? null;
  const from = addresses('from');
  return {
    date: text('date'),
    subject: text('subject'),
    from,
    sender: addresses('sender') ?? from,
    replyTo: addresses('reply-to') ?? from,
    to: addresses('to'),
    cc: addresses('cc'),
    bcc: addresses('bcc'),
    inReplyTo: text('in-reply-to'),
    messageId: text('message-id'),
  };
}
