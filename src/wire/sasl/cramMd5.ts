/**
 * The CRAM-MD5 mechanism: a challenge, and the client's name with a keyed digest of it, so that the password is not sent.
 *
 * RFC 2195 sections 2 and 3. Whoever checks the digest needs the password itself, so accounts has it only for those who were
 * given a recoverable one. It is broken by whoever can guess passwords offline; old devices know nothing better without TLS.
 */

import { WireError } from '../../base/error.ts';
import { decodeCredentialText } from './credentialText.ts';

/** The mechanism's name. */
export const CRAM_MD5 = 'CRAM-MD5';

/** What a client answers a challenge with. */
export interface CramAnswer {
  readonly authenticationId: string;
  /** 16 octets in hexadecimal, in lower case. */
  readonly digest: string;
}

const DIGEST = /^[0-9a-f]{32}$/i;
const BLANK = 0x20;

/** The challenge, to be sent in base64. `unique` has no blank and no bracket, and is never given twice. */
export function formatCramChallenge(unique: string, serverName: string): string {
  return `<${unique}@${serverName}>`;
}

/** Reads a decoded answer: the name may have blanks in it. Throws WireError. */
export function parseCramAnswer(octets: Buffer): CramAnswer {
  const blank = octets.lastIndexOf(BLANK);
  const digest = octets.toString('latin1', blank + 1);
  if (blank <= 0 || !DIGEST.test(digest)) throw new WireError(Math.max(0, blank), 'name and digest');
  return {
    authenticationId: decodeCredentialText(octets.subarray(0, blank)),
    digest: digest.toLowerCase(),
  };
}
