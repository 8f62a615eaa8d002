/**
 * Whom a message would go to by its header, where every reader agrees on that.
 *
 * Graph has no envelope: Exchange reads To, Cc and Bcc of the MIME. How it reads what is odd is published nowhere, and a wrong guess
 * sends to somebody twice, or never. So whatever leaves a doubt is `unclear`: a header that is cut off, lines that are no field, a
 * field that comes twice, Resent-To and its like (RFC 5322 section 3.6.6 makes them the recipients of a message that was sent on,
 * but no client shows them, and nobody says what Exchange makes of them).
 */

import { type MessageHeader, valuesOf } from '../../wire/mime/messageHeader.ts';
import { plainAddresses } from '../../wire/mime/plainAddresses.ts';
import { nameOf } from '../../wire/mime/submittedHeader.ts';

/** Addresses of To and Cc, as they are written; or, for the trace, what is in doubt. */
export type HeaderRecipients =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'unclear'; readonly why: string };

const SHOWN = ['to', 'cc'];
const RESENT: ReadonlySet<string> = new Set(['resent-to', 'resent-cc', 'resent-bcc']);
const FIELD = /^[!-9;-~]+:/;
/** CR that ends no line, NUL, or a line of blanks alone, which some readers take for the end of the header. */
const BROKEN = /\r(?!\n)|\0|\n[ \t]+\r?(?:\n|$)/;

/** Reads the header of a message. Bcc is not looked at: it does not leave. */
export function headerRecipients(header: MessageHeader): HeaderRecipients {
  if (!header.isWhole) return unclear('its header is too long');
  for (const { octets } of header.fields) {
    const text = octets.toString('latin1');
    if (!FIELD.test(text) || BROKEN.test(text)) return unclear('its header is broken');
  }
  const names = header.fields.map(nameOf);
  if (names.some((name) => RESENT.has(name))) return unclear('it was resent (Resent-To)');
  const addresses: string[] = [];
  for (const shown of SHOWN) {
    const values = valuesOf(header, shown);
    if (values.length > 1) return unclear(`it has more than one ${shown} field`);
    const [value] = values;
    if (value === undefined) continue;
    const read = plainAddresses(value);
    if (read.kind === 'unclear') return unclear(`its ${shown} field can be read in more than one way`);
    addresses.push(...read.addresses);
  }
  return { kind: 'addresses', addresses };
}

function unclear(why: string): HeaderRecipients {
  return { kind: 'unclear', why };
}
