/**
 * Whether Graph can carry a message to exactly the recipients of this transaction, and the header that it leaves with.
 *
 * Graph sends to whom the header names. So every recipient of To and Cc must be in the transaction: whoever is not has been settled
 * already, is a local account, or was never meant (RFC 5321 section 7.2 tells why envelope and header differ). Recipients that the
 * header does not name go into one Bcc field of ours; Bcc fields that were there are taken out, as Exchange would do.
 * Every other octet stays as it is.
 */

import { formatMessageHeader, type MessageHeader, messageField } from '../../wire/mime/messageHeader.ts';
import { isPlainAddress } from '../../wire/mime/plainAddresses.ts';
import { octetString } from '../../wire/mime/structure.ts';
import { withoutBlindCopies } from '../../wire/mime/submittedHeader.ts';
import type { RecipientOutcome, RelayedMessage } from '../../transfer/relay.ts';
import { isAscii } from '../smtp/checkPath.ts';
import { headerRecipients } from './headerRecipients.ts';

/** What can be said of a message before its header is read, or with it. */
export type Suitability =
  /** `header`: what stands in place of the header's octets. */
  { readonly kind: 'suited'; readonly header: Buffer } | Unsuited;

/** `why` goes on "the message cannot go by Graph: "; `otherwise` is what becomes of it where nothing else takes it. */
export interface Unsuited {
  readonly kind: 'unsuited';
  readonly why: string;
  readonly otherwise: RecipientOutcome;
}

/** Looks at the envelope and the size; undefined where they say nothing against it. */
export function envelopeFault(message: RelayedMessage, sizeLimitOctets: number): Unsuited | undefined {
  // A report must not have a sender (RFC 5321 section 6.1), and Graph always sends with one: a reply to it could loop.
  if (message.reversePath === '') return held('it has no sender, as reports and automatic replies have none');
  if (sizeLimitOctets > 0 && message.octets > sizeLimitOctets)
    return failed(`it has ${message.octets} octets, and ${sizeLimitOctets} are the limit`, '5.3.4');
  const addresses = message.recipients.map(({ address }) => address);
  if (!addresses.every(isAscii)) return failed('it needs SMTPUTF8, which Graph does not promise', '5.6.7');
  const odd = addresses.find((address) => !isPlainAddress(address));
  return odd === undefined
    ? undefined
    : held(`${odd} cannot be written in a header so that every reader agrees`);
}

/** Looks at the header. */
export function headerSuitability(header: MessageHeader, message: RelayedMessage): Suitability {
  const named = headerRecipients(header);
  if (named.kind === 'unclear') return held(named.why);
  const envelope = message.recipients.map(({ address }) => address);
  const stranger = firstStranger(named.addresses, envelope);
  if (stranger !== undefined)
    return held(`its header names ${stranger}, who is not among the recipients of this attempt`);
  const keys = new Set(named.addresses.map(keyOf));
  const blind = envelope.filter((address) => !keys.has(keyOf(address)));
  return { kind: 'suited', header: headerFor(header, blind) };
}

/**
 * The first address of the header that is none of the envelope's. Exchange compares without case, and so do we; but of addresses that
 * differ in case alone, as many must be in the envelope as in the header, since to others they are different people.
 */
function firstStranger(named: readonly string[], envelope: readonly string[]): string | undefined {
  const allowed = new Map<string, Set<string>>();
  for (const address of envelope) spellings(allowed, address).add(exactOf(address));
  const found = new Map<string, Set<string>>();
  return named.find((address) => {
    const own = spellings(found, address).add(exactOf(address));
    return own.size > spellings(allowed, address).size;
  });
}

function spellings(byKey: Map<string, Set<string>>, address: string): Set<string> {
  const known = byKey.get(keyOf(address));
  if (known !== undefined) return known;
  const fresh = new Set<string>();
  byKey.set(keyOf(address), fresh);
  return fresh;
}

function keyOf(address: string): string {
  return address.toLowerCase();
}

/** An address with its domain in lower case: what no system may tell apart (RFC 5321 section 2.4). */
function exactOf(address: string): string {
  const at = address.lastIndexOf('@');
  return address.slice(0, at) + address.slice(at).toLowerCase();
}

function headerFor(header: MessageHeader, blind: readonly string[]): Buffer {
  const { header: open } = withoutBlindCopies(header);
  if (blind.length === 0) return formatMessageHeader(open);
  const bcc = messageField('Bcc', octetString(blind.join(',\r\n ')));
  return formatMessageHeader({ ...open, fields: [bcc, ...open.fields] });
}

function held(why: string): Unsuited {
  return { kind: 'unsuited', why, otherwise: { kind: 'held', reason: sentence(why) } };
}

function failed(why: string, status: string): Unsuited {
  return { kind: 'unsuited', why, otherwise: { kind: 'failed', reply: sentence(why), status } };
}

function sentence(why: string): string {
  return `The message cannot go by Graph, and the relay has no fallback: ${why}`;
}
