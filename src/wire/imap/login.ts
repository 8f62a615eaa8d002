/**
 * LOGIN: user name and password in clear.
 *
 * RFC 3501 section 6.2.3 and section 9: login, userid, password. Read with a lone backslash allowed (decoder.ts,
 * looseAstring) and as UTF-8 or else ISO 8859-1 (wire/sasl/credentialText.ts).
 * Trust: both are anything but NUL; accounts decides what they are worth.
 */

import { decodeCredentialText } from '../sasl/credentialText.ts';
import type { CommandDecoder } from './decoder.ts';

/** LOGIN's arguments. Never to be logged. */
export interface LoginArguments {
  readonly userid: string;
  readonly password: string;
}

/** Takes LOGIN's arguments. */
export function parseLogin(decoder: CommandDecoder): LoginArguments {
  decoder.sp();
  const userid = decodeCredentialText(decoder.looseAstring());
  decoder.sp();
  const password = decodeCredentialText(decoder.looseAstring());
  decoder.eof();
  return { userid, password };
}
