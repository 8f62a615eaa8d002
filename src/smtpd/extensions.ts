/**
 * What EHLO offers, a line for each extension, by the listener and by what the client has reached.
 *
 * RFC 2920, RFC 3030, RFC 6152, RFC 6531, RFC 2034, RFC 3461, RFC 3207, RFC 4954 section 3, RFC 1870.
 */

import { CRAM_MD5 } from '../wire/sasl/cramMd5.ts';
import { SASL_MECHANISMS } from '../wire/sasl/mechanism.ts';
import type { SmtpContext } from './context.ts';

/** The lines. */
export function extensionsOf(session: SmtpContext, mechanisms: readonly string[]): readonly string[] {
  const { role, sizeLimitOctets, tls, chunking } = session.surroundings;
  const mayStartTls = session.peer.tls === undefined && (tls === 'starttls' || tls === 'required');
  return [
    'PIPELINING',
    ...(chunking === 'hide' ? [] : ['CHUNKING']),
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    // Exchange Online reports itself what it hands over to relay-in listeners.
    ...(role === 'submission' ? ['DSN'] : []),
    ...(mayStartTls ? ['STARTTLS'] : []),
    // The second form is older than any RFC: Outlook Express 4 and programs of its time look for it alone.
    ...(mechanisms.length === 0 ? [] : [`AUTH ${mechanisms.join(' ')}`, `AUTH=${mechanisms.join(' ')}`]),
    `SIZE ${sizeLimitOctets}`,
  ];
}

/** The mechanisms that a client may log in by now; CRAM-MD5 only where somebody has a secret for it. */
export async function mechanismsOf({
  mayLogIn,
  submitter,
  surroundings,
}: SmtpContext): Promise<readonly string[]> {
  if (!mayLogIn || submitter.kind === 'account') return [];
  const hasChallenges = await surroundings.accounts.challengeLogins.areOffered();
  return hasChallenges ? [...SASL_MECHANISMS, CRAM_MD5] : SASL_MECHANISMS;
}
