/**
 * What LOGIN and AUTHENTICATE share: from credentials to the authenticated state (RFC 3501 sections 6.2.2 and 6.2.3).
 *
 * Trust: names and passwords are the client's and go to the accounts room unread; refusals tell nothing (RFC 5530).
 */

import { formatCapabilityCode } from '../wire/imap/responseCode.ts';
import type { SaslCredentials } from '../wire/sasl/exchange.ts';
import { failed, no, ok } from './completion.ts';
import type { Completion } from './completion.ts';
import type { SessionContext } from './sessionContext.ts';

/** Logs in, or answers why not; an account with too many sessions is no failed login. Errors: `tooBusy`, and the store's. */
export async function logIn(session: SessionContext, credentials: SaslCredentials): Promise<Completion> {
  if (session.needsPrivacy) return failed('privacyRequired');
  const outcome = await session.server.accounts.authenticate({
    loginName: credentials.authenticationId,
    password: credentials.password,
    authorizationIdentity: credentials.authorizationId,
    protocol: 'imap',
    remoteAddress: session.remoteAddress,
    signal: session.ending,
  });
  if (outcome.kind !== 'authenticated') {
    session.tap?.loginRefused(credentials.authenticationId);
    session.countLoginFailure();
    return failed(outcome.kind === 'refused' ? 'authenticationFailed' : 'loginThrottled');
  }
  session.tap?.loggedIn(outcome.account.address);
  if (!session.open(outcome.account)) return no('This account has too many sessions open', 'LIMIT');
  session.enter({ kind: 'authenticated', account: outcome.account });
  return ok('Logged in', formatCapabilityCode(session.capabilities));
}
