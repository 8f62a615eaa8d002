/**
 * From credentials to a session that may submit. Whose password it is, how often it may be tried and how long that takes is
 * accounts' affair; what a client is told is the same for every reason (RFC 4954 section 6).
 */

import { asMailError, MailError } from '../base/error.ts';
import type { SaslCredentials } from '../wire/sasl/exchange.ts';
import type { SmtpContext } from './context.ts';
import { REPLIES, type Reply, replyOf } from './reply.ts';

/** Checks the credentials; the reply logs the session in when it is given. Errors: the store's, `shuttingDown`. */
export async function logIn(session: SmtpContext, credentials: SaslCredentials): Promise<Reply> {
  const outcome = await authenticate(session, credentials);
  switch (outcome.kind) {
    case 'authenticated':
      return { ...REPLIES.loggedIn, takeEffect: () => session.logIn(outcome.account) };
    case 'tooBusy':
      return REPLIES.loginPostponed;
    case 'refused':
    case 'throttled': {
      const code = outcome.kind === 'refused' ? 'authenticationFailed' : 'loginThrottled';
      const takeEffect = () => session.noteFailedLogin(credentials.authenticationId);
      return { ...replyOf(new MailError(code)), takeEffect };
    }
  }
}

async function authenticate({ surroundings, peer, ending }: SmtpContext, credentials: SaslCredentials) {
  try {
    return await surroundings.accounts.authenticate({
      loginName: credentials.authenticationId,
      password: credentials.password,
      authorizationIdentity: credentials.authorizationId,
      protocol: 'smtp',
      remoteAddress: peer.remoteAddress,
      signal: ending,
    });
  } catch (error) {
    // Its reply would end the session, and tell of connections.
    if (asMailError(error).code === 'tooBusy') return { kind: 'tooBusy' as const };
    throw error;
  }
}
