/**
 * From credentials to the TRANSACTION state, for PASS and AUTH alike.
 */

import type { SaslCredentials } from '../wire/sasl/exchange.ts';
import { Maildrop } from './maildrop.ts';
import type { Pop3Context } from './context.ts';

/** Checks the credentials, opens the maildrop and answers. */
export async function logIn(session: Pop3Context, credentials: SaslCredentials): Promise<void> {
  const { accounts, mailboxes } = session.surroundings;
  const outcome = await accounts.authenticate({
    loginName: credentials.authenticationId,
    password: credentials.password,
    authorizationIdentity: credentials.authorizationId,
    protocol: 'pop3',
    remoteAddress: session.connection.remoteAddress,
  });
  if (outcome.kind === 'refused') return session.refuseLogin();
  const { account } = outcome;
  const maildrop = await Maildrop.open(mailboxes, account.id);
  session.state = { kind: 'transaction', account, maildrop };
  session.log.info('pop3d.session.login', {
    account: account.address,
    messages: maildrop.count,
    octets: maildrop.octets,
  });
  session.ok(`Logged in, ${maildrop.count} messages (${maildrop.octets} octets)`);
}
