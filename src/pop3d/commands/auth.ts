/**
 * AUTH (RFC 5034): SASL PLAIN and LOGIN; without an argument the list of mechanisms, which old clients ask for.
 */

import { MailError, WireError } from '../../base/error.ts';
import { type AuthArgument, parseAuth } from '../../wire/pop3/command.ts';
import { formatCapability, formatContinuation, MULTI_LINE_END } from '../../wire/pop3/reply.ts';
import {
  decodeInitialResponse,
  decodeResponse,
  encodeChallenge,
  SASL_RESPONSE_LIMIT_OCTETS,
} from '../../wire/sasl/base64.ts';
import type { SaslCredentials } from '../../wire/sasl/exchange.ts';
import { createExchange, findMechanism, SASL_MECHANISMS } from '../../wire/sasl/mechanism.ts';
import type { Pop3Command } from '../command.ts';
import { logIn } from '../logIn.ts';
import type { Pop3Context } from '../context.ts';

/** AUTH. */
export const auth: Pop3Command<AuthArgument | undefined> = {
  keyword: 'AUTH',
  states: ['authorization'],
  source: 'RFC 5034 section 4',
  parse: parseAuth,
  async run(session, asked) {
    if (asked === undefined) return listMechanisms(session);
    if (!session.mayLogIn) return session.refuse('privacyRequired');
    const mechanism = findMechanism(asked.mechanism);
    if (mechanism === undefined) return session.wrong(session.phrases.mechanismUnsupported);
    const { initialResponse } = asked;
    const response = initialResponse === undefined ? undefined : decodeInitialResponse(initialResponse);
    const credentials = await exchange(session, mechanism, response);
    if (credentials === undefined) return session.wrong(session.phrases.authenticationCancelled);
    await logIn(session, credentials);
  },
};

function listMechanisms(session: Pop3Context): void {
  session.ok(session.phrases.mechanismListing);
  if (session.mayLogIn) for (const name of SASL_MECHANISMS) session.connection.write(formatCapability(name));
  session.connection.write(MULTI_LINE_END);
}

async function exchange(
  session: Pop3Context,
  mechanism: (typeof SASL_MECHANISMS)[number],
  initial: Buffer | undefined,
): Promise<SaslCredentials | undefined> {
  const machine = createExchange(mechanism);
  let step = machine.start(initial);
  while (step.kind === 'challenge') {
    session.connection.write(formatContinuation(encodeChallenge(step.challenge)));
    await session.connection.flush();
    const line = await session.nextLine(SASL_RESPONSE_LIMIT_OCTETS + 2);
    if (line.kind === 'end') throw new MailError('connectionLost');
    if (line.kind === 'tooLong') throw new WireError(SASL_RESPONSE_LIMIT_OCTETS, 'a shorter response');
    const response = decodeResponse(line.octets);
    if (response.kind === 'cancel') return undefined;
    step = machine.respond(response.octets);
  }
  return step.credentials;
}
