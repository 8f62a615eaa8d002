/**
 * What in a message's header tells a mail loop (RFC 5321 section 6.3): how many Received fields there are, and whom Delivered-To
 * fields name.
 */

import { MailError } from '../base/error.ts';
import { KIB } from '../base/units.ts';
import { type MessageHeader, valuesOf } from '../wire/mime/messageHeader.ts';

/** Received fields beyond which a message is in a loop: Exchange adds some ten on the way, Postfix's hop limit is 50. */
export const RECEIVED_LIMIT = 50;
/** Delivered-To fields that are looked at, and octets of each: longer than any address. */
const DELIVERED_TO_LIMIT = 50;
const VALUE_LIMIT_OCTETS = KIB;

/** Refuses a message that has come round too often. Errors: `mailLoop`. */
export function refuseHops(header: MessageHeader): void {
  if (valuesOf(header, 'received').length <= RECEIVED_LIMIT) return;
  throw new MailError('mailLoop', `it has more than ${RECEIVED_LIMIT} Received fields`);
}

/** Addresses that Delivered-To fields name, lower case, without blanks and brackets. */
export function deliveredTo(header: MessageHeader): readonly string[] {
  return valuesOf(header, 'delivered-to').slice(0, DELIVERED_TO_LIMIT).map(addressOf);
}

function addressOf(value: string): string {
  return Buffer.from(value.slice(0, VALUE_LIMIT_OCTETS), 'latin1')
    .toString()
    .replace(/[\s<>]/g, '')
    .toLowerCase();
}
