/**
 * CAPA (RFC 2449): the same before and after login but for STLS and USER.
 */

import { parseNothing } from '../../wire/pop3/command.ts';
import { formatCapability, MULTI_LINE_END } from '../../wire/pop3/reply.ts';
import { SASL_MECHANISMS } from '../../wire/sasl/mechanism.ts';
import type { Pop3Command } from '../command.ts';
import type { Pop3Context } from '../context.ts';

/** CAPA. */
export const capa: Pop3Command<void> = {
  keyword: 'CAPA',
  states: ['authorization', 'transaction'],
  source: 'RFC 2449 section 5',
  parse: parseNothing,
  run(session) {
    session.ok('Capability list follows');
    for (const line of capabilities(session)) session.connection.write(line);
    session.connection.write(MULTI_LINE_END);
  },
};

function capabilities(session: Pop3Context): string[] {
  const isBefore = session.state.kind === 'authorization';
  return [
    formatCapability('TOP'),
    formatCapability('UIDL'),
    ...(session.mayLogIn ? [formatCapability('USER'), formatCapability('SASL', ...SASL_MECHANISMS)] : []),
    formatCapability('PIPELINING'),
    formatCapability('RESP-CODES'),
    formatCapability('AUTH-RESP-CODE'),
    ...(isBefore && mayStartTls(session) ? [formatCapability('STLS')] : []),
  ];
}

/** Whether STLS makes sense now (RFC 2595 section 4). */
export function mayStartTls(session: Pop3Context): boolean {
  const { tls } = session.surroundings;
  return !session.connection.isSecure && (tls === 'starttls' || tls === 'required');
}
