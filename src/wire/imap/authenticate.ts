/**
 * AUTHENTICATE: the mechanism, and with SASL-IR the first response.
 *
 * RFC 3501 section 6.2.2 and section 9: authenticate, auth-type, base64; RFC 4959 section 3: initial response, `=` for empty.
 * The lines that follow are raw lines for wire/sasl (framing.ts, expectLine).
 * Trust: the response is strict base64 within wire/sasl's limit; what it says is for the mechanism to read.
 */

import { SASL_RESPONSE_LIMIT_OCTETS, decodeInitialResponse } from '../sasl/base64.ts';
import type { CommandDecoder } from './decoder.ts';

/** AUTHENTICATE's arguments. */
export interface AuthenticateArguments {
  /** In upper case. */
  readonly mechanism: string;
  /** Decoded; empty where `=` was sent; undefined where none was. */
  readonly initialResponse: Buffer | undefined;
}

const SP = 0x20;

/** Takes AUTHENTICATE's arguments. */
export function parseAuthenticate(decoder: CommandDecoder): AuthenticateArguments {
  decoder.sp();
  const mechanism = decoder.atom().toUpperCase();
  const initialResponse = decoder.accept(SP) ? parseInitialResponse(decoder) : undefined;
  decoder.eof();
  return { mechanism, initialResponse };
}

function parseInitialResponse(decoder: CommandDecoder): Buffer {
  const start = decoder.offset;
  const octets = Buffer.from(decoder.atom(), 'latin1');
  if (octets.length > SASL_RESPONSE_LIMIT_OCTETS) throw decoder.error('a shorter initial response', start);
  return decodeInitialResponse(octets, start);
}
