/**
 * AUTH: the client logs in (RFC 4954 section 4), by PLAIN or LOGIN, with an initial response or without.
 *
 * Only what reaches accounts counts as an attempt: no unknown mechanism, no broken base64, nothing that was cancelled, and no
 * password in the clear where TLS is required, since clients try such things without having a wrong password.
 */

import { MailError } from '../../base/error.ts';
import {
  decodeInitialResponse,
  decodeResponse,
  encodeChallenge,
  SASL_RESPONSE_LIMIT_OCTETS,
} from '../../wire/sasl/base64.ts';
import type { SaslExchange, SaslStep } from '../../wire/sasl/exchange.ts';
import { createExchange, findMechanism } from '../../wire/sasl/mechanism.ts';
import { parseAuth } from '../../wire/smtp/auth.ts';
import type { SmtpCommand } from '../command.ts';
import type { SmtpContext } from '../context.ts';
import { LOGIN_DEADLINE_MS } from '../limits.ts';
import { logIn } from '../logIn.ts';
import { REPLIES, type Reply, replyOf } from '../reply.ts';

/** AUTH. */
export const auth: SmtpCommand = {
  keyword: 'AUTH',
  source: 'RFC 4954 section 4',
  syntaxStatus: '5.5.2',
  deadlineMs: LOGIN_DEADLINE_MS,
  run(session, line) {
    const { mechanism: name, initialResponse } = parseAuth(line);
    const refusal = refuse(session);
    if (refusal !== undefined) return refusal;
    const mechanism = findMechanism(name);
    if (mechanism === undefined) return REPLIES.mechanismUnknown;
    const exchange = createExchange(mechanism);
    const initial = initialResponse === undefined ? undefined : decodeInitialResponse(initialResponse);
    return goOn(session, exchange, exchange.start(initial));
  },
};

function refuse(session: SmtpContext): Reply | undefined {
  const { submitter, transaction, mayLogIn, peer, surroundings } = session;
  if (submitter.kind === 'account') return REPLIES.loggedInAlready;
  if (transaction !== undefined) return REPLIES.noLoginNow;
  // Programs of VB6 times say HELO and then AUTH.
  if (!peer.isExtended && surroundings.isLenient !== true) return REPLIES.ehloFirst;
  return mayLogIn ? undefined : replyOf(new MailError('privacyRequired'));
}

function goOn(session: SmtpContext, exchange: SaslExchange, step: SaslStep): Reply | Promise<Reply> {
  if (step.kind === 'credentials') return logIn(session, step.credentials);
  const next = (line: Buffer): Reply | Promise<Reply> => {
    if (line.length > SASL_RESPONSE_LIMIT_OCTETS) return REPLIES.responseTooLong;
    const response = decodeResponse(line);
    if (response.kind === 'cancel') return REPLIES.loginCancelled;
    return goOn(session, exchange, exchange.respond(response.octets));
  };
  return { code: 334, status: undefined, text: encodeChallenge(step.challenge), next };
}
