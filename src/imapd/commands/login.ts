/**
 * LOGIN (RFC 3501 section 6.2.3).
 */

import type { LoginArguments } from '../../wire/imap/login.ts';
import { logIn } from '../authentication.ts';
import { failed } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { NotAuthenticatedState } from '../sessionState.ts';

/** Logs in with a password in the clear. */
export function login(
  session: SessionContext,
  _state: NotAuthenticatedState,
  { userid, password }: LoginArguments,
): Promise<Completion> {
  return logIn(session, { authorizationId: '', authenticationId: userid, password });
}

/** NO [PRIVACYREQUIRED] before the client sends its password as a literal. */
export function refuseLogin(session: SessionContext): Completion | undefined {
  return session.needsPrivacy ? failed('privacyRequired') : undefined;
}
