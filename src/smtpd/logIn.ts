/**
 * From credentials to a session that may submit. Whose password it is, how often it may be tried and how long that takes is
 * accounts' affair; what a client is told is the same for every reason (RFC 4954 section 6).
 */

import { asMailError, MailError } from '../base/error.ts';
import type { SaslCredentials } from '../wire/sasl/exchange.ts';
import type { CramAnswer } from '../wire/sasl/cramMd5.ts';
import type { LoginOutcome } from '../accounts/login.ts';
import type { SmtpContext } from './context.ts';
import { REPLIES, type Reply, replyOf } from './reply.ts';

/** Checks name and password; the reply logs the session in when it is given. Errors: the store's, `shuttingDown`. */
export function logIn(session: SmtpContext, credentials: SaslCredentials): Promise<Reply> {
  const { authenticationId: loginName, password, authorizationId: authorizationIdentity } = credentials;
  const request = { ...commonRequest(session, loginName), password, authorizationIdentity };
  return conclude(session, loginName, () => session.surroundings.accounts.authenticate(request));
}

/** As `logIn`, for the answer to a challenge. */
export function logInByAnswer(session: SmtpContext, challenge: string, answer: CramAnswer): Promise<Reply> {
  const { authenticationId: loginName, digest } = answer;
  const { challengeLogins } = session.surroundings.accounts;
  const request = { ...commonRequest(session, loginName), challenge, digest };
  return conclude(session, loginName, () => challengeLogins.authenticate(request));
}

function commonRequest({ peer, ending }: SmtpContext, loginName: string) {
  return { loginName, protocol: 'smtp', remoteAddress: peer.remoteAddress, signal: ending };
}

async function conclude(
  session: SmtpContext,
  loginName: string,
  authenticate: () => Promise<LoginOutcome>,
): Promise<Reply> {
  const outcome = await outcomeOf(authenticate);
  switch (outcome.kind) {
    case 'authenticated':
      return { ...REPLIES.loggedIn, takeEffect: () => session.logIn(outcome.account) };
    case 'tooBusy':
      return REPLIES.loginPostponed;
    case 'refused':
    case 'throttled': {
      const code = outcome.kind === 'refused' ? 'authenticationFailed' : 'loginThrottled';
      const takeEffect = () => session.noteFailedLogin(loginName);
      return { ...replyOf(new MailError(code)), loginName, takeEffect };
    }
  }
}

/** Errors: what `authenticate` rejects with, but for `tooBusy`: its reply would end the session, and tell of connections. */
async function outcomeOf(
  authenticate: () => Promise<LoginOutcome>,
): Promise<LoginOutcome | { readonly kind: 'tooBusy' }> {
  try {
    return await authenticate();
  } catch (error) {
    if (asMailError(error).code === 'tooBusy') return { kind: 'tooBusy' };
    throw error;
  }
}
