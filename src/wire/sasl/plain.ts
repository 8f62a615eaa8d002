/**
 * The PLAIN mechanism: one message with both identities and the password.
 *
 * RFC 4616 section 2: message, authcid, authzid, passwd. Empty authcid and passwd pass here although the grammar asks for one
 * character: accounts refuses them like any wrong password, which is what a user with an empty field should be told.
 */

import { WireError } from '../../base/error.ts';
import { decodeCredentialText } from './credentialText.ts';
import type { SaslExchange, SaslStep } from './exchange.ts';

/** A PLAIN exchange. */
export function createPlain(): SaslExchange {
  return {
    start: (initialResponse) =>
      initialResponse === undefined
        ? { kind: 'challenge', challenge: Buffer.alloc(0) }
        : parsePlainMessage(initialResponse),
    respond: parsePlainMessage,
  };
}

function parsePlainMessage(message: Buffer): SaslStep {
  const first = message.indexOf(0);
  const second = first === -1 ? -1 : message.indexOf(0, first + 1);
  if (second === -1) throw new WireError(message.length, 'UTF8NUL');
  const third = message.indexOf(0, second + 1);
  if (third !== -1) throw new WireError(third, 'passwd without NUL');
  const credentials = {
    authorizationId: decodeCredentialText(message.subarray(0, first)),
    authenticationId: decodeCredentialText(message.subarray(first + 1, second)),
    password: decodeCredentialText(message.subarray(second + 1)),
  };
  return { kind: 'credentials', credentials };
}
