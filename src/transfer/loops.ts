/**
 * What in a message's header tells a mail loop (RFC 5321 section 6.3): how many Received fields there are, how many of them are
 * ours, and whom Delivered-To fields name. Exchange Online's own loop headers are none of our business and are kept as they are.
 */

import { MailError } from '../base/error.ts';
import { parseTraceId } from '../base/ids.ts';
import { KIB } from '../base/units.ts';
import { type MessageHeader, valuesOf } from '../wire/mime/messageHeader.ts';

/** Received fields beyond which a message is in a loop: Exchange adds some ten on the way, Postfix's hop limit is 50. */
export const RECEIVED_LIMIT = 50;
/**
 * Received fields of our own with which a message is in a loop. A forward to Exchange Online whose mailbox is forwarded to us
 * brings a message here twice, and two such ways behind each other three times; who comes a fifth time goes round.
 */
export const OWN_STAMP_LIMIT = 4;
/** Delivered-To fields that are looked at, and octets of each: longer than any address. */
const DELIVERED_TO_LIMIT = 50;
const VALUE_LIMIT_OCTETS = KIB;
/** As traceFields.ts writes it, unfolded. */
const OWN_STAMP = /(?:^| )by (\S{1,255}) (?:with \S{1,20}|\(pickup [^()]{1,200}\)) id (\S{1,32})/;

/** Refuses a message that has come round too often. Errors: `mailLoop`. */
export function refuseHops(header: MessageHeader, serverName: string): void {
  const stamps = valuesOf(header, 'received');
  if (stamps.length > RECEIVED_LIMIT)
    throw new MailError('mailLoop', `it has more than ${RECEIVED_LIMIT} Received fields`);
  const own = stamps.filter((stamp) => isOwnStamp(stamp, serverName)).length;
  if (own >= OWN_STAMP_LIMIT)
    throw new MailError('mailLoop', `it has been here ${own} times before (Received)`);
}

/** By name and trace id: other servers may be called `localhost` too, and have ids of another form. */
function isOwnStamp(stamp: string, serverName: string): boolean {
  const found = OWN_STAMP.exec(stamp.slice(0, VALUE_LIMIT_OCTETS));
  const [, name, id] = found ?? [];
  return name?.toLowerCase() === serverName.toLowerCase() && parseTraceId(id ?? '') !== undefined;
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
