/**
 * What EHLO offers, a line for each extension, by the listener and by what the client has reached.
 *
 * RFC 2920, RFC 3030, RFC 6152, RFC 6531, RFC 2034, RFC 3461, RFC 3207, RFC 4954 section 3, RFC 1870.
 */

import { SASL_MECHANISMS } from '../wire/sasl/mechanism.ts';
import type { SmtpContext } from './context.ts';

/** The lines. */
export function extensionsOf(session: SmtpContext): readonly string[] {
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
    ...(role === 'submission' ? loginLines(session) : []),
    `SIZE ${sizeLimitOctets}`,
  ];
}

/** The second form is older than any RFC: Outlook Express 4 and programs of its time look for it alone. */
function loginLines({ mayLogIn, submitter }: SmtpContext): readonly string[] {
  if (!mayLogIn || submitter.kind === 'account') return [];
  const mechanisms = SASL_MECHANISMS.join(' ');
  return [`AUTH ${mechanisms}`, `AUTH=${mechanisms}`];
}
