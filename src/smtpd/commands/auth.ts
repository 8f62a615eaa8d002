/**
 * AUTH: the client logs in (RFC 4954 section 4), by PLAIN or LOGIN, with an initial response or without, or by CRAM-MD5 (RFC 2195).
 *
 * Only what reaches accounts counts as an attempt: no unknown mechanism, no broken base64, nothing that was cancelled, and no
 * password in the clear where TLS is required, since clients try such things without having a wrong password.
 */

import { randomBytes } from 'node:crypto';

import { MailError } from '../../base/error.ts';
import {
  decodeInitialResponse,
  decodeResponse,
  encodeChallenge,
  SASL_RESPONSE_LIMIT_OCTETS,
} from '../../wire/sasl/base64.ts';
import { CRAM_MD5, formatCramChallenge, parseCramAnswer } from '../../wire/sasl/cramMd5.ts';
import type { SaslExchange, SaslStep } from '../../wire/sasl/exchange.ts';
import { createExchange, findMechanism } from '../../wire/sasl/mechanism.ts';
import { parseAuth } from '../../wire/smtp/auth.ts';
import type { SmtpCommand } from '../command.ts';
import type { SmtpContext } from '../context.ts';
import { LOGIN_DEADLINE_MS } from '../limits.ts';
import { logIn, logInByAnswer } from '../logIn.ts';
import { REPLIES, type Reply, replyOf } from '../reply.ts';

/** Random octets of a challenge: none is given twice (RFC 2195 section 2 has a time and the process for it). */
const CHALLENGE_OCTETS = 16;

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
    if (name.toUpperCase() === CRAM_MD5) return challenge(session, initialResponse);
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

/** The server speaks first, so there is no initial response (RFC 4954 section 4). */
async function challenge(session: SmtpContext, initialResponse: Buffer | undefined): Promise<Reply> {
  const { serverName, accounts } = session.surroundings;
  if (!(await accounts.challengeLogins.areOffered())) return REPLIES.mechanismUnknown;
  if (initialResponse !== undefined) return REPLIES.responseTooEarly;
  const asked = formatCramChallenge(randomBytes(CHALLENGE_OCTETS).toString('hex'), serverName);
  const next = (line: Buffer): Reply | Promise<Reply> => {
    const response = decodeAnswer(line);
    return Buffer.isBuffer(response) ? logInByAnswer(session, asked, parseCramAnswer(response)) : response;
  };
  return { code: 334, status: undefined, text: encodeChallenge(Buffer.from(asked)), next };
}

/** The answer to a challenge, or what is replied where it is none. Throws WireError. */
function decodeAnswer(line: Buffer): Buffer | Reply {
  if (line.length > SASL_RESPONSE_LIMIT_OCTETS) return REPLIES.responseTooLong;
  const response = decodeResponse(line);
  return response.kind === 'cancel' ? REPLIES.loginCancelled : response.octets;
}

function goOn(session: SmtpContext, exchange: SaslExchange, step: SaslStep): Reply | Promise<Reply> {
  if (step.kind === 'credentials') return logIn(session, step.credentials);
  const next = (line: Buffer): Reply | Promise<Reply> => {
    const response = decodeAnswer(line);
    return Buffer.isBuffer(response) ? goOn(session, exchange, exchange.respond(response)) : response;
  };
  return { code: 334, status: undefined, text: encodeChallenge(step.challenge), next };
}
