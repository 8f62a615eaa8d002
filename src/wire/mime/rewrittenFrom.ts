/**
 * From under another address: for devices whose sender cannot be set.
 *
 * RFC 5322 section 3.6.2. The name before the address stays where it is plain; what the field said before stands right behind it
 * as X-Original-From, octet for octet. Of several From fields one is left.
 * Trust: the address is the administrator's; the rest is the device's and never makes a line of its own.
 */

import { parseAddressList } from './address.ts';
import { type MessageField, type MessageHeader, messageField } from './messageHeader.ts';
import { octetString } from './structure.ts';
import { nameOf } from './submittedHeader.ts';

/** Where an earlier From is kept. */
const ORIGINAL = 'X-Original-From';
/** A name that is longer is left out: it would make a line beyond what RFC 5322 section 2.1.1 allows, and cannot be cut. */
const NAME_LIMIT_OCTETS = 200;
const PLAIN_NAME = /^[\w !#$%&'*+./=?^`{|}~\x80-\xff-]+$/;

/** A header whose only From is `address`; all others are kept aside. `address` is an addr-spec. */
export function withFrom(header: MessageHeader, address: string): MessageHeader {
  const before = header.fields.filter(isFrom);
  const name = before.length === 1 ? nameIn(before[0]?.value ?? '') : '';
  const octets = Buffer.from(address).toString('latin1');
  const from = messageField('From', octetString(`${name}<${octets}>`));
  const [first] = before;
  if (first === undefined) return { ...header, fields: [from, ...header.fields] };
  return {
    ...header,
    fields: header.fields.flatMap((field, index) => {
      if (!isFrom(field, index)) return [field];
      return field === first ? [from, keptAside(field)] : [keptAside(field)];
    }),
  };
}

function isFrom(field: MessageField, index: number): boolean {
  return nameOf(field, index) === 'from';
}

/** The display name with a space behind it; empty where there is none that can stand as it is. */
function nameIn(value: string): string {
  const [first, ...others] = parseAddressList(value);
  const name = first?.name ?? '';
  if (others.length > 0 || name === '' || name.includes('@') || name.length > NAME_LIMIT_OCTETS) return '';
  if (PLAIN_NAME.test(name)) return `${name} `;
  return `"${name.replace(/[\x00-\x1f\x7f]/g, ' ').replace(/["\\]/g, '\\$&')}" `;
}

function keptAside({ value, octets }: MessageField): MessageField {
  const rest = octets.subarray(octets.indexOf(':'));
  return { name: ORIGINAL.toLowerCase(), value, octets: Buffer.concat([Buffer.from(ORIGINAL), rest]) };
}
