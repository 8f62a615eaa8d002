/**
 * The LOGIN mechanism: user name and password, asked for one after the other.
 *
 * draft-murchison-sasl-login-00; old Outlook, scanners and many libraries know no other. The challenges are the two that clients
 * compare with, `Username:` and `Password:`. Some clients send the user name as initial response (Delphi Indy, Chilkat, SMTP of
 * VB6 components); an empty one counts as none.
 */

import { WireError } from '../../base/error.ts';
import { decodeCredentialText } from './credentialText.ts';
import type { SaslExchange, SaslStep } from './exchange.ts';

const ASK_USERNAME = 'Username:';
const ASK_PASSWORD = 'Password:';

/** A LOGIN exchange. */
export function createLogin(): SaslExchange {
  let username: string | undefined;
  const respond = (response: Buffer): SaslStep => {
    const nul = response.indexOf(0);
    if (nul !== -1) throw new WireError(nul, 'text without NUL');
    const text = decodeCredentialText(response);
    if (username === undefined) {
      username = text;
      return { kind: 'challenge', challenge: Buffer.from(ASK_PASSWORD) };
    }
    const credentials = { authorizationId: '', authenticationId: username, password: text };
    return { kind: 'credentials', credentials };
  };
  return {
    start: (initialResponse) =>
      initialResponse === undefined || initialResponse.length === 0
        ? { kind: 'challenge', challenge: Buffer.from(ASK_USERNAME) }
        : respond(initialResponse),
    respond,
  };
}
