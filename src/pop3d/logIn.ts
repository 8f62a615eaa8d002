/**
 * From credentials to the TRANSACTION state, for PASS and AUTH alike.
 */

import type { SaslCredentials } from '../wire/sasl/exchange.ts';
import type { Account } from '../store/contract/directory.ts';
import { compatibilityOf } from './compatibility.ts';
import { Maildrop } from './maildrop.ts';
import type { Pop3Context } from './context.ts';

/** Checks the credentials, opens the maildrop and answers. */
export async function logIn(session: Pop3Context, credentials: SaslCredentials): Promise<void> {
  const { accounts } = session.surroundings;
  const outcome = await accounts.authenticate({
    loginName: credentials.authenticationId,
    password: credentials.password,
    authorizationIdentity: credentials.authorizationId,
    protocol: 'pop3',
    remoteAddress: session.connection.remoteAddress,
    signal: session.ending,
  });
  const { tap } = session.connection;
  if (outcome.kind !== 'authenticated') {
    tap?.loginRefused(credentials.authenticationId);
    return session.refuseLogin(outcome.kind === 'refused' ? 'authenticationFailed' : 'loginThrottled');
  }
  tap?.loggedIn(outcome.account.address);
  session.connection.place?.keep();
  await enter(session, outcome.account);
}

/** What is refused from here on is refused to somebody who has the right password (RFC 2449 section 8.1). */
async function enter(session: Pop3Context, account: Account): Promise<void> {
  const { mailboxes, loginDelays, locks } = session.surroundings;
  const { remoteAddress } = session.connection;
  if (!loginDelays.isOver(account.id, remoteAddress)) return session.refuse('loginTooSoon');
  const compatibility = compatibilityOf(session.surroundings, account);
  const unlock = compatibility.sharing === 'exclusive' ? locks.take(account.id, session) : () => {};
  if (unlock === undefined) return session.refuse('maildropInUse');
  const maildrop = await Maildrop.open(mailboxes, account.id, unlock);
  loginDelays.note(account.id, remoteAddress);
  session.compatibility = compatibility;
  session.state = { kind: 'transaction', account, maildrop };
  session.log.info('pop3d.session.login', {
    account: account.address,
    messages: maildrop.count,
    octets: maildrop.octets,
  });
  session.ok(session.phrases.loggedIn(maildrop.count, maildrop.octets));
}
