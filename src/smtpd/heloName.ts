/**
 * The argument of EHLO and HELO: a word that is logged and stands in Received, where only a Domain or an address-literal is
 * repeated (transfer). Nothing else is made of it: RFC 5321 section 4.1.4 forbids to refuse a client for a name that is not its own.
 * Trust: none. It is bounded and has no control characters.
 */

import type { SmtpContext } from './context.ts';

/** RFC 5321 section 4.5.3.1.2 has 255. */
const NAME_LIMIT_CHARS = 255;
const CONTROL = /\p{Cc}/u;

/** The name in lower case; undefined where there is none that can be taken. */
export function heloNameOf({ surroundings, peer }: SmtpContext, line: Buffer): string | undefined {
  const [, name = '', ...more] = line
    .toString('utf8')
    .trim()
    .split(/[ \t]+/);
  // Devices have names with blanks in them, or no name at all.
  if (surroundings.isLenient !== true && (name === '' || more.length > 0)) return undefined;
  if (name.length > NAME_LIMIT_CHARS || CONTROL.test(name)) return undefined;
  return name === '' ? literalOf(peer.remoteAddress) : name.toLowerCase();
}

/** An address-literal (RFC 5321 section 4.1.3). */
function literalOf(address: string): string {
  return address.includes(':') ? `[ipv6:${address}]` : `[${address}]`;
}
