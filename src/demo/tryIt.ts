/**
 * What the demo prints last: settings for a mail client, and lines for curl and swaks that work as they stand.
 */

import type { DemoAccount, DemoAppliance } from './appliance.ts';

/** The text, for the first account. */
export function tryItText({ endpoints }: DemoAppliance, accounts: readonly DemoAccount[]): string {
  const first = accounts[0];
  if (first === undefined) return '';
  const { smtp, pop3, pop3s, imap, imaps } = endpoints;
  const login = `${first.address}:${first.password}`;
  return [
    '',
    'Type this into a mail client (the certificate is self-signed: accept it once):',
    '',
    `  IMAP  ${imaps.host}  port ${imaps.port} with TLS, or port ${imap.port} with STARTTLS or without TLS`,
    `  POP3  ${pop3s.host}  port ${pop3s.port} with TLS, or port ${pop3.port} with STARTTLS or without TLS`,
    ...accounts.map((account) => `  user  ${account.address}  password  ${account.password}`),
    '',
    'Or paste one of these:',
    '',
    `  curl --insecure --user '${login}' imaps://${imaps.host}:${imaps.port}/INBOX`,
    `  curl --insecure --user '${login}' 'imaps://${imaps.host}:${imaps.port}/INBOX;MAILINDEX=1'`,
    `  curl --insecure --user '${login}' pop3s://${pop3s.host}:${pop3s.port}/1`,
    `  swaks --server ${smtp.host} --port ${smtp.port} --tls --from me@example.org --to ${first.address}`,
    '',
    'Ctrl-C ends the demo and removes its store.',
  ].join('\n');
}
