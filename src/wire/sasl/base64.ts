/**
 * Base64 of SASL exchanges, strict.
 *
 * RFC 4648 section 4, RFC 3501 section 9: base64; RFC 4959 section 3 and RFC 4954 section 4: `=` is an empty initial response,
 * pad characters only at the end; `*` alone cancels (RFC 3501 section 6.2.2, RFC 4954 section 4, RFC 5034 section 4).
 * Used by mechanisms' callers in IMAP, POP3 and SMTP alike.
 * Trust: a line within the limit and the alphabet, with its padding and zero padding bits, or an error.
 */

import { WireError } from '../../base/error.ts';

/** Octets of one base64 line of a client. RFC 4954 section 4 has servers accept 12,288. */
export const SASL_RESPONSE_LIMIT_OCTETS = 12_288;

/** A client's answer to a challenge. */
export type SaslResponse =
  | { readonly kind: 'response'; readonly octets: Buffer }
  /** The client gives up; the answer is BAD, 501 or -ERR. */
  | { readonly kind: 'cancel' };

const ALPHABET = /^[A-Za-z0-9+/]*={0,2}$/;

/** A line that a client sent after a challenge, without its line end. Throws WireError. */
export function decodeResponse(line: Buffer): SaslResponse {
  if (line.length === 1 && line[0] === 0x2a) return { kind: 'cancel' };
  return { kind: 'response', octets: decodeBase64(line, 0) };
}

/** An initial response, where `=` stands for an empty one. Throws WireError with `offset` added. */
export function decodeInitialResponse(octets: Buffer, offset = 0): Buffer {
  if (octets.length === 1 && octets[0] === 0x3d) return Buffer.alloc(0);
  return decodeBase64(octets, offset);
}

/** A challenge as it follows `+ ` or `334 `; may be empty. */
export function encodeChallenge(challenge: Buffer): string {
  return challenge.toString('base64');
}

function decodeBase64(octets: Buffer, offset: number): Buffer {
  if (octets.length > SASL_RESPONSE_LIMIT_OCTETS) {
    throw new WireError(offset + SASL_RESPONSE_LIMIT_OCTETS, 'a shorter response');
  }
  const text = octets.toString('latin1');
  if (!ALPHABET.test(text)) throw new WireError(offset + firstForeign(text), 'base64');
  const decoded = Buffer.from(text, 'base64');
  // Whatever does not encode back has the wrong padding or padding bits that are not zero.
  if (decoded.toString('base64') !== text)
    throw new WireError(offset + text.length, 'base64 with its padding');
  return decoded;
}

function firstForeign(text: string): number {
  const index = text.search(/[^A-Za-z0-9+/]/);
  return Math.max(index, 0);
}
