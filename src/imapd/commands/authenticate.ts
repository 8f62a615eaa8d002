/**
 * AUTHENTICATE (RFC 3501 section 6.2.2) with SASL-IR (RFC 4959).
 *
 * The mechanism's machine asks, the client answers line by line; `*` gives up, which is BAD, as wrong base64 is.
 * Trust: answers are bounded lines, decoded strictly by wire/sasl.
 */

import type { AuthenticateArguments } from '../../wire/imap/authenticate.ts';
import { formatChallenge } from '../../wire/imap/responses.ts';
import { decodeResponse, encodeChallenge } from '../../wire/sasl/base64.ts';
import { createExchange, findMechanism } from '../../wire/sasl/mechanism.ts';
import { logIn } from '../authentication.ts';
import { bad, failed, no } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { NotAuthenticatedState } from '../sessionState.ts';

/** Runs one exchange. */
export async function authenticate(
  session: SessionContext,
  _state: NotAuthenticatedState,
  { mechanism: name, initialResponse }: AuthenticateArguments,
): Promise<Completion> {
  const mechanism = findMechanism(name);
  if (mechanism === undefined) return no('Unsupported authentication mechanism', 'CANNOT');
  // Before anything is asked: the client shall not send its password in the clear.
  if (session.needsPrivacy) return failed('privacyRequired');
  const exchange = createExchange(mechanism);
  let step = exchange.start(initialResponse);
  while (step.kind === 'challenge') {
    session.writer.write(formatChallenge(encodeChallenge(step.challenge)));
    const line = await session.input.line();
    if (line === 'tooLong') return bad('The response is too long');
    const response = decodeResponse(line);
    if (response.kind === 'cancel') return bad('Authentication cancelled');
    step = exchange.respond(response.octets);
  }
  return logIn(session, step.credentials);
}
